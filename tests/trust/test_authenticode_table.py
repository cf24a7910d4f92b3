"""The expected results of facts/verification.md section 2, row by row, with files from our own signer."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import timedelta

import pytest
from asn1crypto import cms, parser
from cryptography import x509

from bundler.errors import VerificationError
from bundler.formats import authenticode as der
from bundler.formats import msi_signature, portable_executable
from bundler.lab import authenticode_signer
from bundler.lab.authenticode_signer import Signing, Stamp
from bundler.lab.authority import Chain
from tests.support.authenticode_material import (
    CODE_SIGNING,
    DAY,
    NOW,
    ORGANIZATION,
    PUBLISHER,
    SERVER_AUTH,
    TIME_STAMPING,
    Description,
    anchors,
    authority,
    chain,
    good,
    issue,
    msi_again,
    msi_parts,
    msi_without_metadata_digest,
    pe,
    pin,
    reissued,
    revocation_list,
    signed,
    signer,
    signing,
    stamp,
    stamper,
    verify,
)

KINDS = ("msi", "pe", "ps1")
EX = msi_signature.METADATA_DIGEST


def refused(content: bytes, kind: str, reason: str, **how) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        verify(content, kind, **how)
    assert caught.value.reason == reason, caught.value
    assert caught.value.details, "every refusal says what it usually means"
    return caught.value


@pytest.fixture(scope="module")
def jar() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Main-Class: Evil\n")
    return held.getvalue()


class TestGood:
    @pytest.mark.parametrize("kind", KINDS)
    def test_timestamped(self, kind):
        evidence = verify(good(kind), kind)
        assert evidence.signer == f"CN={PUBLISHER},O={ORGANIZATION}"
        assert evidence.signed_at == stamp().time
        assert evidence.timestamped_by == f"CN=LAB test TSA,O={ORGANIZATION}"
        assert evidence.anchor == anchors().roots[0].sha256
        assert [link.sha256 for link in evidence.chain][0::2] == [evidence.fingerprint, evidence.anchor]
        assert evidence.anchors == "LAB tests"
        assert evidence.notes == ()

    @pytest.mark.parametrize("kind", KINDS)
    def test_countersigned_as_before_rfc_3161(self, kind):
        evidence = verify(signed(kind, signing(stamp=stamp(style="countersignature"))), kind)
        assert evidence.signed_at == stamp().time

    @pytest.mark.parametrize("kind", KINDS)
    def test_not_timestamped(self, kind):
        evidence = verify(signed(kind, signing(stamp=None)), kind)
        assert evidence.signed_at is None
        assert "no timestamp" in evidence.notes[0]

    @pytest.mark.parametrize("digest", ["sha384", "sha512"])
    def test_stronger_digests(self, digest):
        assert verify(signed("msi", signing(digest=digest)), "msi").signed_at == stamp().time

    def test_dual_sha1_and_sha256(self):
        evidence = verify(dual("sha1", "sha256"), "pe")
        assert evidence.signed_at == stamp().time
        assert "SHA-1" in evidence.notes[0]

    def test_of_two_sha256_signatures_the_first_is_used(self):
        evidence = verify(dual("sha256", "sha256"), "pe")
        assert "not used" in evidence.notes[0]


def pe_signature(how: Signing, *beside: tuple[str, bytes]) -> bytes:
    image = io.BytesIO(pe())
    place = portable_executable.layout(image)
    return authenticode_signer.signature("pe", portable_executable.digest(image, place, how.digest), how, beside)


def pe_with(how: Signing, *beside: tuple[str, bytes]) -> bytes:
    return authenticode_signer.with_certificate_table(pe(), pe_signature(how, *beside))


def dual(outer: str, inner: str, *, inside: Signing | None = None) -> bytes:
    nested = pe_signature(inside or signing(digest=inner))
    return pe_with(signing(digest=outer), (der.NESTED_SIGNATURE, nested))


class TestChangedFiles:
    def test_a_byte_flipped_in_a_cabinet(self):
        content = bytearray(good("msi"))
        content[content.index(b"the end of the cabinet")] ^= 1
        refused(bytes(content), "msi", "digest-mismatch")

    def test_a_byte_flipped_in_code(self):
        content = bytearray(good("pe"))
        content[content.index(b"codecode")] ^= 1
        refused(bytes(content), "pe", "digest-mismatch")

    def test_a_jar_appended(self, jar):
        refused(good("msi") + jar, "msi", "trailing-data")

    def test_a_jar_appended_in_whole_sectors(self, jar):
        refused(good("msi") + jar + bytes(-len(jar) % 512), "msi", "trailing-data")

    def test_a_jar_in_the_slack_of_a_stream(self, jar):
        content = good("msi")
        end = content.index(b"the end of the cabinet") + len(b"the end of the cabinet")
        assert len(jar) < 512 - end % 512, "the slack must have room for it"
        refused(content[:end] + jar + content[end + len(jar) :], "msi", "trailing-data")

    def test_the_metadata_digest_renamed(self):
        parts = msi_parts(good("msi"))
        parts["\x05MsiDigitalSignatureEy"] = parts.pop(EX)
        refused(msi_again(parts), "msi", "unknown-stream")

    def test_the_metadata_digest_renamed_to_an_ordinary_name(self):
        parts = msi_parts(good("msi"))
        parts["!Ex"[1:]] = parts.pop(EX)
        refused(msi_again(parts), "msi", "metadata-unprotected")

    def test_a_stream_renamed(self):
        parts = msi_parts(good("msi"))
        parts["agent.ca_"] = parts.pop("agent.cab")
        refused(msi_again(parts), "msi", "metadata-mismatch")

    def test_a_streams_time_changed(self):
        content = bytearray(good("msi"))
        entry = content.index("agent.cab".encode("utf-16-le"))
        content[entry + 108] ^= 1
        refused(bytes(content), "msi", "metadata-mismatch")

    def test_a_stream_renamed_without_metadata_digest(self):
        parts = msi_parts(msi_without_metadata_digest(signing()))
        parts["agent.ca_"] = parts.pop("agent.cab")
        refused(msi_again(parts), "msi", "metadata-unprotected")

    def test_never_a_metadata_digest(self):
        refused(msi_without_metadata_digest(signing()), "msi", "metadata-unprotected")

    def test_a_stream_added(self):
        refused(msi_again(msi_parts(good("msi")) | {"extra": b"more"}), "msi", "metadata-mismatch")

    def test_a_summary_added_beside_the_known_streams(self):
        refused(msi_again(msi_parts(good("msi")) | {"\x05Other": b"more"}), "msi", "unknown-stream")

    def test_eight_bytes_behind_the_signature_in_its_stream(self):
        parts = msi_parts(good("msi"))
        parts[msi_signature.SIGNATURE] += b"\0" * 8
        refused(msi_again(parts), "msi", "trailing-data")

    def test_a_removed_signature(self):
        parts = msi_parts(good("msi"))
        del parts[msi_signature.SIGNATURE]
        refused(msi_again(parts), "msi", "unsigned")


class TestChangedImages:
    def grown(self, addition: bytes) -> bytes:
        """Let the certificate table hold ``addition`` too, as its directory entry says."""
        content = bytearray(good("pe") + addition)
        entry = portable_executable.layout(io.BytesIO(good("pe"))).directory + 4
        struct.pack_into("<I", content, entry, struct.unpack_from("<I", content, entry)[0] + len(addition))
        return bytes(content)

    def test_padding_in_the_certificate_table(self):
        refused(self.grown(bytes(8)), "pe", "trailing-data")

    def test_padding_inside_the_entry(self):
        content = bytearray(self.grown(b"hidden!!"))
        table = portable_executable.layout(io.BytesIO(bytes(content))).table
        struct.pack_into("<I", content, table, len(content) - table)
        refused(bytes(content), "pe", "trailing-data")

    def test_a_second_certificate_of_unknown_type(self):
        refused(self.grown(struct.pack("<IHH", 16, 0x200, 9) + b"something"[:8]), "pe", "trailing-data")

    def test_bytes_appended(self):
        refused(good("pe") + bytes(8), "pe", "trailing-data")

    def test_the_directory_zeroed(self):
        content = bytearray(good("pe"))
        struct.pack_into("<II", content, portable_executable.layout(io.BytesIO(good("pe"))).directory, 0, 0)
        refused(bytes(content), "pe", "unsigned")

    def test_only_the_checksum_changed(self):
        content = bytearray(good("pe"))
        content[portable_executable.layout(io.BytesIO(good("pe"))).checksum] ^= 0xFF
        assert verify(bytes(content), "pe").signed_at


class TestTime:
    def old(self, **changes) -> Chain:
        return reissued(signer(), since=NOW - 300 * DAY, until=NOW - 100 * DAY, **changes)

    @pytest.mark.parametrize("kind", KINDS)
    def test_expired_without_a_timestamp(self, kind):
        refused(signed(kind, signing(chain=self.old(), stamp=None)), kind, "certificate-expired")

    @pytest.mark.parametrize("kind", KINDS)
    def test_expired_before_the_timestamp(self, kind):
        how = signing(chain=self.old(), stamp=stamp(NOW - 99 * DAY))
        refused(signed(kind, how), kind, "certificate-expired")

    @pytest.mark.parametrize("kind", KINDS)
    def test_timestamped_while_valid(self, kind):
        how = signing(chain=self.old(), stamp=stamp(NOW - 200 * DAY))
        assert verify(signed(kind, how), kind).signed_at == NOW - 200 * DAY

    def test_timestamped_before_valid(self):
        how = signing(chain=self.old(), stamp=stamp(NOW - 301 * DAY))
        refused(signed("ps1", how), "ps1", "certificate-not-yet-valid")

    def test_signatures_that_end_with_their_certificate(self):
        lifetime = self.old(purposes=(CODE_SIGNING, "1.3.6.1.4.1.311.10.3.13"))
        how = signing(chain=lifetime, stamp=stamp(NOW - 200 * DAY))
        refused(signed("ps1", how), "ps1", "certificate-expired")
        assert verify(signed("ps1", how), "ps1", at=NOW - 150 * DAY)

    def test_a_time_that_is_yet_to_come(self):
        later = signed("ps1", signing(stamp=stamp(NOW + timedelta(hours=1))))
        refused(later, "ps1", "timestamp-in-future")
        assert verify(later, "ps1", at=NOW + timedelta(hours=2))

    @pytest.mark.parametrize("style", ["rfc3161", "countersignature"])
    def test_an_untrusted_authority(self, style):
        other = chain(
            Description(name="LAB test TSA", purposes=(TIME_STAMPING,), number=3), authority("LAB test TSA root", 4)
        )
        how = signing(stamp=Stamp(other, NOW - DAY, style))
        refused(signed("msi", how), "msi", "timestamp-untrusted")

    def test_a_root_for_code_is_not_trusted_for_timestamps(self):
        leaf = Description(name="LAB test TSA", purposes=(TIME_STAMPING,), number=3)
        other = Chain(issue(leaf, signer().root), (), signer().root)
        refused(signed("msi", signing(stamp=Stamp(other, NOW - DAY))), "msi", "timestamp-untrusted")

    @pytest.mark.parametrize("purposes", [None, (CODE_SIGNING,), (CODE_SIGNING, TIME_STAMPING)])
    def test_a_timestamp_by_a_certificate_for_something_else(self, purposes):
        other = reissued(stamper(), name="LAB test TSA", number=3, purposes=purposes)
        refused(signed("msi", signing(stamp=Stamp(other, NOW - DAY))), "msi", "timestamp-wrong-purpose")

    def test_a_timestamp_of_another_file(self):
        token = authenticode_signer.timestamp_token(b"another signature", stamp())
        refused(pe_with(signing(stamp=None), (der.TIMESTAMP_RFC3161, token)), "pe", "timestamp-invalid")

    def test_two_timestamps(self):
        value = der.read_signature(pe_signature(signing(stamp=None))).signers[0].signature
        tokens = [authenticode_signer.timestamp_token(value, stamp(NOW - age * DAY)) for age in (1, 2)]
        assert verify(pe_with(signing(stamp=None), (der.TIMESTAMP_RFC3161, tokens[0])), "pe").signed_at == NOW - DAY
        both = pe_with(signing(stamp=None), *((der.TIMESTAMP_RFC3161, token) for token in tokens))
        refused(both, "pe", "timestamp-invalid")

    def test_a_timestamp_made_before_its_authority_expired(self):
        old = reissued(stamper(), name="LAB test TSA", number=3, purposes=(TIME_STAMPING,), until=NOW - 50 * DAY)
        assert verify(signed("ps1", signing(stamp=Stamp(old, NOW - 60 * DAY))), "ps1")
        refused(signed("ps1", signing(stamp=Stamp(old, NOW - 40 * DAY))), "ps1", "timestamp-expired")

    def test_a_timestamp_made_before_its_authority_began(self):
        young = reissued(stamper(), name="LAB test TSA", number=3, purposes=(TIME_STAMPING,), since=NOW - 5 * DAY)
        assert verify(signed("ps1", signing(stamp=Stamp(young, NOW - 4 * DAY))), "ps1")
        refused(signed("ps1", signing(stamp=Stamp(young, NOW - 6 * DAY))), "ps1", "timestamp-not-yet-valid")


class TestSigners:
    def by(self, other: Chain) -> bytes:
        return signed("ps1", signing(chain=other))

    def test_no_purpose(self):
        refused(self.by(reissued(signer(), purposes=None)), "ps1", "wrong-purpose")

    def test_wrong_purpose(self):
        refused(self.by(reissued(signer(), purposes=(SERVER_AUTH,))), "ps1", "wrong-purpose")

    def test_any_purpose_is_not_this_purpose(self):
        refused(self.by(reissued(signer(), purposes=("2.5.29.37.0",))), "ps1", "wrong-purpose")

    def test_self_signed(self):
        own = issue(Description())
        refused(self.by(Chain(own, (), own)), "ps1", "untrusted-root")

    def test_self_signed_and_pinned_is_an_anchor(self):
        own = issue(Description())
        by = anchors(roots=(*anchors().roots, pin(own, "code-signing")))
        assert verify(self.by(Chain(own, (), own)), "ps1", by=by)

    def test_self_signed_and_pinned_is_still_no_authority(self):
        own = issue(Description())
        issued = issue(Description(number=5), own)
        by = anchors(roots=(*anchors().roots, pin(own, "code-signing")))
        refused(self.by(Chain(issued, (), own)), "ps1", "bad-certificate", by=by)

    def test_a_root_of_the_same_name(self):
        other = chain(Description(), authority("LAB test PCA", 1, path_length=0), authority("LAB test root", 4))
        refused(self.by(other), "ps1", "untrusted-root")

    def test_a_leaf_used_as_an_authority(self):
        middle = signer().leaf
        leaf = issue(Description(number=5), middle)
        refused(self.by(Chain(leaf, (middle, *signer().intermediates), signer().root)), "ps1", "bad-certificate")

    def test_sha1_alone(self):
        refused(signed("msi", signing(digest="sha1")), "msi", "weak-digest")

    def test_sha1_with_a_nested_sha1(self):
        refused(dual("sha1", "sha1"), "pe", "weak-digest")

    def test_sha1_with_a_nested_signature_of_another_signer(self):
        other = reissued(signer(), name="Another signer")
        refused(dual("sha1", "sha256", inside=signing(chain=other)), "pe", "wrong-publisher")

    def test_another_signer_with_a_nested_signature_of_the_publisher(self):
        other = signing(chain=reissued(signer(), name="Another signer"))
        refused(pe_with(other, (der.NESTED_SIGNATURE, pe_signature(signing()))), "pe", "wrong-publisher")

    def test_a_nested_signature_of_another_file(self):
        wrong = authenticode_signer.signature("pe", bytes(32), signing())
        refused(pe_with(signing(digest="sha1"), (der.NESTED_SIGNATURE, wrong)), "pe", "digest-mismatch")

    def test_two_nested_signatures_beside_a_weak_one(self):
        nested = [(der.NESTED_SIGNATURE, pe_signature(signing(digest=digest))) for digest in ("sha256", "sha384")]
        refused(pe_with(signing(digest="sha1"), *nested), "pe", "several-signers")

    @pytest.mark.parametrize(
        "changes", [{"name": "LAB publisher "}, {"organization": "LAB"}, {"name": "lab publisher"}]
    )
    def test_another_publisher_under_a_trusted_root(self, changes):
        refused(self.by(reissued(signer(), **changes)), "ps1", "wrong-publisher")

    def test_a_publisher_without_the_required_purpose(self):
        asked = (CODE_SIGNING, "1.3.6.1.4.1.311.76.8.1")
        (publisher,) = anchors().publishers
        stricter = type(publisher)(common_name=PUBLISHER, organization=ORGANIZATION, key_purposes=asked)
        by = anchors(publishers=(stricter,))
        refused(good("ps1"), "ps1", "wrong-publisher", by=by)
        assert verify(self.by(reissued(signer(), purposes=asked)), "ps1", by=by)

    def test_anchors_without_publishers_trust_no_file(self):
        refused(good("ps1"), "ps1", "wrong-publisher", by=anchors(publishers=()))

    def test_anchors_without_roots_trust_no_file(self):
        refused(good("ps1"), "ps1", "timestamp-untrusted", by=anchors(roots=()))

    def test_something_unprotected_in_the_signature(self):
        refused(pe_with(signing(stamp=None), ("1.3.6.1.4.1.42921.1.2.1", b"\4\1x")), "pe", "unknown-attribute")

    def test_two_signers(self):
        data = cms.ContentInfo.load(pe_signature(signing(stamp=None)))["content"]
        (info,) = data["signer_infos"]
        content = parser.parse(data["encap_content_info"]["content"].dump())[4]
        certificates = [one.dump() for one in data["certificates"]]
        parts = (1, der.SPC_INDIRECT_DATA, content, certificates)
        once, twice = (authenticode_signer.signed_data(*parts, [info.dump()] * n, "sha256") for n in (1, 2))
        assert verify(authenticode_signer.with_certificate_table(pe(), once), "pe")
        refused(authenticode_signer.with_certificate_table(pe(), twice), "pe", "several-signers")

    def test_the_signature_of_another_kind_of_file(self):
        image = io.BytesIO(pe())
        digest = portable_executable.digest(image, portable_executable.layout(image), "sha256")
        script = authenticode_signer.signature("ps1", digest, signing())
        refused(authenticode_signer.with_certificate_table(pe(), script), "pe", "wrong-subject")

    def test_a_short_key(self):
        refused(self.by(reissued(signer(), number=9, bits=1024)), "ps1", "weak-key")


class TestRevocation:
    def verify(self, listed: str, signed_at=NOW - 10 * DAY, reason: str = "") -> None:
        by = anchors(revocation_lists=(listed,))
        content = signed("ps1", signing(stamp=stamp(signed_at)))
        if reason:
            refused(content, "ps1", reason, by=by)
        else:
            assert verify(content, "ps1", by=by)

    def test_revoked_before_it_was_signed(self):
        self.verify(revocation_list(signer().intermediates[0], signer().leaf, NOW - 20 * DAY), reason="revoked")

    def test_revoked_after_it_was_signed(self):
        self.verify(revocation_list(signer().intermediates[0], signer().leaf, NOW - 5 * DAY))

    def test_a_stolen_key_could_have_signed_at_any_time(self):
        stolen = x509.ReasonFlags.key_compromise
        self.verify(revocation_list(signer().intermediates[0], signer().leaf, NOW - DAY, stolen), reason="revoked")

    def test_an_intermediate_revoked(self):
        self.verify(revocation_list(signer().root, signer().intermediates[0], NOW - 20 * DAY), reason="revoked")

    def test_the_timestamps_authority_revoked(self):
        self.verify(revocation_list(stamper().root, stamper().leaf, NOW - 20 * DAY), reason="revoked")

    def test_a_revoked_certificate_of_another_signer(self):
        other = reissued(signer())
        self.verify(revocation_list(signer().intermediates[0], other.leaf, NOW - 20 * DAY))

    def test_a_list_signed_by_another_key_has_no_effect(self):
        forger = issue(authority("LAB test PCA", 4), signer().root)
        self.verify(revocation_list(forger, signer().leaf, NOW - 20 * DAY))


class TestScripts:
    def test_text_behind_the_block(self):
        refused(good("ps1") + b"Remove-Item C:\\\r\n", "ps1", "trailing-data")

    def test_a_blank_line_behind_the_block(self):
        refused(good("ps1") + b"\r\n", "ps1", "trailing-data")

    def test_a_second_block(self):
        refused(good("ps1") + good("ps1"), "ps1", "trailing-data")

    def test_a_byte_order_mark_added(self):
        refused(b"\xef\xbb\xbf" + good("ps1"), "ps1", "digest-mismatch")

    def test_edited(self):
        refused(good("ps1").replace(b"Write-Host", b"Write-Hosd"), "ps1", "digest-mismatch")

    def test_prepended(self):
        refused(b"Remove-Item\r\n" + good("ps1"), "ps1", "digest-mismatch")

    def test_line_endings_of_another_system(self):
        refused(good("ps1").replace(b"\r\n", b"\n"), "ps1", "line-endings")

    def test_only_the_texts_line_endings(self):
        text, begin, block = good("ps1").partition(b"\r\n# SIG # Begin")
        refused(text.replace(b"\r\n", b"\n") + begin + block, "ps1", "digest-mismatch")

    def test_no_block(self):
        refused(b"Write-Host\r\n", "ps1", "unsigned")

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_encodings_with_a_mark(self, encoding):
        text = authenticode_signer.sign_ps1("Write-Host 'Grüße'\r\n".encode(encoding), signing())
        assert verify(text, "ps1")


class TestNotTheFile:
    @pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
    def test_truncated(self, kept):
        content = good("msi")
        refused(content[: int(len(content) * kept) // 512 * 512], "msi", "truncated")

    def test_truncated_in_a_sector(self):
        refused(good("msi")[:-100], "msi", "truncated")

    def test_truncated_image(self):
        refused(good("pe")[:-8], "pe", "truncated")

    @pytest.mark.parametrize("kind", KINDS)
    def test_an_html_page(self, kind):
        page = b"\r\n<!-- portal --><!DOCTYPE html><html><body>Sign in</body></html>"
        assert "portal" in refused(page, kind, "html").details[0]

    @pytest.mark.parametrize("kind", KINDS)
    def test_empty(self, kind):
        refused(b"", kind, "empty")

    def test_line_endings_mangled(self):
        parts = msi_parts(good("msi"))
        mangled = authenticode_signer.sign_msi(
            msi_again({name: part for name, part in parts.items() if "Digital" not in name} | {"text": b"\r\n" * 3000}),
            signing(),
        )
        assert verify(mangled, "msi")
        with pytest.raises(VerificationError):
            verify(mangled.replace(b"\r\n", b"\n"), "msi")

    @pytest.mark.parametrize(("content", "kind"), [("pe", "msi"), ("msi", "pe"), ("msi", "ps1"), ("ps1", "msi")])
    def test_another_kind_of_file(self, content, kind):
        refused(good(content), kind, "unknown-kind")
