"""Files signed by osslsigncode verify here, and files signed here verify with osslsigncode."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from bundler.errors import VerificationError
from bundler.formats import msi
from bundler.lab import authenticode_signer
from bundler.lab.authority import Identity
from tests.support.authenticode_material import (
    DAY,
    NOW,
    anchors,
    msi_again,
    msi_parts,
    ps1,
    reissued,
    signer,
    signing,
    stamp,
    stamper,
    verify,
)

pytestmark = pytest.mark.skipif(
    not shutil.which("osslsigncode"), reason="osslsigncode is not installed (apt install osslsigncode)"
)

WIX = """<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="*" Name="LAB agent" Language="1033" Version="1.60.2.3" Manufacturer="LAB"
 UpgradeCode="12345678-1234-1234-1234-123456789012"><Package InstallerVersion="500" Compressed="yes"/>
<Media Id="1" Cabinet="agent.cab" EmbedCab="yes"/><Directory Id="TARGETDIR" Name="SourceDir">
<Directory Id="ProgramFiles64Folder"><Component Id="C" Guid="12345678-1234-1234-1234-123456789013">
<File Id="F" Name="agent.bin" Source="agent.bin" KeyPath="yes"/></Component></Directory></Directory>
<Feature Id="A" Level="1"><ComponentRef Id="C"/></Feature></Product></Wix>"""
AGENT = Path(__file__).parents[2] / "bundler/lab/agents/azcmagent.exe"


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A folder with all certificates and keys, and a plain file of every kind."""
    folder = tmp_path_factory.mktemp("osslsigncode")
    expired = reissued(signer(), since=NOW - 300 * DAY, until=NOW - 100 * DAY)
    for name, identity in {
        "leaf": signer().leaf,
        "pca": signer().intermediates[0],
        "root": signer().root,
        "tsa": stamper().leaf,
        "tsa-root": stamper().root,
        "expired": expired.leaf,
    }.items():
        _write(folder, name, identity)
    (folder / "plain.exe").write_bytes(AGENT.read_bytes())
    (folder / "plain.ps1").write_bytes(ps1())
    if shutil.which("wixl"):
        (folder / "agent.wxs").write_text(WIX)
        (folder / "agent.bin").write_bytes(bytes(range(256)) * 100)
        subprocess.run(["wixl", "-a", "x64", "-o", "plain.msi", "agent.wxs"], cwd=folder, check=True)
    return folder


def _write(folder: Path, name: str, identity: Identity) -> None:
    (folder / f"{name}.pem").write_text(identity.pem())
    key = identity.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.key").write_bytes(key)


def sign(desk: Path, source: str, *more: str, certificate: str = "leaf", digest: str = "sha256") -> bytes:
    if not (desk / source).exists():
        pytest.skip("wixl is not installed (apt install wixl)")
    target = desk / f"signed{Path(source).suffix}"
    target.unlink(missing_ok=True)
    command = ["osslsigncode", "sign", "-certs", f"{certificate}.pem", "-ac", "pca.pem", "-key", f"{certificate}.key"]
    command += ["-h", digest, *more, "-in", source, "-out", target.name]
    subprocess.run(command, cwd=desk, check=True, capture_output=True, timeout=60)
    return target.read_bytes()


def stamped(days: int) -> tuple[str, ...]:
    when = int((NOW - days * DAY).timestamp())
    return ("-TSA-certs", "tsa.pem", "-TSA-key", "tsa.key", "-TSA-time", str(when))


@pytest.mark.parametrize(
    ("source", "kind", "more"),
    [
        ("plain.msi", "msi", ("-add-msi-dse", *stamped(5))),
        ("plain.msi", "msi", ("-add-msi-dse",)),
        ("plain.exe", "pe", stamped(5)),
        ("plain.exe", "pe", ()),
        ("plain.exe", "pe", ("-ph", *stamped(5))),
        ("plain.ps1", "ps1", stamped(5)),
    ],
)
def test_signatures_of_osslsigncode_verify(desk, source, kind, more):
    evidence = verify(sign(desk, source, *more), kind)
    assert evidence.signed_at == (NOW - 5 * DAY if "-TSA-time" in more else None)


def test_dual_signatures_verify(desk):
    first = sign(desk, "plain.exe", *stamped(5), digest="sha1")
    (desk / "first.exe").write_bytes(first)
    with pytest.raises(VerificationError, match="SHA-256"):
        verify(first, "pe")
    assert verify(sign(desk, "first.exe", "-nest", *stamped(5)), "pe").signed_at == NOW - 5 * DAY


def test_an_msi_without_metadata_digest_is_refused(desk):
    with pytest.raises(VerificationError) as caught:
        verify(sign(desk, "plain.msi", *stamped(5)), "msi")
    assert caught.value.reason == "metadata-unprotected"


def test_an_expired_certificate_needs_its_timestamp(desk):
    assert verify(sign(desk, "plain.exe", *stamped(200), certificate="expired"), "pe")
    for more in ((), stamped(50)):
        with pytest.raises(VerificationError) as caught:
            verify(sign(desk, "plain.exe", *more, certificate="expired"), "pe")
        assert caught.value.reason == "certificate-expired"


def test_sha1_alone_is_refused(desk):
    with pytest.raises(VerificationError) as caught:
        verify(sign(desk, "plain.msi", "-add-msi-dse", digest="sha1"), "msi")
    assert caught.value.reason == "weak-digest"


def test_a_renamed_metadata_digest_is_refused(desk):
    parts = msi_parts(sign(desk, "plain.msi", "-add-msi-dse"))
    parts["\x05MsiDigitalSignatureEy"] = parts.pop("\x05MsiDigitalSignatureEx")
    with pytest.raises(VerificationError) as caught:
        verify(msi_again(parts), "msi")
    assert caught.value.reason == "unknown-stream"


def test_a_file_of_wixl_is_read(desk, tmp_path):
    if not (desk / "plain.msi").exists():
        pytest.skip("wixl is not installed (apt install wixl)")
    with (desk / "plain.msi").open("rb") as file:
        facts = msi.facts(file)
    assert (facts.name, facts.version, facts.architecture) == ("LAB agent", "1.60.2.3", "x64")
    assert facts.supplier == "LAB"


@pytest.mark.parametrize("how", ["rfc3161", "countersignature", "none"])
@pytest.mark.parametrize(("source", "kind"), [("plain.msi", "msi"), ("plain.exe", "pe"), ("plain.ps1", "ps1")])
def test_osslsigncode_verifies_our_signatures(desk, source, kind, how):
    if not (desk / source).exists():
        pytest.skip("wixl is not installed (apt install wixl)")
    settings = signing(stamp=None if how == "none" else stamp(style=how))
    content = authenticode_signer.sign((desk / source).read_bytes(), kind, settings)
    target = desk / f"ours{Path(source).suffix}"
    target.write_bytes(content)
    command = ["osslsigncode", "verify", "-CAfile", "root.pem", "-TSA-CAfile", "tsa-root.pem", target.name]
    done = subprocess.run(command, cwd=desk, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Succeeded" in done.stdout
    if kind == "pe":
        assert "mismatch" not in done.stdout.lower(), "the checksum must be right"
    assert verify(content, kind, by=anchors())
