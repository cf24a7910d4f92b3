"""Signatures of scripts: other tools verify them, and no byte of a signed script can be changed."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from bundler.errors import SigningError, VerificationError
from bundler.formats import authenticode as der
from bundler.formats import powershell_signature as block
from bundler.lab import authenticode_signer
from bundler.lab.authority import Chain
from bundler.lab.authority import Identity as LabIdentity
from bundler.signing import authenticode_writer as writing
from bundler.signing import keys, script_signature
from bundler.signing.signing_key import SigningKey
from bundler.trust.public_key import digest_of
from tests.support.sealers import NOW, Identity, identity

KINDS = ["rsa-2048", "rsa-3072", "p-256", "p-384"]
SCRIPT = b"# a script of the tests\r\nWrite-Host 'it ran'\r\nexit 7\r\n"

osslsigncode = pytest.mark.skipif(
    not shutil.which("osslsigncode"), reason="osslsigncode is not installed (apt install osslsigncode)"
)


def key_of(made: Identity, folder: Path, *issuers: Identity) -> SigningKey:
    key, certificate = made.write(folder, "scripts")
    with certificate.open("ab") as file:
        file.writelines(one.certificate.public_bytes(serialization.Encoding.PEM) for one in issuers)
    return keys.read(key, certificate, lambda: "", warn=lambda _: None)


def refused(script: bytes, by: Identity, *, at=NOW) -> str:
    """Why our verifier refuses ``script``; empty where it does not."""
    try:
        script_signature.require_signed(script, by.sha256, at=at)
    except VerificationError as error:
        return error.reason
    return ""


def osslsigncode_verifies(script: bytes, root: Identity, folder: Path) -> bool:
    root.write(folder, "root")
    (folder / "script.ps1").write_bytes(script)
    told = subprocess.run(
        ["osslsigncode", "verify", "-CAfile", "root.pem", "script.ps1"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return told.returncode == 0 and "Signature verification: ok" in told.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_signed_script_verifies_by_its_certificate_alone(tmp_path: Path, kind: str) -> None:
    signer, stranger = identity("scripts", kind=kind), identity("stranger", kind=kind)
    signed = script_signature.sign(SCRIPT, key_of(signer, tmp_path), at=NOW)
    assert refused(signed, signer) == ""
    assert refused(signed, stranger) == "wrong-publisher"
    assert refused(SCRIPT, signer) == "unsigned"
    assert refused(signed, signer, at=NOW + timedelta(days=366)) == "certificate-expired"
    added = signed.removeprefix(SCRIPT)
    assert signed.startswith(SCRIPT)
    assert added.startswith(b"\r\n# SIG # Begin signature block\r\n# ")
    assert added.endswith(b"\r\n# SIG # End signature block\r\n")
    assert all(line.startswith("# ") and len(line) <= 66 for line in added.decode("ascii").split("\r\n")[1:-1])


@osslsigncode
@pytest.mark.parametrize("kind", KINDS)
def test_osslsigncode_verifies_it_and_refuses_changed_scripts(tmp_path: Path, kind: str) -> None:
    root = identity("root", kind=kind, authority=True, purposes=())
    signer = identity("scripts", kind=kind, issuer=root)
    signed = script_signature.sign(SCRIPT, key_of(signer, tmp_path, root), at=NOW)
    assert osslsigncode_verifies(signed, root, tmp_path)
    assert not osslsigncode_verifies(signed, identity("another", authority=True, purposes=()), tmp_path)
    for at in (0, 30, len(SCRIPT) - 1):
        assert not osslsigncode_verifies(flipped(signed, at), root, tmp_path)


def flipped(content: bytes, at: int, bit: int = 1) -> bytes:
    return content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :]


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256"])
def test_one_changed_byte_anywhere_is_refused(tmp_path: Path, kind: str) -> None:
    signer = identity("scripts", kind=kind)
    key = key_of(signer, tmp_path)
    signed = script_signature.sign(SCRIPT, key, at=NOW)
    random = Random(6)
    for at in range(len(signed)):
        changed = flipped(signed, at, 1 << random.randrange(8))
        assert not script_signature.is_signed_by(changed, SCRIPT, key, at=NOW), at
        assert refused(changed, signer), at


@pytest.mark.parametrize("kind", KINDS)
def test_other_refused_input(tmp_path: Path, kind: str) -> None:
    signer = identity("scripts", kind=kind)
    key = key_of(signer, tmp_path)
    signed = script_signature.sign(SCRIPT, key, at=NOW)
    assert refused(signed.replace(b"\r\n", b"\n"), signer) == "line-endings"
    assert refused(signed + b"Remove-Item C:\\\r\n", signer) == "trailing-data"
    assert refused(signed + b"\r\n", signer) == "trailing-data"
    assert refused(b"exit 1\r\n" + signed, signer) == "digest-mismatch"
    assert refused(b"\xef\xbb\xbf" + signed, signer) == "digest-mismatch"
    assert refused(signed[:-40], signer) == "truncated"
    assert refused(signed.removeprefix(SCRIPT[:10]), signer) == "digest-mismatch"
    other = script_signature.sign(b"exit 0\r\n", key, at=NOW)
    assert refused(SCRIPT + other.removeprefix(b"exit 0\r\n"), signer) == "digest-mismatch"
    with pytest.raises(SigningError, match="signed already"):
        script_signature.sign(signed, key, at=NOW)


def test_line_ends_count(tmp_path: Path) -> None:
    """Whatever the line ends of a script are, changing them is seen."""
    signer = identity("scripts")
    bare = SCRIPT.replace(b"\r\n", b"\n")
    signed = script_signature.sign(bare, key_of(signer, tmp_path), at=NOW)
    assert refused(signed, signer) == ""
    assert refused(SCRIPT + signed.removeprefix(bare), signer) == "digest-mismatch"


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_key_and_script_give_the_same_bytes(tmp_path: Path, kind: str) -> None:
    key = key_of(identity("scripts", kind=kind), tmp_path)
    assert script_signature.sign(SCRIPT, key, at=NOW) == script_signature.sign(SCRIPT, key, at=NOW + timedelta(hours=1))


def test_a_key_that_draws_at_random_is_recognised(tmp_path: Path) -> None:
    made = identity("scripts", kind="p-256")
    key = key_of(made, tmp_path)

    class Token:
        certificates, algorithm = key.certificates, key.algorithm

        def sign(self, content: bytes) -> bytes:
            return made.key.sign(content, ec.ECDSA(digest_of(self.algorithm)))

    first, second = (script_signature.sign(SCRIPT, Token(), at=NOW) for _ in range(2))
    assert first != second
    assert all(script_signature.is_signed_by(one, SCRIPT, Token(), at=NOW) for one in (first, second))
    assert not script_signature.is_signed_by(first, SCRIPT + b"exit\r\n", Token(), at=NOW)
    assert not script_signature.is_signed_by(first, SCRIPT, key_of(identity("other"), tmp_path), at=NOW)
    assert not script_signature.is_signed_by(SCRIPT, SCRIPT, Token(), at=NOW)


def test_the_issuers_travel_and_the_root_does_not(tmp_path: Path) -> None:
    root = identity("root", authority=True, purposes=())
    issuer = identity("issuer", authority=True, purposes=(), issuer=root)
    signer = identity("scripts", issuer=issuer)
    signed = script_signature.sign(SCRIPT, key_of(signer, tmp_path, issuer, root), at=NOW)
    held = der.read_signature(block.SignedScript(io.BytesIO(signed)).pkcs7).certificates
    assert held == tuple(writing.encoded([signer.certificate, issuer.certificate]))


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ({"purposes": (ExtendedKeyUsageOID.EMAIL_PROTECTION,)}, "not issued for this purpose"),
        ({"purposes": ()}, "not issued for this purpose"),
        ({"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)}, "extended key usage"),
        ({"authority": True}, "CAs sign no files"),
        ({"signs": False}, "digitalSignature"),
        ({"ends": NOW - timedelta(hours=1)}, "valid until"),
        ({"starts": NOW + timedelta(hours=1)}, "valid from"),
    ],
)
def test_a_certificate_that_may_not_sign_scripts_signs_none(
    tmp_path: Path, certificate: dict[str, object], said: str
) -> None:
    key = key_of(identity(said, **certificate), tmp_path)
    with pytest.raises(SigningError, match="is not valid for signing scripts") as raised:
        script_signature.sign(SCRIPT, key, at=NOW)
    assert said in " ".join(raised.value.details)
    assert raised.value.do


def test_a_signature_that_carries_more_than_it_protects_is_refused() -> None:
    """Timestamps and signatures beside the first: ours have none, and nothing says that they belong there."""
    signer = identity("scripts", kind="rsa-2048")
    lab = LabIdentity(signer.certificate, signer.key)
    how = authenticode_signer.Signing(Chain(lab, (), lab))
    plain = authenticode_signer.sign_ps1(SCRIPT, how)
    assert refused(plain, signer) == ""
    digest = block.text_digest(SCRIPT.decode(), "sha256")
    nested = authenticode_signer.signature("ps1", digest, how)
    for outer in (how, replace(how, digest="sha1")):
        outer_digest = block.text_digest(SCRIPT.decode(), outer.digest)
        both = authenticode_signer.signature("ps1", outer_digest, outer, [(der.NESTED_SIGNATURE, nested)])
        assert refused(block.with_block(SCRIPT, both), signer) == "unknown-attribute"
    stamped = replace(how, stamp=authenticode_signer.Stamp(how.chain, NOW))
    assert refused(authenticode_signer.sign_ps1(SCRIPT, stamped), signer) == "unknown-attribute"
    assert refused(authenticode_signer.sign_ps1(SCRIPT, replace(how, digest="sha1")), signer) == "weak-digest"
