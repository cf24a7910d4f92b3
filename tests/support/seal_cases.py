"""Ways to damage a sealed bundle, and what each must be called: one table for ``verify``, verify.sh and verify.ps1.

``damaged`` is exit code 200 of the scripts, ``not believed`` 201; ``refused`` is either, where the program reads more
than the scripts do (it compares the manifest with the files, they do not read it).
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from asn1crypto import algos, cms
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from bundler.formats import cms as detached
from bundler.formats import fingerprint_words
from bundler.integrity import sums
from bundler.signing import cms_writer
from tests.support import sealed_bundles as sealed
from tests.support.sealed_bundles import DAY, NOW, OpenPgp, Recipe, Signer, signer

OK, DAMAGED, DOUBTED, REFUSED = "ok", "damaged", "not believed", "refused"

SEALER = signer()
KINDS = ("rsa2048", "rsa3072", "p256", "p384")
PLAIN = Recipe(sealer=SEALER)
BOTH = replace(PLAIN, openpgp=OpenPgp())
FIRST, SECOND, THIRD = (
    signer(kind, f"LAB {name}") for kind, name in (("p256", "Aiko"), ("rsa3072", "Ben"), ("p384", "Cy"))
)
STRANGER = signer("rsa2048", "LAB stranger")
APPROVED = replace(PLAIN, approvers=(FIRST, SECOND, THIRD), required=2, approved=(FIRST, THIRD))
P7S, MANIFEST_P7S = sums.SUMS + ".p7s", sums.MANIFEST + ".p7s"

Damage = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    name: str
    verdict: str
    recipe: Recipe = PLAIN
    damage: Damage = lambda _: None
    given: str = SEALER.fingerprint
    """Whom the one who verifies believes."""


IGNORABLE = "\u00ad\u200b\u200d\u2060\ufeff\u034f"
"""What Unicode ignores in comparisons: a soft hyphen, a zero width space, a joiner, and others."""


def write(path: str, content: bytes) -> Damage:
    def act(bundle: Path) -> None:
        (bundle / path).parent.mkdir(parents=True, exist_ok=True)
        (bundle / path).write_bytes(content)

    return act


def changed(path: str, change: Callable[[bytes], bytes]) -> Damage:
    return lambda bundle: write(path, change((bundle / path).read_bytes()))(bundle)


def removed(*paths: str) -> Damage:
    def act(bundle: Path) -> None:
        for path in paths:
            (bundle / path).unlink()

    return act


def moved(path: str, to: str) -> Damage:
    def act(bundle: Path) -> None:
        (bundle / to).parent.mkdir(parents=True, exist_ok=True)
        (bundle / path).rename(bundle / to)

    return act


def copied(path: str, to: str) -> Damage:
    return lambda bundle: write(to, (bundle / path).read_bytes())(bundle)


def each(*damages: Damage) -> Damage:
    def act(bundle: Path) -> None:
        for damage in damages:
            damage(bundle)

    return act


def sums_fixed(bundle: Path) -> None:
    """SHA256SUMS as if the bundle had been packed so."""
    paths = (path for path in bundle.rglob("*") if path.is_file())
    listed = {str(path.relative_to(bundle).as_posix()): path for path in paths}
    digests = [
        (path, sealed.sha256(file.read_bytes()))
        for path, file in listed.items()
        if path != sums.SUMS and not sums.is_seal(path)
    ]
    write(sums.SUMS, sums.render(digests))(bundle)


def by(who: Signer, document: str = sums.SUMS, path: str = "") -> Damage:
    """A signature of ``who`` over ``document``."""

    def act(bundle: Path) -> None:
        write(path or document + ".p7s", cms_writer.sign_detached((bundle / document).read_bytes(), who))(bundle)

    return act


def approval(who: Signer, *, named: Signer | None = None, over: bytes | None = None) -> Damage:
    def act(bundle: Path) -> None:
        document = (bundle / sums.SUMS).read_bytes() if over is None else over
        write(sums.approval((named or who).fingerprint), sealed.approval(document, who))(bundle)

    return act


def without_approval(*who: Signer) -> Damage:
    def act(bundle: Path) -> None:
        removed(*(sums.approval(one.fingerprint) for one in who))(bundle)
        if not any((bundle / "approvals").iterdir()):
            (bundle / "approvals").rmdir()

    return act


def of_another_bundle(bundle: Path) -> None:
    """The same sealer's seals of another bundle."""
    other = sealed.contents(replace(PLAIN, extra={"config/more.json": b"{}\n"}))
    for path in (P7S, MANIFEST_P7S):
        write(path, other[path])(bundle)


def two_signers(document: bytes) -> bytes:
    """The seal, with a stranger's signature beside the sealer's."""
    held = cms.ContentInfo.load(document)
    other = cms.ContentInfo.load(cms_writer.sign_detached(b"x", STRANGER))
    held["content"]["signer_infos"].append(other["content"]["signer_infos"][0])
    held["content"]["certificates"].append(other["content"]["certificates"][0])
    return held.dump(force=True)


def with_attributes(bundle: Path) -> None:
    """A good CMS signature over signed attributes, as most programs write it."""
    builder = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data((bundle / sums.SUMS).read_bytes())
        .add_signer(SEALER.certificates[0], SEALER.private, hashes.SHA256())
    )
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    write(P7S, builder.sign(serialization.Encoding.DER, options))(bundle)


def with_sha1(bundle: Path) -> None:
    """By the sealer's key, over a SHA-1."""
    held = cms.ContentInfo.load((bundle / P7S).read_bytes())
    info = held["content"]["signer_infos"][0]
    info["digest_algorithm"] = algos.DigestAlgorithm({"algorithm": "sha1"})
    info["signature"] = SEALER.private.sign((bundle / sums.SUMS).read_bytes(), sealed.padding.PKCS1v15(), hashes.SHA1())
    write(P7S, held.dump(force=True))(bundle)


def without_certificates(document: bytes) -> bytes:
    held = cms.ContentInfo.load(document)
    del held["content"]["certificates"]
    return held.dump(force=True)


def longer_integer(document: bytes) -> bytes:
    """ECDSA's r with a needless zero in front: BER, and no DER."""
    found = detached.read(document)
    value = found.signature
    r = value[4 : 4 + value[3]]
    rest = value[4 + value[3] :]
    body = bytes([2, len(r) + 1, 0]) + r + rest
    return detached.encode(found.certificates, found.algorithm, bytes([0x30, len(body)]) + body)


def without_issuer(document: bytes) -> bytes:
    """The same signature, with the signer's certificate alone."""
    found = detached.read(document)
    return detached.encode(found.certificates[:1], found.algorithm, found.signature)


def armored(document: bytes) -> bytes:
    return b"-----BEGIN CMS-----\n" + base64.encodebytes(document) + b"-----END CMS-----\n"


def twin(name: str) -> Signer:
    """Another key, whose certificate has the sealer's names."""
    return Signer("rsa2048", sealed.private_key("rsa2048", name), (sealed.impostor(SEALER, name),))


def line(text: str) -> Damage:
    """A further line in SHA256SUMS, sorted in."""

    def act(document: bytes) -> bytes:
        lines = [*document.decode().splitlines(), text]
        return "".join(f"{one}\n" for one in sorted(lines, key=lambda one: one[66:].encode())).encode()

    return changed(sums.SUMS, act)


def linked(bundle: Path) -> None:
    path = bundle / "config/settings.json"
    (bundle.parent / "beside").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(bundle.parent / "beside")


def folder_linked(bundle: Path) -> None:
    (bundle / "config").rename(bundle.parent / "config")
    (bundle / "config").symlink_to(bundle.parent / "config", target_is_directory=True)


def _seals() -> Iterator[Case]:
    for kind in KINDS:
        own = signer(kind, f"LAB sealer {kind}", issuer="LAB issuer")
        recipe, given = Recipe(sealer=own), own.fingerprint
        yield Case(f"control, {kind} and its issuer", OK, recipe, given=given)
        yield Case(
            f"signature's last byte, {kind}",
            DOUBTED,
            recipe,
            changed(P7S, lambda c: c[:-1] + bytes([c[-1] ^ 1])),
            given,
        )
        yield Case(
            f"a byte of the certificate, {kind}",
            DOUBTED,
            recipe,
            changed(P7S, lambda c: c[:200] + bytes([c[200] ^ 1]) + c[201:]),
            given,
        )
        yield Case(f"another key of the kind {kind}", DOUBTED, recipe, by(signer(kind, "LAB stranger")), given)
        yield Case(f"cut short, {kind}", DOUBTED, recipe, changed(P7S, lambda c: c[:-1]), given)
    curve = signer("p256", "LAB sealer p256", issuer="LAB issuer")
    yield Case(
        "an ECDSA number with a needless zero",
        DOUBTED,
        Recipe(sealer=curve),
        changed(P7S, longer_integer),
        curve.fingerprint,
    )
    stripped = each(changed(P7S, without_issuer), changed(MANIFEST_P7S, without_issuer))
    yield Case(
        "the issuer's certificate taken out of both seals", DOUBTED, Recipe(sealer=curve), stripped, curve.fingerprint
    )
    for path in (P7S, MANIFEST_P7S):
        yield Case(f"{path} missing", DOUBTED, PLAIN, removed(path))
        yield Case(f"{path} empty", DOUBTED, PLAIN, write(path, b""))
        yield Case(f"{path} half", DOUBTED, PLAIN, changed(path, lambda c: c[: len(c) // 2]))
        yield Case(f"{path} with a byte more", DOUBTED, PLAIN, changed(path, lambda c: c + b"\0"))
        yield Case(f"{path} as text", DOUBTED, PLAIN, changed(path, armored))
        yield Case(f"{path} with a stranger's signature added", DOUBTED, PLAIN, changed(path, two_signers))
        yield Case(f"{path} without certificates", DOUBTED, PLAIN, changed(path, without_certificates))
        yield Case(f"{path} by a stranger", DOUBTED, PLAIN, by(STRANGER, path.removesuffix(".p7s")))
        yield Case(f"{path} enormous", DOUBTED, PLAIN, write(path, bytes(1 << 20)))
    yield Case("both seals missing", DOUBTED, PLAIN, removed(P7S, MANIFEST_P7S))
    yield Case("both seals by a stranger", DOUBTED, PLAIN, each(by(STRANGER), by(STRANGER, sums.MANIFEST)))
    yield Case(
        "both seals by one who has the sealer's names",
        DOUBTED,
        PLAIN,
        each(by(twin("LAB twin")), by(twin("LAB twin"), sums.MANIFEST)),
    )
    yield Case("a stranger's seal in a file of its own", DAMAGED, PLAIN, by(STRANGER, path="stranger.p7s"))
    yield Case("seals of another bundle", DOUBTED, PLAIN, of_another_bundle)
    yield Case(
        "the seals exchanged", DOUBTED, PLAIN, each(moved(P7S, "x"), moved(MANIFEST_P7S, P7S), moved("x", MANIFEST_P7S))
    )
    yield Case("signed attributes", DOUBTED, PLAIN, with_attributes)
    yield Case("SHA-1", DOUBTED, PLAIN, with_sha1)
    yield Case("somebody else is believed", DOUBTED, PLAIN, given=STRANGER.fingerprint)
    own, other = (fingerprint_words.words(one.fingerprint) for one in (SEALER, STRANGER))
    octets = ":".join(fingerprint_words.digits(SEALER.fingerprint.upper()))
    yield Case("control, in digits as people paste them", OK, PLAIN, given=f"sha256 Fingerprint={octets}")
    yield Case("control, in words", OK, PLAIN, given=" ".join(own))
    yield Case("control, in words as people type them", OK, PLAIN, given="  ".join(word[:4].upper() for word in own))
    yield Case("somebody else is believed, in words", DOUBTED, PLAIN, given=" ".join(other))
    yield Case("nobody sealed it", DOUBTED, Recipe())
    yield Case(
        "nobody sealed it, and a stranger adds seals", DAMAGED, Recipe(), each(by(SEALER), by(SEALER, sums.MANIFEST))
    )


def _openpgp() -> Iterator[Case]:
    yield Case("control, OpenPGP besides", OK, BOTH)
    for path in (sums.SUMS, sums.MANIFEST):
        yield Case(f"{path}.asc missing", DOUBTED, BOTH, removed(f"{path}.asc"))
        yield Case(f"{path}.asc.p7s missing", DOUBTED, BOTH, removed(f"{path}.asc.p7s"))
        yield Case(
            f"{path}.asc with a comment",
            DOUBTED,
            BOTH,
            changed(f"{path}.asc", lambda c: c.replace(b"\n\n", b"\nComment: x\n\n", 1)),
        )
        yield Case(
            f"{path}.asc with line ends of Windows",
            DOUBTED,
            BOTH,
            changed(f"{path}.asc", lambda c: c.replace(b"\n", b"\r\n")),
        )
    yield Case(
        "all OpenPGP seals missing",
        DOUBTED,
        BOTH,
        removed(*(p + e for p in (sums.SUMS, sums.MANIFEST) for e in (".asc", ".asc.p7s"))),
    )
    yield Case("the public key exchanged", DAMAGED, BOTH, write("evidence/sealer.gpg", b"x"))
    yield Case("an OpenPGP seal where none was made", DAMAGED, PLAIN, write("SHA256SUMS.asc", b"x"))
    yield Case(
        "a seal over an OpenPGP seal where none was made", DAMAGED, PLAIN, by(SEALER, path="manifest.json.asc.p7s")
    )


def _times() -> Iterator[Case]:
    ended = signer("rsa2048", "LAB ended", begins=NOW - 9 * DAY, ends=NOW - timedelta(minutes=1))
    yield Case("certificate expired", DOUBTED, Recipe(sealer=ended), given=ended.fingerprint)
    later = signer("p256", "LAB later", begins=NOW + DAY, ends=NOW + 9 * DAY)
    yield Case("certificate not yet valid", DOUBTED, Recipe(sealer=later), given=later.fingerprint)
    yield Case("the bundle's time is not over", OK, replace(PLAIN, not_after=NOW + DAY))
    yield Case("the bundle's time is over", DOUBTED, replace(PLAIN, not_after=NOW - timedelta(minutes=1)))
    old = replace(APPROVED, approvers=(FIRST, replace(ended, kind="rsa2048"), THIRD))
    yield Case(
        "an approver's certificate expired, enough others", DOUBTED, replace(old, approved=(FIRST, ended, THIRD))
    )
    yield Case("an approver's certificate expired, and did not approve", OK, old)


def _approvals() -> Iterator[Case]:
    yield Case("control, two of three approvals", OK, APPROVED)
    yield Case("control, three of three approvals", OK, replace(APPROVED, approved=(FIRST, SECOND, THIRD)))
    own = signer("p384", "LAB sealer p384", issuer="LAB issuer")
    self_approved = Recipe(sealer=own, approvers=(own,), required=1, approved=(own,))
    yield Case("control, the sealer approves", OK, self_approved, given=own.fingerprint)
    with_chain = by(own, path=sums.approval(own.fingerprint))
    yield Case("an approval with its issuer's certificate", DOUBTED, self_approved, with_chain, own.fingerprint)
    yield Case(
        "an approval in the seal's place",
        DOUBTED,
        self_approved,
        copied(sums.approval(own.fingerprint), P7S),
        own.fingerprint,
    )
    yield Case("no approval", DOUBTED, APPROVED, without_approval(FIRST, THIRD))
    yield Case("one approval of two", DOUBTED, APPROVED, without_approval(FIRST))
    yield Case("an approval cut short", DOUBTED, APPROVED, changed(sums.approval(FIRST.fingerprint), lambda c: c[:-1]))
    yield Case("an approval of another bundle", DOUBTED, APPROVED, approval(FIRST, over=b"other"))
    yield Case("a third approval that does not hold", DOUBTED, APPROVED, approval(SECOND, over=b"other"))
    yield Case("a third approval by nobody who may", DOUBTED, APPROVED, approval(STRANGER))
    yield Case(
        "an approval by nobody who may, under an approver's name", DOUBTED, APPROVED, approval(STRANGER, named=SECOND)
    )
    yield Case("one approver twice", DOUBTED, replace(APPROVED, approved=(FIRST,)), approval(FIRST, named=SECOND))
    yield Case("a reader's note among the approvals", DAMAGED, APPROVED, write("approvals/README.txt", b"x"))
    yield Case("an approval with capital digits", DAMAGED, APPROVED, write(f"approvals/{'A' * 16}.p7s", b"x"))
    yield Case("an approval where none is asked for", DAMAGED, PLAIN, approval(STRANGER))
    yield Case(
        "an empty folder of approvals",
        DAMAGED,
        replace(APPROVED, approved=()),
        lambda bundle: (bundle / "approvals").mkdir(),
    )


def _files() -> Iterator[Case]:
    names = {
        "evidence/\u6771\u4eac.txt": b"x",
        "evidence/\uff21.txt": b"x",
        "evidence/\U0001f600.txt": b"x",
        "evidence/a b ~'$x.txt": b"",
    }
    yield Case("control, names of many kinds", OK, replace(PLAIN, extra=names))
    yield Case("a file changed", DAMAGED, PLAIN, changed("config/settings.json", lambda c: c + b" "))
    yield Case(
        "a file changed, sums fixed",
        REFUSED,
        PLAIN,
        each(changed("config/settings.json", lambda c: c + b" "), sums_fixed),
    )
    yield Case(
        "the manifest changed, sums fixed",
        DOUBTED,
        PLAIN,
        each(
            changed(
                "manifest.json",
                lambda c: c.replace(b'"lock_sha256":"0', b'"lock_sha256":"1').replace(
                    b'"lock_sha256": "0', b'"lock_sha256": "1'
                ),
            ),
            sums_fixed,
        ),
    )
    yield Case("a file added", DAMAGED, PLAIN, write("payload/more.sh", b"x"))
    yield Case("a hidden file added", DAMAGED, PLAIN, write(".more", b"x"))
    yield Case("a file removed", DAMAGED, PLAIN, removed("config/settings.json"))
    yield Case("a file removed, sums fixed", REFUSED, PLAIN, each(removed("START-HERE.txt"), sums_fixed))
    yield Case("a file renamed", DAMAGED, PLAIN, moved("START-HERE.txt", "START.txt"))
    yield Case("a file in another case", DAMAGED, PLAIN, moved("START-HERE.txt", "start-here.txt"))
    yield Case("a folder in another case", DAMAGED, PLAIN, moved("config/settings.json", "Config/settings.json"))
    # A culture that compares names takes each of these characters for nothing.
    for mark in IGNORABLE:
        name = f"U+{ord(mark):04X}"
        yield Case(f"a file called SHA256SUMS and {name}", DAMAGED, PLAIN, write(f"{sums.SUMS}{mark}", b"x"))
        yield Case(f"a seal called {P7S} and {name}", DAMAGED, PLAIN, copied(P7S, f"{P7S}{mark}"))
        yield Case(f"a file renamed by {name}", DAMAGED, PLAIN, moved("START-HERE.txt", f"START{mark}-HERE.txt"))
        yield Case(
            f"a folder renamed by {name}", DAMAGED, PLAIN, moved("config/settings.json", f"con{mark}fig/settings.json")
        )
        yield Case(
            f"SHA256SUMS: a line's name with {name}",
            DAMAGED,
            PLAIN,
            changed(sums.SUMS, lambda c, mark=mark: c.replace(b"START-HERE.txt", f"START{mark}-HERE.txt".encode(), 1)),
        )
    yield Case("a file with a line feed in its name", DAMAGED, PLAIN, write("a\nb", b"x"))
    yield Case("a file with a star for a name", DAMAGED, PLAIN, write("*", b"x"))
    yield Case("a file with an at sign for a name", DAMAGED, PLAIN, write("@", b"x"))
    yield Case("an empty folder", DAMAGED, PLAIN, lambda bundle: (bundle / "empty").mkdir())
    yield Case(
        "empty folders in each other", DAMAGED, PLAIN, lambda bundle: (bundle / "config/a/b").mkdir(parents=True)
    )
    yield Case("modes changed", OK, PLAIN, lambda bundle: (bundle / "config/settings.json").chmod(0o600))
    yield Case("a link for a file", DAMAGED, PLAIN, linked)
    yield Case("a link for a folder", DAMAGED, PLAIN, folder_linked)
    yield Case("a link that leads nowhere", DAMAGED, PLAIN, lambda bundle: (bundle / "x").symlink_to("nowhere"))
    if hasattr(os, "mkfifo"):
        yield Case("a pipe", DAMAGED, PLAIN, lambda bundle: os.mkfifo(bundle / "pipe"))
    yield Case("a folder in a seal's place", DAMAGED, PLAIN, each(removed(P7S), lambda bundle: (bundle / P7S).mkdir()))
    yield Case(
        "a link in a seal's place",
        DAMAGED,
        PLAIN,
        each(moved(P7S, "../beside.p7s"), lambda bundle: (bundle / P7S).symlink_to("../beside.p7s")),
    )


def _sums() -> Iterator[Case]:
    def sums_case(name: str, change: Callable[[bytes], bytes], verdict: str = DAMAGED) -> Case:
        return Case(f"SHA256SUMS: {name}", verdict, PLAIN, changed(sums.SUMS, change))

    nothing = "0" * 64
    yield Case("SHA256SUMS missing", DAMAGED, PLAIN, removed(sums.SUMS))
    yield sums_case("empty", lambda _: b"")
    yield sums_case("line ends of Windows", lambda c: c.replace(b"\n", b"\r\n"))
    yield sums_case("a byte order mark", lambda c: b"\xef\xbb\xbf" + c)
    yield sums_case("no last line end", lambda c: c[:-1])
    yield sums_case("an empty line", lambda c: c + b"\n")
    yield sums_case("a digit in upper case", lambda c: c[:64].upper() + c[64:])
    yield sums_case("binary mode's star", lambda c: c.replace(b"  ", b" *", 1))
    yield sums_case("one blank", lambda c: c.replace(b"  ", b" ", 1))
    yield sums_case("a line twice", lambda c: c.split(b"\n")[0] + b"\n" + c)
    yield sums_case("unsorted", lambda c: b"\n".join([*reversed(c.split(b"\n")[:-1]), b""]))
    yield sums_case("a NUL", lambda c: c.replace(b"\n", b"\0\n", 1))
    yield sums_case("no UTF-8", lambda c: c + nothing.encode() + b"  \xff\n")
    yield sums_case("a comment", lambda c: b"# x\n" + c)
    for path in (
        "../x",
        "/etc/passwd",
        "./START-HERE.txt",
        "config/../START-HERE.txt",
        "config//settings.json",
        "config",
        "-",
        "C:\\x",
        "x\\y",
    ):
        yield Case(f"SHA256SUMS: the path {path}", DAMAGED, PLAIN, line(f"{nothing}  {path}"))
    yield Case("SHA256SUMS: names itself", DAMAGED, PLAIN, line(f"{nothing}  SHA256SUMS"))
    yield Case(
        "SHA256SUMS: names a seal",
        DAMAGED,
        PLAIN,
        lambda bundle: line(f"{sealed.sha256((bundle / P7S).read_bytes())}  {P7S}")(bundle),
    )


CASES = (*_seals(), *_openpgp(), *_times(), *_approvals(), *_files(), *_sums())


class Folders:
    """Makes each recipe once, and copies it for each case."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made: dict[int, tuple[Recipe, Path]] = {}

    def pristine(self, recipe: Recipe) -> Path:
        if id(recipe) not in self._made:
            folder = sealed.write(self._root / f"recipe-{len(self._made)}", recipe)
            self._made[id(recipe)] = (recipe, folder)
        return self._made[id(recipe)][1]

    def damaged(self, case: Case, number: int) -> Path:
        folder = self._root / f"case-{number}" / "bundle"
        shutil.copytree(self.pristine(case.recipe), folder)
        case.damage(folder)
        return folder
