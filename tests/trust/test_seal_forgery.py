"""Forged, removed, transplanted and malformed seals are refused; with small bundles, without a lab."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import cms
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle, check
from bundler.model.seal import Algorithm
from bundler.pack import from_directory
from bundler.pack.form import Form
from bundler.pack.members import checked_members
from bundler.trust import seal_signature, verify_seal
from bundler.trust.public_key import digest_of, verifies
from bundler.trust.verify_seal import TrustPolicy
from tests.support import seal_cases as cases
from tests.support import sealed_bundles as sealed
from tests.support import sealers
from tests.support.sealed_bundles import DAY, NOW

SEALER = TrustPolicy(frozenset([cases.SEALER.fingerprint]))
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def checked(folder: Path) -> CheckedBundle:
    return check(checked_members(from_directory.walk(folder), archive_size=None, form=Form()))


def verdict(folder: Path, trusted: TrustPolicy = SEALER) -> str:
    try:
        verify_seal.verify(checked(folder), trusted, at=NOW)
    except VerificationError as error:
        return error.reason
    return "ok"


SEALS = [
    cms.encode(one.certificates, one.algorithm, one.sign(b"content"))
    for one in (cases.SEALER, cases.FIRST, sealed.signer("p384", "LAB below", issuer="LAB issuer"))
]


def read_and_check(document: bytes) -> None:
    """Read a seal, and do what verifying does before the signer is known."""
    try:
        found = cms.read(document)
    except ValueError:
        return
    own = found.certificates[0]
    verifies(own, found.algorithm, found.signature, b"content")
    assert verify_seal._other_signer(own, SEALER).reason == "other-signer"
    assert seal_signature.signer_of(own) is None or own.subject.rfc4514_string() is not None


@QUICK
@given(st.sampled_from(SEALS), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_changed_seal_is_invalid_or_another_seal_and_never_an_internal_error(
    document: bytes, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(document)
    for at, byte in changes:
        damaged[at % len(damaged)] = byte
    with warnings.catch_warnings():  # nor does a stranger's certificate write on our screen
        warnings.simplefilter("error")
        read_and_check(bytes(damaged))


@QUICK
@given(st.binary(max_size=300) | st.binary(max_size=40).map(lambda more: SEALS[0][:60] + more + SEALS[0][60:]))
def test_no_bytes_cause_an_internal_error(document: bytes) -> None:
    read_and_check(document)


@pytest.mark.parametrize("tag", [0x30, 0x31, 0xA0, 0x24])
@pytest.mark.parametrize("indefinite", [True, False])
def test_nesting_ends(tag: int, indefinite: bool) -> None:
    deep = bytes([tag, 0x80]) * 15000 + bytes(2) * 15000 if indefinite else bytes([tag, 0x84, 0, 0, 0xFF, 0]) * 10000
    for head in (b"", SEALS[0][:19], SEALS[0][:70]):
        with pytest.raises(ValueError, match=r"CMS|larger"):
            cms.read((head + deep)[: cms.LARGEST])


def test_a_certificate_of_an_unknown_version_is_no_certificate() -> None:
    version = bytes.fromhex("a003020102")
    with pytest.raises(ValueError, match="CMS"):
        cms.read(SEALS[0].replace(version, bytes.fromhex("a003020104"), 1))


def test_an_invalid_key_matches_nothing() -> None:
    """The curve's name changed to an unknown one: the certificate is read, its key cannot be."""
    der = cases.FIRST.certificates[0].public_bytes(Encoding.DER)
    odd = x509.load_der_x509_certificate(
        der.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d03017f"))
    )
    assert not verifies(odd, "ecdsa-sha256", b"x", b"x")


def test_one_digest_does_not_stand_for_another(tmp_path: Path) -> None:
    """A P-256 key that signs with SHA-384 makes a seal that no script recognises: the program must not either."""

    class Other(sealed.Signer):
        @property
        def algorithm(self) -> Algorithm:
            return "ecdsa-sha384"

    own = cases.FIRST
    bundle = sealed.write(tmp_path, sealed.Recipe(sealer=own))
    trusted = TrustPolicy(frozenset([own.fingerprint]))
    assert verdict(bundle, trusted) == "ok"
    other = Other(own.kind, own.private, own.certificates)
    assert isinstance(digest_of(other.algorithm), hashes.SHA384)
    document = (bundle / sums.SUMS).read_bytes()
    (bundle / cases.P7S).write_bytes(cms.encode(own.certificates, "ecdsa-sha384", other.sign(document)))
    assert verdict(bundle, trusted) == "bad-seal"


def test_a_revocation_list_of_a_shared_ca_names_the_revoked_signer(tmp_path: Path) -> None:
    issuer = "LAB company"
    sealer, approver = (sealed.signer("rsa2048", name, issuer=issuer) for name in ("LAB s", "LAB a"))
    recipe = sealed.Recipe(sealer=sealer, approvers=(approver,), required=1, approved=(approver,))
    bundle = sealed.write(tmp_path, recipe)
    authority = sealers.Identity(sealed.private_key("rsa2048", issuer), sealer.certificates[1])
    revoked = sealers.Identity(approver.private, approver.certificates[0])
    for listed, expected in (((), "ok"), ((revoked,), "seal-revoked")):
        made = x509.load_pem_x509_crl(sealers.revocation_list(authority, *listed))
        assert verdict(bundle, TrustPolicy(frozenset([sealer.fingerprint]), (made,))) == expected


def test_a_partial_revocation_list_is_refused(tmp_path: Path) -> None:
    """A delta or a partitioned list leaves most out, and says so in a critical extension."""
    issuer = "LAB company"
    sealer = sealed.signer("rsa2048", "LAB s", issuer=issuer)
    bundle = sealed.write(tmp_path, sealed.Recipe(sealer=sealer))
    builder = x509.CertificateRevocationListBuilder().issuer_name(sealer.certificates[1].subject)
    builder = builder.last_update(NOW - DAY).next_update(NOW + DAY).add_extension(x509.DeltaCRLIndicator(1), True)
    made = builder.sign(sealed.private_key("rsa2048", issuer), hashes.SHA256())
    assert verdict(bundle, TrustPolicy(frozenset([sealer.fingerprint]), (made,))) == "seal-revoked"


def test_a_given_approval_policy_overrides_the_sealers(tmp_path: Path) -> None:
    """A sealer alone could seal a bundle that requires no approver, or others."""
    wanted = checked(sealed.write(tmp_path / "wanted", cases.APPROVED)).manifest.approval
    trusted = replace(SEALER, approval=wanted)
    assert verdict(tmp_path / "wanted", trusted) == "ok"
    fewer = replace(cases.APPROVED, required=1)
    others = replace(cases.APPROVED, approvers=(cases.FIRST, cases.THIRD, cases.STRANGER))
    for name, recipe in {"none": cases.PLAIN, "fewer": fewer, "others": others}.items():
        bundle = sealed.write(tmp_path / name, recipe)
        assert verdict(bundle) == "ok"
        assert verdict(bundle, trusted) == "unknown-approval"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("SHA256SUMS.P7S", b"x"),
        ("sha256sums.p7s", b"x"),
        ("SHA256SUMS.p7\uff53", b"x"),
        ("SHA256SUMS\u200b.p7s", b"x"),
        ("SHA256SUMS.p7s.p7s", b"x"),
        ("manifest.json.asc", b"x"),
        ("approvals/0123456789ABCDEF.p7s", b"x"),
        ("approvals/0123456789abcdef.p7s.p7s", b"x"),
        ("approvals/sub/0123456789abcdef.p7s", b"x"),
        ("Approvals/0123456789abcdef.p7s", b"x"),
    ],
)
def test_files_with_names_like_seals_are_refused(tmp_path: Path, path: str, content: bytes) -> None:
    bundle = sealed.write(tmp_path, cases.APPROVED)
    (bundle / path).parent.mkdir(parents=True, exist_ok=True)
    (bundle / path).write_bytes(content)
    with pytest.raises(VerificationError):
        checked(bundle)


def test_approvals_that_are_a_file(tmp_path: Path) -> None:
    (sealed.write(tmp_path, cases.PLAIN) / "approvals").write_bytes(b"x")
    assert verdict(tmp_path) == "extra-file"


def test_seals_and_approvals_of_others(tmp_path: Path) -> None:
    """Transplanted: from another version, under another's name, by the sealer, the same one twice."""
    bundle = sealed.write(tmp_path / "bundle", replace(cases.APPROVED, approved=(cases.FIRST,)))
    older = sealed.contents(replace(cases.APPROVED, serial=1))
    place = bundle / sums.approval(cases.THIRD.fingerprint)
    document = (bundle / sums.SUMS).read_bytes()
    tries = {
        "another version's": (older[sums.approval(cases.THIRD.fingerprint)], "bad-seal"),
        "the first's again": (sealed.approval(document, cases.FIRST), "unknown-approval"),
        "the sealer's": (sealed.approval(document, cases.SEALER), "unknown-approval"),
        "the seal itself": ((bundle / cases.P7S).read_bytes(), "unknown-approval"),
        "huge": (bytes(cms.LARGEST + 1), "bad-seal"),
        "its own": (sealed.approval(document, cases.THIRD), "ok"),
    }  # fmt: skip
    for name, (content, expected) in tries.items():
        place.write_bytes(content)
        assert verdict(bundle) == expected, name


def test_manifest_and_sums_come_from_one_bundle(tmp_path: Path) -> None:
    """Each is sealed by the right key, but not as one."""
    bundle = sealed.write(tmp_path, cases.PLAIN)
    other = sealed.contents(replace(cases.PLAIN, serial=7))
    for path in (sums.MANIFEST, cases.MANIFEST_P7S):
        (bundle / path).write_bytes(other[path])
    assert verdict(bundle) == "digest-mismatch"


def test_an_expired_approver_is_not_reported_as_the_sealer(tmp_path: Path) -> None:
    ended = sealed.signer("p256", "LAB ended", begins=NOW - 9 * DAY, ends=NOW - DAY)
    recipe = sealed.Recipe(sealer=cases.SEALER, approvers=(ended,), required=1, approved=(ended,))
    bundle = sealed.write(tmp_path, recipe)
    with pytest.raises(VerificationError) as caught:
        verify_seal.verify(checked(bundle), SEALER, at=NOW)
    assert caught.value.reason == "seal-expired"
    assert "approved" in caught.value.what


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (datetime(1951, 1, 1, tzinfo=timezone.utc), NOW + DAY),
        (NOW - DAY, datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)),
    ],
)
def test_times_at_the_limits_of_a_certificate(tmp_path: Path, begins: datetime, ends: datetime) -> None:
    sealer = sealed.signer("p256", f"LAB {begins.year}", begins=begins, ends=ends)
    bundle = sealed.write(tmp_path, sealed.Recipe(sealer=sealer))
    assert verdict(bundle, TrustPolicy(frozenset([sealer.fingerprint]))) == "ok"
