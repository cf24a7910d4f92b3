"""The lab's keys and certificates are made once, kept, and replaced when they expire."""

from __future__ import annotations

import os
import stat
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bundler.lab import authority
from bundler.signing import keys
from bundler.trust import certificate_policy


def held(folder):
    return {place.name: place.read_bytes() for place in folder.iterdir()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, now):
    place = tmp_path_factory.mktemp("authority")
    authority.establish(place, now)
    return place


def test_a_later_start_takes_what_is_kept(folder, now):
    before = held(folder)
    made = authority.establish(folder, now + timedelta(days=200))
    assert held(folder) == before
    assert made.since + authority.HISTORY == now


@pytest.mark.parametrize("days", [800, -30])
def test_what_has_lived_too_long_or_comes_from_the_future_is_made_anew(tmp_path, now, days):
    first = authority.establish(tmp_path, now)
    moved = now + timedelta(days=days)
    second = authority.establish(tmp_path, moved)
    assert first.anchors != second.anchors
    assert (
        second.server.leaf.certificate.not_valid_before_utc < moved < second.server.leaf.certificate.not_valid_after_utc
    )


@pytest.mark.parametrize("lost", ["since.json", "package-key.key.pem", "code-leaf.crt.pem"])
def test_a_lab_with_a_lost_file_starts_again(tmp_path, now, lost):
    authority.establish(tmp_path, now)
    (tmp_path / lost).unlink()
    made = authority.establish(tmp_path, now)
    assert made.anchors == authority.establish(tmp_path, now).anchors
    leaf, issuer = made.code_signing.leaf.certificate, made.code_signing.intermediates[0].certificate
    leaf.verify_directly_issued_by(issuer)
    assert leaf.public_key() == made.code_signing.leaf.key.public_key()


def test_a_damaged_beginning_is_cleared_away(tmp_path, now):
    authority.establish(tmp_path, now)
    (tmp_path / "since.json").write_text("{")
    made = authority.establish(tmp_path, now)
    assert made.since + authority.HISTORY == now


def test_every_name_contains_lab(folder, now):
    made = authority.establish(folder, now)
    for chain in (made.server, made.code_signing, made.timestamping):
        for identity in (chain.leaf, *chain.intermediates, chain.root):
            subject = identity.certificate.subject.rfc4514_string()
            assert "CN=LAB " in subject
            assert "O=LAB - not Microsoft" in subject
    for identity in (made.sealing, *made.approvers):
        assert "CN=LAB " in identity.certificate.subject.rfc4514_string()
    assert all(key.user_id.startswith("LAB ") for key in (made.key, made.key_2025))


def test_purposes(folder, now):
    made = authority.establish(folder, now)

    def purposes(chain):
        return chain.leaf.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)

    assert list(purposes(made.code_signing).value) == [ExtendedKeyUsageOID.CODE_SIGNING]
    assert list(purposes(made.server).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert list(purposes(made.timestamping).value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    assert purposes(made.timestamping).critical


def test_its_keys_seal_and_approve(folder, now):
    made = authority.establish(folder, now)
    files = ((made.seal_key_file, made.seal_certificate_file), *made.approver_files)
    told: list[str] = []
    signers = [keys.read(*pair, lambda: pytest.fail("it is not encrypted"), warn=told.append) for pair in files]
    for signer in signers:
        certificate_policy.require_usable(signer.certificates[0], signer.certificates[1:], now)
        signer.sign(b"content")
    assert [signer.algorithm for signer in signers] == ["rsa-sha256", "ecdsa-sha256", "ecdsa-sha256"]
    assert len({signer.certificates[0] for signer in signers}) == 3
    assert told == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_keys_are_for_their_owner_alone(tmp_path, now):
    """Made fresh, given as copies, and left readable by an earlier release."""
    umask = os.umask(0)
    try:
        made = authority.establish(tmp_path, now)
        keys = [path for path in tmp_path.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
        assert made.seal_key_file in keys
        assert len(keys) >= 9
        assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
        for path in keys:
            path.chmod(0o644)
        authority.establish(tmp_path, now)
        assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    finally:
        os.umask(umask)
