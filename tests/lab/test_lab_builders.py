"""The formats that the lab writes, with any content."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import tarfile
from datetime import datetime, timedelta, timezone

import pysequoia
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import ar
from bundler.formats import rpm as rpm_format
from bundler.lab import agent, cabinet, deb, installer, msi, rpm
from bundler.lab.cabinet import CabinetFile
from bundler.lab.lab import Lab
from bundler.lab.openpgp import SigningKey
from bundler.lab.package import Package, PackagedFile
from bundler.trust import debsigs, rpm_signature
from tests.support import shared

BUILT = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=10)
KEY = SigningKey(shared.rsa_key("lab builders"), "LAB test <lab@localhost>", BUILT - timedelta(days=1))
CERTIFICATE = pysequoia.Cert.from_bytes(KEY.certificate())


def package(architecture, *files, scripts=None):
    return Package(
        name="azcmagent",
        version="1.2.3",
        release="4",
        architecture=architecture,
        summary="LAB summary",
        description="LAB description\n\nand more",
        built=BUILT,
        files=files,
        owned=("/opt/lab",),
        scripts=scripts or {},
    )


names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-._", min_size=1, max_size=20).filter(lambda n: n.strip("."))
contents = st.binary(max_size=300) | st.integers(0, 9000).map(lambda n: b"\x5a" * n)
files = st.dictionaries(names, st.tuples(contents, st.sampled_from([0o644, 0o755])), max_size=6).map(
    lambda held: tuple(PackagedFile(f"/opt/lab/{name}", content, mode) for name, (content, mode) in held.items())
)


@settings(max_examples=40, deadline=None)
@given(files)
def test_a_deb_holds_what_was_put_in(held):
    made = deb.build(package("amd64", *held), KEY)
    assert made == deb.build(package("amd64", *held), KEY)
    file = io.BytesIO(made)
    members = {member.name: made[member.offset : member.offset + member.size] for member in ar.members(file)}
    with tarfile.open(fileobj=io.BytesIO(members["data.tar.gz"])) as archive:
        found = {(entry.name, archive.extractfile(entry).read(), entry.mode) for entry in archive if entry.isfile()}
        assert all((entry.uid, entry.gid, entry.mtime) == (0, 0, BUILT.timestamp()) for entry in archive)
    assert found == {(f".{file.path}", file.content, file.mode) for file in held}
    covered = members["debian-binary"] + members["control.tar.gz"] + members["data.tar.gz"]
    signature = pysequoia.Sig.from_bytes(members["_gpgorigin"])
    pysequoia.verify(bytes=covered, signature=signature, store=lambda _: [CERTIFICATE])
    assert signature.created == BUILT


@settings(max_examples=40, deadline=None)
@given(files)
def test_an_rpm_holds_what_was_put_in(held):
    made = rpm.build(package("x86_64", *held), KEY)
    assert made == rpm.build(package("x86_64", *held), KEY)
    layout = rpm_format.layout(io.BytesIO(made.content))
    payload = gzip.decompress(made.content[made.header_end :])
    assert len(payload) == made.payload_size
    assert payload.rstrip(b"\0").endswith(b"TRAILER!!!")
    for file in held:
        at = payload.index(b"." + file.path.encode() + b"\0")
        head = payload[at - 110 : at]
        assert head.startswith(b"070701")
        assert int(head[14:22], 16) == 0o100000 | file.mode
        size, name_size = int(head[54:62], 16), int(head[94:102], 16)
        start = at + name_size + (-(110 + name_size) % 4)
        assert payload[start : start + size] == file.content
    assert rpm_format.header_facts(layout.header).version == "1.2.3-4"


def test_scripts_run_at_their_moments():
    said = {"after-install": "#!/bin/sh\necho in\n", "before-remove": "#!/bin/sh\necho out\n"}
    header = rpm_format.layout(io.BytesIO(rpm.build(package("aarch64", scripts=said), None).content)).header
    assert [header.string(tag) for tag in (1024, 1086, 1025, 1087)] == ["echo in\n", "/bin/sh", "echo out\n", "/bin/sh"]
    file = io.BytesIO(deb.build(package("arm64", scripts=said), None))
    (control,) = (member for member in ar.members(file) if member.name == "control.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(file.getvalue()[control.offset : control.offset + control.size])) as archive:
        held = {entry.name: (archive.extractfile(entry).read(), entry.mode) for entry in archive if entry.isfile()}
    assert held["./postinst"] == (b"#!/bin/sh\necho in\n", 0o755)
    assert held["./prerm"] == (b"#!/bin/sh\necho out\n", 0o755)
    assert "./postrm" not in held


def test_without_a_key_nothing_is_signed(shared_lab):
    now = datetime.now(timezone.utc)
    bare = package("amd64", PackagedFile("/opt/lab/a", b"a"))
    with pytest.raises(VerificationError) as refused:
        debsigs.verify(io.BytesIO(deb.build(bare, None)), anchors=shared_lab.anchors, at=now)
    assert refused.value.reason == "unsigned"
    bare = package("x86_64", PackagedFile("/opt/lab/a", b"a"))
    with pytest.raises(VerificationError) as refused:
        rpm_signature.verify(io.BytesIO(rpm.build(bare, None).content), anchors=shared_lab.anchors, at=now)
    assert refused.value.reason == "unsigned"


lines = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=["Cs", "Zl", "Zp", "Cc"]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(lines, st.sampled_from(["-", "- ", "-----BEGIN PGP SIGNATURE-----", "From x", ""])), min_size=1)
)
def test_a_clear_signature_covers_any_text(text):
    signed = KEY.clear_signed("\n".join(text) + "\n", BUILT)
    seen = pysequoia.verify(bytes=signed, store=lambda _: [CERTIFICATE]).bytes.decode()
    assert [line.rstrip() for line in seen.rstrip("\n").split("\n")] == [
        line.rstrip() for line in "\n".join(text).rstrip("\n").split("\n")
    ]


def test_a_certificate_is_what_other_readers_want():
    assert CERTIFICATE.fingerprint.upper() == KEY.fingerprint
    assert [str(user) for user in CERTIFICATE.user_ids] == [KEY.user_id]
    assert pysequoia.Cert.from_bytes(KEY.armored().encode()).fingerprint == CERTIFICATE.fingerprint


SIZES = (0, 1, 3, 32767, 32768, 32769, 100_001)


@pytest.mark.parametrize("kind", ["dull", "random"])
def test_a_cabinet_is_read_by_another_program(tmp_path, kind):
    unpacker = shutil.which("7zz") or shutil.which("7z") or shutil.which("cabextract")
    if not unpacker:
        pytest.skip("nothing on this machine reads cabinets")
    held = [
        CabinetFile(f"f{size}.bin", agent.bulk(size, "x") if kind == "random" else b"lab " * (size // 4), BUILT)
        for size in SIZES
    ]
    (tmp_path / "a.cab").write_bytes(cabinet.write(held))
    options = ["-q", "-d", "out"] if "cabextract" in unpacker else ["x", "-oout"]
    subprocess.run([unpacker, *options, "a.cab"], cwd=tmp_path, check=True, timeout=60, capture_output=True)
    for file in held:
        assert (tmp_path / "out" / file.name).read_bytes() == file.content


def test_a_cabinets_checksums_fit_the_definition():
    """Recompute every block's checksum word by word, as [MS-CAB] 3.1 describes it."""
    made = cabinet.write([CabinetFile("a", agent.bulk(70_001, "y"), BUILT)])
    at = int.from_bytes(made[36:40], "little")
    blocks = int.from_bytes(made[40:42], "little")
    assert blocks == 3
    for _ in range(blocks):
        stored, size = int.from_bytes(made[at : at + 4], "little"), int.from_bytes(made[at + 4 : at + 6], "little")
        total = 0
        for part in (made[at + 8 : at + 8 + size], made[at + 4 : at + 8]):
            whole = len(part) // 4 * 4
            for word in range(0, whole, 4):
                total ^= int.from_bytes(part[word : word + 4], "little")
            total ^= int.from_bytes(part[whole:], "big")
        assert total == stored
        at += 8 + size
    assert at == len(made)


def test_the_same_build_is_the_same_msi_and_another_is_not():
    first = installer.unsigned("1.2.3.4", BUILT)
    assert first == installer.unsigned("1.2.3.4", BUILT)
    assert first != installer.unsigned("1.2.3.5", BUILT)
    assert first != installer.unsigned("1.2.3.4", BUILT, remark="again")


def test_too_many_strings_for_a_database():
    table = msi.Table("T", (msi.Column("A", "s72", key=True),), tuple((str(n),) for n in range(70_000)))
    summary = msi.Summary("t", "s", "a", "c", "x64;1033", installer.UPGRADE_CODE, BUILT)
    with pytest.raises(ValueError, match="too many"):
        msi.write([table], {}, summary)


def test_packages_can_be_made_as_large_as_real_ones(lab_root, now):
    with Lab(lab_root, now, releases=[agent.release("1.9.0.1")], stuffing=1_000_000) as lab:
        sizes = [
            len(requests.get(lab.url + path, verify=lab.ca_file, timeout=30).content)
            for path in (
                "/gbl.his.arc.azure.com/azcmagent/latest/AzureConnectedMachineAgent.msi",
                "/packages.microsoft.com/debian/12/prod/pool/main/a/azcmagent/azcmagent_1.9.0.1_amd64.deb",
                "/packages.microsoft.com/rhel/8/prod/Packages/a/azcmagent-1.9.0-1.x86_64.rpm",
            )
        ]
    assert min(sizes) > 1_000_000


def test_an_index_can_be_a_bomb_that_is_properly_signed(lab_root, now):
    with Lab(lab_root, now, index_stuffing=20_000_000) as lab:
        base = f"{lab.packages_url}/ubuntu/22.04/prod/dists/jammy/"
        packed = requests.get(base + "main/binary-amd64/Packages.gz", verify=lab.ca_file, timeout=30).content
        release = requests.get(base + "Release", verify=lab.ca_file, timeout=30).text
    assert len(packed) < 100_000
    assert len(gzip.decompress(packed)) > 20_000_000
    assert f"{len(gzip.decompress(packed))} main/binary-amd64/Packages\n" in release
