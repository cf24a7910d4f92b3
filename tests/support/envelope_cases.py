"""One table of envelopes and of what a server says to each, for install.sh and install.ps1: they never disagree.

Every envelope is opened by the functions of the script itself, as it stands in a bundle, many in one process.
"""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from asn1crypto import cms as asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs7, pkcs12

from bundler.formats import cms
from bundler.render import quoting
from bundler.render.runtime import END
from bundler.signing import ephemeral_recipient
from bundler.signing.envelope import EnvelopePayload, encrypt
from bundler.signing.signing_key import SigningKey
from tests.support import sample_bundles as sample
from tests.support import sealed_bundles as sealed
from tests.support.sealers import NOW, Identity, recipient

BUNDLE = "arc-tokyo"
SECRET = "cAn4ry-$(touch /pwned)`x`'\"\\ 秘密"
MARK = b"cAn4ry"
PASSPHRASE = "it's a \"company's\" $(touch /pwned) pässword"
WORDS = ephemeral_recipient.words(bytes(range(11)))
PEM = b"-----BEGIN PRIVATE KEY-----\ncAn4ry\n-----END PRIVATE KEY-----\n"

SEALER = sealed.signer("p256")
STRANGER = sealed.signer("p256", "a stranger")
CERTIFIED = replace(sample.CERTIFICATE, certificate_file="")

SCRIPTS = {
    "sealed": sealed.Recipe(sealer=SEALER),
    "by RSA": sealed.Recipe(sealer=sealed.signer("rsa2048")),
    "by P-384": sealed.Recipe(sealer=sealed.signer("p384", "LAB third sealer")),
    "by nobody": sealed.Recipe(),
    "token": sealed.Recipe(sealer=SEALER, parameters=sample.TOKEN),
    "certificate": sealed.Recipe(sealer=SEALER, parameters=CERTIFIED),
}
"""Bundles, whose scripts are asked."""


def letter(**changes: object) -> EnvelopePayload:
    usual = EnvelopePayload(bundle=BUNDLE, kind="secret", expires=NOW + timedelta(days=7), secret=SECRET.encode())
    return replace(usual, **changes)


def server(name: str = "server", kind: str = "rsa-2048") -> Identity:
    return recipient(name, kind=kind)


def p12(one: Identity, passphrase: str = PASSPHRASE) -> bytes:
    """As every Windows exports it: 3DES and SHA-1."""
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2000).hmac_hash(hashes.SHA1())
    encryption = builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).build(passphrase.encode())
    return pkcs12.serialize_key_and_certificates(b"server", one.key, one.certificate, None, encryption)


@dataclass(frozen=True)
class Given:
    """What stands beside a script."""

    envelope: bytes
    key: bytes
    passphrase: str = PASSPHRASE


@dataclass(frozen=True)
class Row:
    """A case; ``says`` is a part of the sentence, empty where it opens."""

    make: Callable[[], Given]
    says: str = ""
    script: str = "sealed"
    opens: str = SECRET


def to(
    *names: str,
    by: SigningKey = SEALER,
    own: int = 0,
    passphrase: str = PASSPHRASE,
    key: str = "rsa-2048",
    **changes,
) -> Given:
    """An envelope for these servers, and the key of one of them."""
    servers = [server(name, key) for name in names or ("server",)]
    closed = encrypt(letter(**changes), [one.certificate for one in servers], by)
    return Given(closed, p12(servers[own]), passphrase)


def by_passphrase(strength: ephemeral_recipient.Strength = "compatible", said: str = " ".join(WORDS)) -> Given:
    made = ephemeral_recipient.make(
        BUNDLE, random=bytes(range(11)), at=NOW, until=NOW + timedelta(days=7), strength=strength
    )
    return Given(encrypt(letter(), [made.certificate], SEALER), made.pkcs12, said)


def forwarded() -> Given:
    """The sealer's letter to one server, put by that server into an envelope for another one."""
    own, other = server("the first"), server("the second")
    text = letter().text([own.certificate])
    return Given(
        _closed(cms.encode(SEALER.certificates, SEALER.algorithm, SEALER.sign(text), content=text), other), p12(other)
    )


def unsigned(content: bytes) -> Given:
    own = server()
    return Given(_closed(content, own), p12(own))


def not_a_letter(text: bytes) -> Given:
    """What the sealer signed, and is no letter."""
    return unsigned(cms.encode(SEALER.certificates, SEALER.algorithm, SEALER.sign(text), content=text))


def _closed(content: bytes, own: Identity) -> bytes:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(content).set_content_encryption_algorithm(algorithms.AES256)
    return builder.add_recipient(own.certificate).encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def changed(how: Callable[[bytes], bytes]) -> Callable[[], Given]:
    def make() -> Given:
        good = to()
        return replace(good, envelope=how(good.envelope))

    return make


def twice_signed() -> Given:
    """Two signers, both the sealer: openssl and .NET would take either."""
    text = letter().text([server().certificate])
    one = cms.encode(SEALER.certificates, SEALER.algorithm, SEALER.sign(text), content=text)
    parsed = asn1.ContentInfo.load(one)
    infos = parsed["content"]["signer_infos"]
    infos.append(infos[0])
    return unsigned(parsed.dump(force=True))


ELSEWHERE = "has changed since it was made"
NO_ENVELOPE = "is not an envelope, or is incomplete"
CHANGED = (
    f"ENVELOPE {NO_ENVELOPE}",
    "the envelope is for another recipient than ENVELOPE.p12",
    f"the envelope {ELSEWHERE}, or it is not for ENVELOPE.p12",
    # Its key is whole, and its certificate is not.
    "the envelope is not signed by the bundle's sealer",
)
"""What is said of one that somebody changed, by where they did."""

ROWS = {
    "for a certificate": Row(to),
    "for RSA 3072": Row(lambda: to("large", key="rsa-3072")),
    "for the last of three": Row(lambda: to("one", "two", "three", own=2)),
    "for words": Row(by_passphrase),
    "for words, with AES": Row(lambda: by_passphrase("modern")),
    "for words, typed from paper": Row(lambda: by_passphrase(said=f"  {'   '.join(WORDS).title()} ")),
    "by RSA": Row(lambda: to(by=SCRIPTS["by RSA"].sealer), script="by RSA"),
    "by P-384": Row(lambda: to(by=SCRIPTS["by P-384"].sealer), script="by P-384"),
    "a token": Row(lambda: to(kind="token"), script="token"),
    "a certificate": Row(lambda: to(kind="certificate", secret=PEM), script="certificate", opens=PEM.decode()),
    "expired": Row(lambda: to(expires=NOW - timedelta(minutes=1)), "the envelope expired on"),
    "for another bundle": Row(lambda: to(bundle="arc-osaka"), "is for the bundle arc-osaka"),
    "for another server": Row(lambda: replace(to(), key=p12(server("another"))), "is for another recipient"),
    "by somebody else": Row(lambda: to(by=STRANGER), f"has the fingerprint {STRANGER.fingerprint}"),
    "by somebody else, RSA": Row(lambda: to(by=sealed.signer("rsa2048")), "not signed by the bundle's sealer"),
    "by nobody": Row(lambda: unsigned(letter().text([server().certificate])), ELSEWHERE),
    "signed twice": Row(twice_signed, "does not have exactly one signer"),
    "put on to another server": Row(forwarded, "for other recipients"),
    "no letter": Row(lambda: not_a_letter(b"Dear server,\nthe secret is x\n"), "unknown content"),
    "a letter of a later form": Row(
        lambda: not_a_letter(letter().text([server().certificate]) + b"colour: red\n"), "unknown content"
    ),
    "a token for a secret": Row(lambda: to(kind="token"), "holds a token, and this bundle signs in with"),
    "a secret for a certificate": Row(to, "holds a secret", script="certificate"),
    "a bundle without seal": Row(to, "this bundle is not sealed", script="by nobody"),
    "another passphrase": Row(lambda: to(passphrase="wrong"), "passphrase does not open"),
    "another passphrase, words": Row(lambda: by_passphrase(said="zoo " * 8), "passphrase does not open"),
    "no passphrase": Row(lambda: to(passphrase=""), "passphrase is empty"),
    "no key": Row(lambda: replace(to(), key=b"not a key"), "passphrase does not open"),
    "a secret of two lines": Row(lambda: to(secret=b"one\ntwo"), "more than one line"),
    "an empty file": Row(changed(lambda _: b""), NO_ENVELOPE),
    "a page": Row(changed(lambda _: b"<html><body>Sign in to continue</body></html>"), NO_ENVELOPE),
    "half of it": Row(changed(lambda good: good[: len(good) // 2]), NO_ENVELOPE),
    "all but the last byte": Row(changed(lambda good: good[:-1]), NO_ENVELOPE),
    "a byte more": Row(changed(lambda good: good + b"\0"), NO_ENVELOPE),
    "twice": Row(changed(lambda good: good * 2), NO_ENVELOPE),
    "a seal": Row(changed(lambda _: cms.encode(SEALER.certificates, SEALER.algorithm, SEALER.sign(b""))), NO_ENVELOPE),
    "large": Row(changed(lambda good: good + bytes(1 << 20)), NO_ENVELOPE),
}


def tampered(count: int, seed: int = 6) -> Iterator[Given]:
    """The same envelope with one byte changed, at random places."""
    good, dice = to(), random.Random(seed)
    for place in dice.sample(range(len(good.envelope)), count):
        content = bytearray(good.envelope)
        content[place] ^= dice.randrange(1, 256)
        yield replace(good, envelope=bytes(content))


@dataclass(frozen=True)
class Answer:
    opened: bool
    said: str
    """The secret, or why not, in install.sh's words."""


def lay(folder: Path, all_given: Iterable[Given]) -> list[Path]:
    """Envelopes with their keys and passphrases beside them."""
    laid = []
    for at, given in enumerate(all_given):
        path = folder / f"{at}.envelope"
        path.write_bytes(given.envelope)
        path.with_name(f"{path.name}.p12").write_bytes(given.key)
        path.with_name(f"{path.name}.words").write_text(given.passphrase + "\n", encoding="utf-8")
        laid.append(path)
    return laid


def _answers(said: str) -> list[Answer]:
    found = re.findall(r"<<(open|shut)\|(.*?)\|>>\n", said, re.DOTALL)
    return [Answer(word == "open", text) for word, text in found]


_BASH = """
trap - EXIT
for ENVELOPE in "$@"; do
    [[ -z ${SCRATCH:-} ]] || rm -f -- "$SCRATCH/envelope"
    RECIPIENT_KEY='' PASSPHRASE_FILE=$ENVELOPE.words CERTIFICATE='' SECRET='' SECRET_PROBLEM=''
    if open_envelope; then
        [[ -z $CERTIFICATE ]] || SECRET=$(printf '%s' "$CERTIFICATE" | base64 -d; echo .)
        [[ -z $CERTIFICATE ]] || SECRET=${SECRET%.}
        printf '<<open|%s|>>\\n' "$SECRET"
    else
        printf '<<shut|%s|>>\\n' "${SECRET_PROBLEM//"$ENVELOPE"/ENVELOPE}"
    fi
done
rm -rf -- "$SCRATCH"
"""


def ask_bash(bash: str, script: str, folder: Path, envelopes: list[Path]) -> list[Answer]:
    """What install.sh of the bundle ``script`` makes of them."""
    text = sealed.contents(SCRIPTS[script])["install.sh"].decode()
    head, main, _ = text.rpartition('main "$@"')
    assert main
    file = folder / "ask.sh"
    file.write_text(f"{head}{_BASH}{END}\n")
    done = subprocess.run([bash, file, *envelopes], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert MARK not in done.stderr
    return _answers(done.stdout.decode())


_POWERSHELL = """
foreach ($Envelope in @(%s)) {
    $RecipientKey = ''
    $PassphraseFile = $Envelope + '.words'
    $script:EnvelopeHeld = [byte[]]@()
    $script:Certificate = $null
    $script:Message = ''
    try {
        Open-Envelope
        $text = $script:Secret
        if ($null -ne $script:Certificate) { $text = $script:Utf8.GetString($script:Certificate) }
        [Console]::Out.Write('<<open|' + $text + "|>>`n")
    } catch {
        if (-not $script:Stopped) { throw }
        [Console]::Out.Write('<<shut|' + $script:Message.Replace($Envelope, 'ENVELOPE') + "|>>`n")
    }
}
"""


def ask_powershell(powershell: str, script: str, folder: Path, envelopes: list[Path]) -> list[Answer]:
    """What install.ps1 makes of them, in install.sh's words."""
    text = sealed.contents(SCRIPTS[script])["install.ps1"].decode("utf-8-sig")
    head, main, _ = text.rpartition("if ($Help) {")
    assert main
    listed = ", ".join(quoting.powershell(str(path)) for path in envelopes)
    file = folder / "ask.ps1"
    file.write_text(f"\ufeff{head}{_POWERSHELL % listed}{END}\n", encoding="utf-8")
    done = subprocess.run(
        [powershell, "-NoProfile", "-NonInteractive", "-File", file],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    said = done.stdout.decode()
    assert done.returncode == 0, said + done.stderr.decode()
    words = {"-SecretFile": "--secret-file"}
    for name, instead in words.items():
        said = said.replace(f" {name}", f" {instead}")
    return _answers(said)
