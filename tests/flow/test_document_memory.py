"""A large document, of whatever kind, takes little memory and little time before it is refused."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from bundler.flow import approval_file, lock_file, project, provenance, signer_policy
from bundler.flow.verify_file import verify_files
from bundler.formats import armor, deb822, repodata
from bundler.integrity import sums
from bundler.integrity.check import read_manifest
from bundler.products.azure import private_endpoint
from bundler.signing import certificates
from bundler.trust import anchors, apt_chain, yum_chain
from tests.support import limited

MB = 1 << 20
LARGE = 24 * MB
AT = datetime(2026, 12, 1, tzinfo=timezone.utc)
ROOM = 900 * MB
"""So much address space a call may take: more than any limit below, so that the measured peak decides."""

BEGIN, MIDDLE, END = (
    b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: a\nDate: b\n",
    b"\n-----BEGIN PGP SIGNATURE-----\n\n",
    b"\n-----END PGP SIGNATURE-----\n",
)


def clear_signed(text: bytes, signature: bytes = b"aaaa") -> bytes:
    return BEGIN + text + MIDDLE + signature + END


def block(label: bytes, body: bytes) -> bytes:
    return b"-----BEGIN %b-----\n\n%b\n-----END %b-----\n" % (label, body, label)


def verify_file(path: str) -> tuple[str, str]:
    (verdict,) = verify_files([Path(path)], anchors=anchors.microsoft(), at=AT)
    assert not verdict.verified
    return verdict.kind, verdict.reason


def measured(content: bytes, folder: Path, function: str = "verify_file") -> limited.Outcome:
    place = folder / "document"
    place.write_bytes(content)
    return limited.call(f"{__name__}:{function}", str(place), memory=ROOM, seconds=30)


def of_each(function: str, *paths: str) -> list[str]:
    """The error that ``function`` raises for each file; one process for all, because it takes long to start."""
    found = []
    for path in paths:
        try:
            globals()[function](path)
        except Exception as error:  # noqa: BLE001 - which one it is, is asked
            found.append(type(error).__name__)
        else:
            found.append("")
        gc.collect()  # an error's traceback holds its document; of one call the peak is asked, not of all
    return found


def measured_each(contents: Iterable[bytes], folder: Path, function: str) -> limited.Outcome:
    places = []
    for number, content in enumerate(contents):
        place = folder / f"document-{number}"
        place.write_bytes(content)
        places.append(str(place))
    return limited.call(f"{__name__}:of_each", function, *places, memory=ROOM, seconds=40)


FILES: dict[str, tuple[Callable[[], bytes], str, int]] = {
    "a Release document of empty lines": (lambda: clear_signed(b"\n" * LARGE), "('apt-release', 'too-big')", 40),
    "a Release document of one line": (lambda: clear_signed(b"a" * LARGE), "('apt-release', 'too-big')", 40),
    "a long signature": (lambda: clear_signed(b"a: b", b"a\n" * (LARGE // 2)), "('apt-release', 'too-big')", 40),
    "a key": (lambda: block(b"PGP PUBLIC KEY BLOCK", b"a\n" * (LARGE // 2)), "('openpgp-key', 'too-big')", 40),
    "a certificate": (lambda: block(b"CERTIFICATE", b"a\n" * (LARGE // 2)), "('certificate', 'too-big')", 40),
    "an index": (lambda: b"Package: a\n" * (LARGE // 11), "('apt-index', 'not-named')", 40),
    "a packed index": (lambda: b"\x1f\x8b\x08\x00" + bytes(LARGE), "('apt-index', 'not-named')", 40),
}


@pytest.mark.parametrize("name", FILES)
def test_a_large_file(name, tmp_path):
    make, verdict, most = FILES[name]
    found = measured(make(), tmp_path)
    assert found.result == verdict, found
    assert found.peak < most * MB, found
    assert found.seconds < 10


SCRIPTS = {
    "without a block": lambda: b"a\r\n" * (LARGE // 3),
    "with a block of empty lines": lambda: (
        b"a\r\n# SIG # Begin signature block\r\n" + b"# \r\n" * (LARGE // 4) + b"# SIG # End signature block\r\n"
    ),
    "with a block of one line": lambda: (
        b"a\r\n# SIG # Begin signature block\r\n# " + b"A" * LARGE + b"\r\n# SIG # End signature block\r\n"
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_large_script_takes_a_few_times_its_size(name, tmp_path):
    content = SCRIPTS[name]()
    found = measured(content, tmp_path)
    assert found.result.startswith("('"), found
    assert found.peak < 6 * len(content), found
    assert found.seconds < 20


def release(path: str) -> str:
    chain = apt_chain.AptChain(anchors.microsoft(), suite="stable", component="main", architecture="amd64")
    return str(chain.release(Path(path).read_bytes(), AT))


SHAPES = {
    "empty lines": b"\n",
    "blanks without an end": b" ",
    "blanks": b" \t" * 30 + b"x",
    "blank lines": b" \r\n",
    "short lines": b" a\n",
    "short fields": b"a:\n",
    "beginnings": b"-----BEGIN PGP SIGNED MESSAGE-----\n",
    "dashes": b"- -\n",
    "Hash headers": b"Hash: SHA256\n",
    "returns": b"\r",
}


def test_the_largest_release_document_of_any_shape(tmp_path):
    """4 MiB, as large as a build fetches one."""
    size = apt_chain.MAX_RELEASE - 200
    contents = [clear_signed(unit * (size // len(unit))) for unit in SHAPES.values()]
    found = measured_each(contents, tmp_path, "release")
    assert found.result == str(["VerificationError"] * len(SHAPES)), found
    assert found.peak < 4 * size, found
    assert found.seconds < 10


def paragraphs(path: str) -> int:
    with Path(path).open("rb") as file:
        return sum(1 for _ in deb822.paragraphs(file))


def primary(path: str) -> int:
    content = Path(path).read_bytes()
    return sum(1 for _ in repodata.packages([content], name="azcmagent"))


_PACKAGE = b'<package type="rpm"><name>a</name></package>'
_METADATA = b'<metadata xmlns="http://linux.duke.edu/metadata/common">%b</metadata>'
XML: dict[str, tuple[Callable[[], bytes], str, int]] = {
    "packages": (lambda: _METADATA % (_PACKAGE * (4 * MB // len(_PACKAGE))), "", 40),
    "depth": (lambda: _METADATA % (b"<a>" * (LARGE // 3)), "RepodataError", 40),
    "a long name": (lambda: b"<" + b"a" * LARGE, "RepodataError", 40),
    "an attribute": (lambda: b'<metadata a="' + b"a" * LARGE, "RepodataError", 40),
    "a comment": (lambda: b"<!--" + b"a" * LARGE, "RepodataError", 40),
    "text": (lambda: _METADATA % (b'<package type="rpm"><name>' + b"a" * LARGE), "RepodataError", 40),
    "many attributes": (
        lambda: b"<metadata " + b" ".join(b'a%d=""' % n for n in range(LARGE // 16)),
        "RepodataError",
        40,
    ),
}


@pytest.mark.parametrize("name", XML)
def test_a_repository_of_much_xml(name, tmp_path):
    make, error, most = XML[name]
    content = make()
    found = measured(content, tmp_path, "primary")
    assert found.error == error, found
    assert found.peak < len(content) + most * MB, found


def repomd(path: str) -> str:
    return str(repodata.repomd(Path(path).read_bytes()))


def test_a_repomd_of_nothing_but_documents(tmp_path):
    content = b'<repomd xmlns="http://linux.duke.edu/metadata/repo">' + b"<data/>" * (yum_chain.MAX_REPOMD // 7)
    found = measured(content + b"</repomd>", tmp_path, "repomd")
    assert found.error == "RepodataError"
    assert found.peak < len(content) + 20 * MB


def test_paragraphs_of_a_large_file(tmp_path):
    units = (b"a: b\n", b" \n", b"a" * 1000 + b": b\n", b"a: b\n\n", b"x")
    found = measured_each((unit * (2 * MB // len(unit)) for unit in units), tmp_path, "paragraphs")
    assert found.result == "['Deb822Error', '', 'Deb822Error', '', 'Deb822Error']", found
    assert found.peak < 100 * MB, found


def read_lock(path: str) -> str:
    return str(lock_file.read(Path(path)))


def read_former(path: str) -> str:
    return str(lock_file.read_former(Path(path)))


def read_definition(path: str) -> str:
    return str(project.text(Path(path)))


def read_anchors(path: str) -> str:
    return str(anchors.load(Path(path)))


def read_approval(path: str) -> str:
    return str(len(approval_file.read(Path(path))))


def read_signer(path: str) -> str:
    return signer_policy.fingerprint(path)


def read_revocations(path: str) -> str:
    return str(signer_policy.read((), revocation_lists=[Path(path)], today=date(2026, 12, 1)))


def read_certificates(path: str) -> str:
    return str(certificates.read(Path(path)))


def read_provenance(path: str) -> str:
    document = provenance.read(Path(path))
    assert document is not None
    return str(provenance.dsse.read(document))


def read_endpoint(path: str) -> str:
    return str(private_endpoint.read(Path(path).read_bytes()))


def read_sums(path: str) -> str:
    return str(len(sums.parse(Path(path).read_bytes())))


def manifest(path: str) -> str:
    return str(read_manifest(Path(path).read_bytes()))


def dearmor(path: str) -> str:
    return str(len(armor.dearmor(Path(path).read_bytes())))


READERS = {
    "read_lock": "LockError",
    "read_former": "LockError",
    "read_definition": "DefinitionError",
    "read_anchors": "UsageError",
    "read_approval": "VerificationError",
    "read_signer": "UsageError",
    "read_revocations": "UsageError",
    "read_certificates": "SigningError",
    "read_provenance": "ParseError",
}
"""Those that open a file: they read no more than their limit."""

DOCUMENTS = {
    "read_endpoint": "ParseError",
    "read_sums": "ValueError",
    "manifest": "VerificationError",
    "dearmor": "ParseError",
}
"""Those that are given bytes, of limited size at most of their callers."""


@pytest.mark.parametrize("reader", READERS)
def test_another_large_document(reader, tmp_path):
    units = (b"\n", b"[", b"{}\n", b"a")
    found = measured_each((unit * (LARGE // len(unit)) for unit in units), tmp_path, reader)
    assert found.result == str([READERS[reader]] * len(units)), found
    assert found.peak < 80 * MB, found
    assert found.seconds < 10


@pytest.mark.parametrize("reader", DOCUMENTS)
def test_the_bytes_of_a_large_document(reader, tmp_path):
    units = (b"\n", b"[", b'{"a":\n', b"a")
    found = measured_each((unit * (LARGE // len(unit)) for unit in units), tmp_path, reader)
    assert found.result == str([DOCUMENTS[reader]] * len(units)), found
    assert found.peak < 5 * LARGE, found
    assert found.seconds < 10


def pem(path: str) -> int:
    return len(certificates.parse(Path(path).read_bytes(), path))


def test_the_largest_pem_file_of_any_shape_takes_little_time(tmp_path):
    """No expression needs the square of its length."""
    begin = b"-----BEGIN CERTIFICATE-----\n"
    units = (b" ", b"\n", begin, b"-----BEGIN CERTIFICATE----- \n\n a", b"a" * 64 + b"\n")
    contents = (begin + unit * ((certificates.LARGEST - 40) // len(unit)) for unit in units)
    found = measured_each(contents, tmp_path, "pem")
    assert found.result == str(["SigningError"] * len(units)), found
    assert found.seconds < 5


@pytest.mark.slow
def test_the_clear_signed_document_of_the_adversary(tmp_path):
    """60 MB of short lines took 6.8 GB."""
    found = measured(clear_signed(b"a\n" * (30 * MB)), tmp_path)
    assert found.result == "('apt-release', 'too-big')", found
    assert found.peak < 40 * MB, found
