"""install.sh --envelope on the poorest server: what opens, what is refused, and where the secret never is."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import stat
import time
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.serialization import pkcs12

from bundler.formats import cms
from bundler.signing import ephemeral_recipient
from bundler.signing.envelope import EnvelopePayload, encrypt
from tests.support import sample_bundles as sample
from tests.support import sealed_bundles as sealed
from tests.support import small_root
from tests.support.receipts import problems
from tests.support.sealers import NOW, Identity, recipient
from tests.support.small_root import put

CANARY = "cAn4ry-$(touch /pwned)`x`'\"\\é"
MARK = b"cAn4ry"
SEALER = sealed.signer("p256", "LAB envelope sealer")
RECIPE = sealed.Recipe(sealer=SEALER, lab=True, pins=(sample.DEB,))
LETTER = EnvelopePayload(bundle="arc-tokyo", kind="secret", expires=NOW + timedelta(days=7), secret=CANARY.encode())
ENVELOPE = "/root/arc.envelope"
GIVEN = ("--envelope", ENVELOPE, "--recipient-key", "/root/server.key")
# Notes the parameters that it was given, and takes its time, so that whoever looks at all processes sees it.
NOTING = small_root.WRAPPER.replace(
    "exec ",
    '[[ $1 != connect ]] || { cat "$3"; ls -ln "$3"; } >/arrived\n'
    '[[ $1 != connect ]] || [[ ! $(</arrived) =~ service-principal-cert\\":\\ \\"([^\\"]*) ]] ||'
    ' { cp "${BASH_REMATCH[1]}" /certificate; ls -ln "${BASH_REMATCH[1]}" >/certificate-mode; }\n'
    "[[ $1 != connect ]] || sleep 0.4\nexec ",
)


@pytest.fixture
def server(tmp_path, bash):
    """With openssl, a sealed bundle, and a key of its own."""
    small_root.need()
    root = small_root.make(tmp_path / "root", sample.LINUX_VERSION, bash)
    root.add("openssl")
    root.with_processes()
    put(root / "stand-in/wrapper", NOTING)
    sealed.write(root / "bundle", RECIPE)
    key(root, recipient())
    return root


def pem(one: Identity, encryption=None) -> bytes:
    encryption = encryption or form.NoEncryption()
    private = one.key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, encryption)
    return private + one.certificate.public_bytes(form.Encoding.PEM)


def key(server, one: Identity, path="/root/server.key", content=b""):
    put(server / path, "", 0o600)
    (server / path).write_bytes(content or pem(one))


def enclosed(letter: EnvelopePayload, *recipients: Identity, by=SEALER) -> bytes:
    return encrypt(letter, [one.certificate for one in recipients or (recipient(),)], by)


def envelope(server, content: bytes):
    put(server / ENVELOPE, "", 0o600)
    (server / ENVELOPE).write_bytes(content)


def by_words(server, strength="compatible") -> str:
    """An envelope and its one-time key beside it, as seal-secret writes them; the passphrase."""
    made = ephemeral_recipient.make(
        LETTER.bundle, random=os.urandom(11), at=NOW, until=LETTER.expires, strength=strength
    )
    envelope(server, encrypt(LETTER, [recipient().certificate, made.certificate], SEALER))
    put(server / f"{ENVELOPE}.p12", "", 0o600)
    (server / f"{ENVELOPE}.p12").write_bytes(made.pkcs12)
    return made.passphrase


def parameters(server) -> dict[str, str]:
    """What azcmagent was told; taken away, for it is the one place where the secret has to arrive."""
    arrived, _, mode = (server / "arrived").read_text().partition("}\n")
    (server / "arrived").unlink()
    assert mode.split()[0] == "-rw-------"
    assert mode.split()[-1].startswith("/run/arc-bundler-")
    return json.loads(arrived + "}")


def receipt(server):
    path = max((server / "var/log/arc-bundler").glob("receipt-*.json"))
    read = json.loads(path.read_bytes())
    assert problems(read) == []
    return read


def connected(server, ended):
    assert ended.code == 0, ended.out
    assert json.loads(server.agent("show", "-j"))["status"] == "Connected"
    assert not (server / "pwned").exists()


def nothing_left(server, ended, *marks: bytes):
    """On screen, in command lines and environments, in files."""
    assert b"azcmagent\0connect\0--config" in ended.seen
    for mark in (MARK, *marks):
        assert mark not in ended.out.encode() + ended.seen
        assert [path for path, content in server.files().items() if mark in content] == []
    assert b"ARC_BUNDLER_ENVELOPE_PASSPHRASE" not in (server / "seen").read_bytes()
    for folder in ("run", "var/tmp", "tmp", "dev/shm"):
        assert list((server / folder).glob("arc-bundler*")) == []


def refused(server, why: str, *arguments: str, code=203, **more):
    ended = server.run(*(arguments or GIVEN), **more)
    assert ended.code == code, ended.out
    assert why in ended.out
    assert not (server / "packages").exists()
    assert MARK not in ended.out.encode()
    assert [path for path, content in server.files().items() if MARK in content] == []
    return ended


@pytest.fixture
def signs_in(server, monkeypatch):
    """To have the bundle sign in as those parameters say."""
    entries = sealed.scripts.entries

    def act(parameters):
        monkeypatch.setattr(sealed.scripts, "entries", lambda _, *rest, **more: entries(parameters, *rest, **more))
        shutil.rmtree(server / "bundle")
        sealed.write(server / "bundle", RECIPE)

    return act


# ---- What opens ----


def a_p12(one: Identity, passphrase: str) -> bytes:
    algorithm = pkcs12.PBES.PBESv2SHA256AndAES256CBC
    encryption = form.PrivateFormat.PKCS12.encryption_builder().key_cert_algorithm(algorithm)
    return pkcs12.serialize_key_and_certificates(
        b"server", one.key, one.certificate, None, encryption.build(passphrase.encode())
    )


@pytest.mark.parametrize("how", ["PEM", "PEM without certificate", "encrypted PEM", "PKCS #12"])
def test_a_recipients_key_opens_it(server, how):
    one, words = recipient(), "a passphrase of the company's"
    content = {
        "PEM": pem(one),
        "PEM without certificate": pem(one).partition(b"-----BEGIN CERTIFICATE")[0],
        "encrypted PEM": pem(one, form.BestAvailableEncryption(words.encode())),
        "PKCS #12": a_p12(one, words),
    }[how]
    key(server, one, content=content)
    envelope(server, enclosed(LETTER))
    ended = server.run(*GIVEN, environment={"ARC_BUNDLER_ENVELOPE_PASSPHRASE": words}, watch=True)
    connected(server, ended)
    assert parameters(server)["service-principal-secret"] == CANARY
    nothing_left(server, ended, words.encode())
    assert f"{ENVELOPE} is no longer needed here" in ended.out
    assert "the secret came from the envelope" in str(receipt(server)["steps"])


@pytest.mark.parametrize(
    ("way", "strength"),
    [
        ("file", "compatible"),
        ("file from Windows", "modern"),
        ("stdin", "compatible"),
        ("variable", "modern"),
        ("variable", "compatible"),
        ("typed badly", "compatible"),
    ],
)
def test_a_passphrase_opens_it(server, way, strength):
    words = by_words(server, strength)
    arguments, more = (), {}
    if way.startswith("file"):
        text = f"\ufeff{words}\r\n" if way.endswith("Windows") else f"{words}\n"
        put(server / "root/words", text, 0o600)
        arguments = ("--passphrase-file", "/root/words")
    elif way == "variable":
        more = {"environment": {"ARC_BUNDLER_ENVELOPE_PASSPHRASE": words}}
    else:
        typed = f"  {words.title().replace(' ', '   ')} " if way == "typed badly" else words
        arguments, more = ("--passphrase-stdin",), {"stdin": typed.encode() + b"\n"}
    ended = server.run("--envelope", ENVELOPE, "--destroy-envelope", *arguments, watch=True, **more)
    connected(server, ended)
    (server / "root/words").unlink(missing_ok=True)
    assert parameters(server)["service-principal-secret"] == CANARY
    nothing_left(server, ended, words.encode(), words.title().encode())
    assert not (server / ENVELOPE).exists()
    assert not (server / f"{ENVELOPE}.p12").exists()


@pytest.mark.parametrize("kind", ["rsa2048", "p384"])
def test_whoever_sealed_the_bundle_by_whatever_key(server, kind):
    sealer = sealed.signer(kind, f"LAB {kind}")
    shutil.rmtree(server / "bundle")
    sealed.write(server / "bundle", replace(RECIPE, sealer=sealer))
    envelope(server, enclosed(LETTER, by=sealer))
    connected(server, server.run(*GIVEN))
    assert parameters(server)["service-principal-secret"] == CANARY


@pytest.mark.parametrize("which", ["one", "two", "three"])
def test_each_of_several_recipients_opens_it(server, which):
    everybody = [recipient(name, kind=kind) for name, kind in (("one", "rsa-2048"), ("two", "rsa-3072"))]
    everybody.append(recipient("three"))
    envelope(server, enclosed(LETTER, *everybody))
    key(server, next(one for name, one in zip(("one", "two", "three"), everybody, strict=True) if name == which))
    ended = server.run("--check", *GIVEN)
    assert ended.code == 0, ended.out


def test_an_access_token_arrives(server, signs_in):
    signs_in(sample.TOKEN)
    envelope(server, enclosed(replace(LETTER, kind="token", secret=b"cAn4ry." + b"ey" * 1500)))
    ended = server.run(*GIVEN, watch=True)
    connected(server, ended)
    assert parameters(server)["access-token"] == "cAn4ry." + "ey" * 1500
    nothing_left(server, ended)


@pytest.mark.parametrize("made", ["PEM", "PKCS #12"])
@pytest.mark.parametrize("named", ["", "/etc/arc/sp.pem"])
def test_a_certificate_arrives_and_is_gone_again(server, signs_in, made, named):
    signs_in(replace(sample.CERTIFICATE, certificate_file=named))
    content = b"-----BEGIN PRIVATE KEY-----\ncAn4ry\n" if made == "PEM" else b"0\x82\0\xff\ncAn4ry\0\n\n"
    envelope(server, enclosed(replace(LETTER, kind="certificate", secret=content)))
    ended = server.run(*GIVEN, watch=True)
    connected(server, ended)
    path = parameters(server)["service-principal-cert"]
    assert path.startswith("/run/arc-bundler-")
    assert path.endswith(".pem" if made == "PEM" else ".pfx")
    assert (server / "certificate").read_bytes() == content
    assert (server / "certificate-mode").read_text().startswith("-rw-------")
    (server / "certificate").unlink()
    nothing_left(server, ended)


def test_check_opens_it_and_changes_nothing(server):
    envelope(server, enclosed(LETTER))
    before = server.files()
    ended = server.run("--check", *GIVEN)
    assert ended.code == 0, ended.out
    assert server.files() == before


def test_a_second_run_needs_no_envelope_and_destroys_it(server):
    words = by_words(server)
    assert server.run("--envelope", ENVELOPE, "--passphrase-stdin", stdin=words.encode()).code == 0
    ended = server.run("--envelope", ENVELOPE, "--destroy-envelope")
    assert ended.code == 0, ended.out
    assert not (server / ENVELOPE).exists()
    assert not (server / f"{ENVELOPE}.p12").exists()


def test_the_servers_own_key_is_never_destroyed(server):
    envelope(server, enclosed(LETTER))
    assert server.run(*GIVEN, "--destroy-envelope").code == 0
    assert not (server / ENVELOPE).exists()
    assert (server / "root/server.key").read_bytes() == pem(recipient())


def test_no_child_is_started_with_it_in_its_environment(server):
    """Every program notes what it was given, openssl too; even where the environment has the script's own names."""
    shutil.move(server / "bin/openssl", server / "stand-in/openssl")
    put(server / "stand-in/note", '#!/bin/bash\n{ export -p; printf "%s\\n" "$@"; } >>/children\n'
        '[[ ${0##*/} != openssl ]] || exec /stand-in/openssl "$@"\nexec /bin/busybox "${0##*/}" "$@"\n')  # fmt: skip
    for path in (server / "bin").iterdir():
        if path.is_symlink():
            path.unlink()
            path.symlink_to("/stand-in/note")
    (server / "bin/openssl").symlink_to("/stand-in/note")
    words = by_words(server)
    names = ("SECRET", "PASSPHRASE", "KEY", "LETTER", "held", "again", "plain", "rest", "line", "HEX")
    names += ("value", "part", "parts", "unit", "own", "found", "pattern", "HIDDEN", "HELD", "FILLED", "ways", "all")
    environment = {**dict.fromkeys(names, "x"), "ARC_BUNDLER_ENVELOPE_PASSPHRASE": words}
    ended = server.run("--envelope", ENVELOPE, environment=environment)
    connected(server, ended)
    noted = (server / "children").read_text(errors="replace")
    assert "pkcs12" in noted
    for mark in (words, "cAn4ry", "PRIVATE KEY", "arc-bundler envelope 1\n"):
        assert mark not in noted


# ---- In a folder in which another user can write ----


@pytest.mark.parametrize("named", ["", "content of another file"])
def test_no_other_file_is_overwritten_through_a_hard_link(server, named):
    envelope(server, enclosed(LETTER))
    if named:
        # At the end another file has the envelope's name.
        exchange = f"[[ $1 != connect ]] || {{ rm {ENVELOPE}; ln /precious {ENVELOPE}; }}\nexec "
        put(server / "stand-in/wrapper", NOTING.replace("exec ", exchange))
        put(server / "precious", named)
    else:
        os.link(server / ENVELOPE, server / "precious")
    before = (server / "precious").read_bytes()
    ended = server.run(*GIVEN, "--destroy-envelope")
    connected(server, ended)
    assert not (server / ENVELOPE).exists()
    assert (server / "precious").read_bytes() == before
    assert f"WARNING: {ENVELOPE} had another name (a hard link)" in ended.out


def test_an_envelope_with_one_name_is_overwritten(server):
    envelope(server, enclosed(LETTER))
    os.mknod(server / "dev/zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    (server / "bin/rm").unlink()
    look = f'[[ " $* " != *" {ENVELOPE} "* ]] || cp {ENVELOPE} /seen-last\n'
    put(server / "bin/rm", f'#!/bin/bash\n{look}exec /bin/busybox rm "$@"\n')
    ended = server.run(*GIVEN, "--destroy-envelope")
    connected(server, ended)
    last = (server / "seen-last").read_bytes()
    assert len(last) > 500
    assert set(last) == {0}
    assert "had another name" not in ended.out


def test_an_envelope_is_read_once(server):
    """Another good one that takes its place when it has been looked at is not opened."""
    envelope(server, enclosed(LETTER))
    put(server / "another", "", 0o600)
    (server / "another").write_bytes(enclosed(replace(LETTER, secret=b"another-secret")))
    (server / "bin/od").unlink()
    put(server / "bin/od", f'#!/bin/bash\ncp /another {ENVELOPE}\nexec /bin/busybox od "$@"\n')
    connected(server, server.run(*GIVEN))
    assert parameters(server)["service-principal-secret"] == CANARY


# ---- What is refused ----

EXPIRED = replace(LETTER, expires=NOW - timedelta(minutes=1))
STRANGER = sealed.signer("p256", "LAB envelope stranger")
OTHER = recipient("other")


@dataclass(frozen=True)
class SameName:
    """Whose certificate looks like the sealer's, and is not."""

    certificates: tuple[x509.Certificate, ...] = (sealed.impostor(SEALER, "LAB envelope impostor"),)
    algorithm: str = "rsa-sha256"

    def sign(self, content: bytes) -> bytes:
        signer = replace(SEALER, kind="rsa2048", private=sealed.private_key("rsa2048", "LAB envelope impostor"))
        return signer.sign(content)


def resent() -> bytes:
    """The sealer's letter to somebody else, who put it into an envelope for this server."""
    from cryptography.hazmat.primitives.ciphers import algorithms
    from cryptography.hazmat.primitives.serialization import Encoding

    text = LETTER.text([OTHER.certificate])
    signed = cms.encode(SEALER.certificates[:1], SEALER.algorithm, SEALER.sign(text), content=text)
    builder = form.pkcs7.PKCS7EnvelopeBuilder().set_data(signed).add_recipient(recipient().certificate)
    builder = builder.set_content_encryption_algorithm(algorithms.AES256)
    return builder.encrypt(Encoding.DER, [form.pkcs7.PKCS7Options.Binary])


REFUSED = {
    "expired": (lambda: enclosed(EXPIRED), "the envelope expired on"),
    "other bundle": (lambda: enclosed(replace(LETTER, bundle="arc-osaka")), "is for the bundle arc-osaka"),
    "other recipient": (lambda: enclosed(LETTER, OTHER), "is for another recipient than"),
    "other signer": (lambda: enclosed(LETTER, by=STRANGER), "is not signed by the bundle's sealer"),
    "a signer of the same name": (lambda: enclosed(LETTER, by=SameName()), "is not signed by the bundle's sealer"),
    "sent on": (resent, "is for other recipients: it was moved into another envelope"),
    "wrong kind": (lambda: enclosed(replace(LETTER, kind="token")), "holds a token, and this bundle signs in with"),
    "two lines": (lambda: enclosed(replace(LETTER, secret=b"cAn4ry\nx")), "the secret has more than one line"),
    "no text": (lambda: enclosed(replace(LETTER, secret=b"cAn4ry\0x")), "the secret in the envelope is not text"),
    "truncated": (lambda: enclosed(LETTER)[:-1], "is not an envelope, or is incomplete"),
    "one byte more": (lambda: enclosed(LETTER) + b"\n", "is not an envelope, or is incomplete"),
    "a page": (lambda: b"<!DOCTYPE html>\n<title>Sign in</title>\n", "is not an envelope, or is incomplete"),
    "empty": (lambda: b"", "is not an envelope, or is incomplete"),
    "huge": (lambda: b"0" * (1 << 20) + b"x", "is not an envelope, or is incomplete"),
}


@pytest.mark.parametrize(("made", "why"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_before_anything_is_touched(server, made, why):
    envelope(server, made())
    refused(server, why)
    assert receipt(server)["code"] == 203


def test_a_bundle_that_nobody_sealed_believes_no_envelope(server):
    shutil.rmtree(server / "bundle")
    sealed.write(server / "bundle", replace(RECIPE, sealer=None))
    envelope(server, enclosed(LETTER))
    refused(server, "this bundle is not sealed, so envelopes cannot be verified")


def test_a_wrong_passphrase(server):
    words = by_words(server)
    given = ("--envelope", ENVELOPE, "--passphrase-stdin")
    for wrong, why in ((f"{words} x", "does not open"), ("", "the passphrase is empty")):
        refused(server, why, *given, stdin=wrong.encode() + b"\n")
    refused(server, "no file, no variable, and no terminal", "--envelope", ENVELOPE)
    refused(server, "cannot be read", "--envelope", ENVELOPE, "--passphrase-file", "/root/none")
    ended = refused(server, "does not open", "--envelope", ENVELOPE,
                    environment={"ARC_BUNDLER_ENVELOPE_PASSPHRASE": "hunter2-hunter2"})  # fmt: skip
    assert "hunter2" not in ended.out
    assert [path for path, content in server.files().items() if b"hunter2" in content] == []


def test_without_openssl(server):
    """gpgv believes the OpenPGP seal there, and no envelope."""
    server.add("gpgv")
    shutil.rmtree(server / "bundle")
    sealed.write(server / "bundle", replace(RECIPE, openpgp=sealed.OpenPgp()))
    (server / "bin/openssl").unlink()
    envelope(server, enclosed(LETTER))
    refused(server, "openssl is missing, which opens envelopes: install it (package openssl)")


def test_without_its_key(server):
    envelope(server, enclosed(LETTER))
    refused(server, "the key that opens the envelope is missing", "--envelope", ENVELOPE)
    refused(server, "key /root/none cannot be read", "--envelope", ENVELOPE, "--recipient-key", "/root/none")
    put(server / "root/server.key", "no key at all\n", 0o600)
    refused(
        server, "does not open /root/server.key, or that file is not a key", *GIVEN, "--passphrase-stdin", stdin=b"x\n"
    )
    put(server / "root/server.key", recipient().certificate.public_bytes(form.Encoding.PEM).decode(), 0o600)
    refused(server, "or it is not for /root/server.key", *GIVEN)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--destroy-envelope",),
        ("--passphrase-stdin",),
        ("--recipient-key", "/root/server.key"),
        ("--envelope",),
        (*GIVEN, "--secret-stdin"),
        (*GIVEN, "--passphrase-stdin", "--passphrase-file", "/root/words"),
    ],
)
def test_a_wrong_call_is_told(server, arguments):
    assert server.run(*arguments).code == 205


# Opens each file, as main would, and says what became of it.
OPEN_ALL = """
for ENVELOPE in /tampered/*; do
    [[ -z ${SCRATCH:-} ]] || rm -f -- "$SCRATCH/envelope"
    SECRET_PROBLEM='' SECRET='' RECIPIENT_KEY=/root/server.key
    ! open_envelope || SECRET_PROBLEM=opened
    printf '%s %s\\n' "${ENVELOPE##*/}" "$SECRET_PROBLEM"
done
rm -rf -- "$SCRATCH"
"""


def test_no_byte_of_it_can_be_changed(server):
    whole = enclosed(LETTER)
    wrapped = whole.index(bytes.fromhex("300d06092a864886f70d0101010500")) + 15
    content = whole.index(bytes.fromhex("060960864801650304012a"))
    # All but the wrapped key and what it encrypts; of those 60 places.
    header = [*range(wrapped + 4), *range(wrapped + 4 + 256, content + 33)]
    assert b"server" in bytes(whole[at] for at in header)
    chosen = random.Random(20261124)
    inside = [*chosen.sample(sorted({*range(len(whole))} - {*header}), 58), len(whole) - 1, len(whole) - 17]
    (server / "tampered").mkdir()
    for at in (*header, *inside):
        changed = bytes([whole[at] ^ chosen.randint(1, 255)])
        (server / f"tampered/{at:05}").write_bytes(whole[:at] + changed + whole[at + 1 :])
    (server / "tampered/whole").write_bytes(whole)
    script = (server / "bundle/install.sh").read_text()
    assert script.count('\nmain "$@"; exit\n') == 1
    put(server / "bundle/each.sh", script.replace('\nmain "$@"; exit\n', f"\n{OPEN_ALL}exit\n"))
    ended = server.run(script="each.sh")
    said = dict(line.split(" ", 1) for line in ended.out.splitlines())
    assert len(said) == len({*header, *inside}) + 1
    assert [place for place, answer in said.items() if answer == "opened"] == ["whole"]
    whys = ("is not an envelope, or is incomplete", "is for another recipient", "has changed since it was made",
            "is not signed by the bundle's sealer", "unknown content")  # fmt: skip
    unexplained = {place: answer for place, answer in said.items() if not any(why in answer for why in whys)}
    assert unexplained == {"whole": "opened"}


# ---- Killed ----


@pytest.mark.parametrize("kind", ["secret", "certificate"])
@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_while_connecting_it_was_never_on_a_disk(server, signs_in, which, kind):
    put(server / "stand-in/wrapper", small_root.WRAPPER)
    if kind == "certificate":
        signs_in(replace(sample.CERTIFICATE, certificate_file=""))
    envelope(server, enclosed(replace(LETTER, kind=kind)))
    (server / "slow").touch()
    process = server.start(*GIVEN)
    until = time.monotonic() + 30
    while not (server / "connecting").exists():
        assert process.poll() is None, process.stdout.read().decode()
        assert time.monotonic() < until
        time.sleep(0.02)
    holding = [path for path, content in server.files().items() if MARK in content]
    assert holding
    assert all(path.startswith("run/arc-bundler-") for path in holding)
    os.killpg(process.pid, which)
    process.wait(30)
    process.stdout.close()
    left = [path for path, content in server.files().items() if MARK in content]
    if which == signal.SIGTERM:
        assert process.returncode == 207
        assert left == []
    assert all(path.startswith("run/arc-bundler-") for path in left)
    (server / "slow").unlink()
    ended = server.run(*GIVEN)
    connected(server, ended)
    assert [path for path, content in server.files().items() if MARK in content] == []
    for folder in ("run", "var/tmp", "tmp"):
        assert list((server / folder).glob("arc-bundler*")) == []
