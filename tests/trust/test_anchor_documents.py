"""Anchors as roots in PEM and armored OpenPGP keys, and publishers by their names or a fingerprint."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bundler.cli.main import main
from bundler.errors import UsageError, VerificationError
from bundler.formats import authenticode as der
from bundler.formats import json_codec, signature_form
from bundler.formats.powershell_signature import with_block
from bundler.lab import foreign_bytes
from bundler.lab.authority import Chain, Identity
from bundler.lab.foreign_bytes import Foreign
from bundler.model.anchor import Publisher
from bundler.trust import anchors, publishers
from tests.support import authenticode_material as material
from tests.support import dotnet_signature
from tests.support.authenticode_material import Description, authority, issue, signed, signing, stamper
from tests.support.package_signing import Key


def pems(*identities: Identity) -> bytes:
    return "".join(identity.pem() for identity in identities).encode()


def load(tmp_path, *documents: bytes):
    files = []
    for number, document in enumerate(documents):
        files.append(tmp_path / f"given-{number}")
        files[-1].write_bytes(document)
    return anchors.chosen(files)


ROOTS = (material.signer().root, stamper().root)


class TestDocuments:
    def test_roots_in_pem(self, tmp_path):
        found = load(tmp_path, pems(*ROOTS))
        assert [root.sha256 for root in found.roots] == [
            root.certificate.fingerprint(hashes.SHA256()).hex() for root in ROOTS
        ]
        assert material.verify(material.good("msi"), "msi", by=found).notes == (
            "any publisher under the given roots is accepted",
        )

    def test_text_around_and_windows_line_ends_do_not_matter(self, tmp_path):
        plain = load(tmp_path, pems(*ROOTS))
        noisy = b"\xef\xbb\xbfsubject=LAB\n" + pems(ROOTS[0]) + b"\n# the other\n" + pems(ROOTS[1])
        assert load(tmp_path, noisy.replace(b"\n", b"\r\n")) == plain
        assert load(tmp_path, b"\xff\xfe" + pems(*ROOTS).decode().encode("utf-16-le")) == plain

    def test_the_name_and_digest_follow_from_the_content(self, tmp_path):
        one, other = load(tmp_path, pems(*ROOTS)), load(tmp_path, b"# a note\n" + pems(*ROOTS))
        assert anchors.digest(one) == anchors.digest(other)
        assert one.name.startswith("own anchors ")
        assert load(tmp_path, pems(ROOTS[0])).name != one.name

    def test_a_root_of_that_name_is_not_microsofts_anchors(self, tmp_path):
        named = issue(authority("Microsoft", 3))
        assert load(tmp_path, pems(named)).name.startswith("own anchors ")

    def test_an_armored_key(self, tmp_path):
        key = Key("packager", user_id="LAB packager <lab@localhost>")
        found = load(tmp_path, key.armored().encode())
        assert [(one.fingerprint, one.name) for one in found.package_keys] == [
            (key.fingerprint, "LAB packager <lab@localhost>")
        ]
        assert found.publishers == ()

    def test_roots_and_keys_in_one_file(self, tmp_path):
        key = Key("packager", user_id="LAB packager <lab@localhost>")
        found = load(tmp_path, pems(*ROOTS) + key.armored().encode())
        assert (len(found.roots), len(found.package_keys)) == (2, 1)

    def test_several_files(self, tmp_path):
        key = Key("packager", user_id="LAB packager <lab@localhost>")
        found = load(tmp_path, pems(ROOTS[0]), pems(ROOTS[1]), key.armored().encode(), pems(ROOTS[0]))
        assert (len(found.roots), len(found.package_keys), len(found.publishers)) == (2, 1, 1)
        assert material.verify(material.good("ps1"), "ps1", by=found)

    def test_the_json_form_beside_pem(self, tmp_path):
        found = load(tmp_path, json_codec.to_json(material.anchors()), pems(*ROOTS))
        assert found.lab
        assert found.name.startswith("LAB tests + own anchors ")

    def test_a_revocation_list(self, tmp_path):
        revoked = material.revocation_list(material.signer().intermediates[0], material.signer().leaf, material.NOW)
        found = load(tmp_path, pems(*ROOTS) + revoked.encode())
        assert len(found.revocation_lists) == 1

    @pytest.mark.parametrize(
        ("document", "words"),
        [
            (b"", "empty"),
            (b" \n", "empty"),
            (b"<!DOCTYPE html><html>", "HTML page"),
            (b"trust me\n", "neither a certificate nor a key"),
            (ROOTS[0].certificate.public_bytes(Encoding.DER), "DER"),
            (b"0 anchors\n", "neither a certificate nor a key"),
            (b"\x99\x01\x0d\x04", "not armored"),
            (b"-----BEGIN CERTIFICATE-----\nLAB!\n-----END CERTIFICATE-----\n", "neither"),
            (b"-----BEGIN CERTIFICATE-----\nTEFC\n-----END CERTIFICATE-----\n", "certificate"),
            (b"-----BEGIN CERTIFICATE REQUEST-----\nTEFC\n-----END CERTIFICATE REQUEST-----\n", "a request"),
            (b"-----BEGIN PGP SIGNATURE-----\n\nTEFC\n-----END PGP SIGNATURE-----\n", "a signature"),
            (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nTEFC\n-----END PGP PUBLIC KEY BLOCK-----\n", "cannot be read"),
            (b"-----BEGIN PRIVATE KEY-----\nTEFC\n-----END PRIVATE KEY-----\n", "private key"),
            (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nTEFC\n-----END PGP PRIVATE KEY BLOCK-----\n", "private key"),
            (pems(material.signer().leaf), "which others issued"),
        ],
    )
    def test_wrong_content_is_named(self, tmp_path, document, words):
        with pytest.raises(UsageError) as caught:
            load(tmp_path, document)
        assert words in caught.value.what
        assert caught.value.do
        assert "TEFC" not in caught.value.what

    def test_a_revocation_list_with_foreign_bytes_is_a_wrong_use(self, tmp_path):
        wrong = b"-----BEGIN X509 CRL-----\nTEFC\xff\n-----END X509 CRL-----\n"
        found = load(tmp_path, pems(*ROOTS) + wrong)
        with pytest.raises(UsageError):
            material.verify(material.good("ps1"), "ps1", by=found)

    @pytest.mark.parametrize(
        ("key", "words"), [("practice", "its name is `lab`"), ("labs", "no such key"), ("Lab", "no such key")]
    )
    def test_an_unknown_key_is_named(self, tmp_path, key, words):
        """Anchors of 0.1.0 have ``practice``; none is read as if it were not there: it says what the anchors are."""
        tree = json_codec.to_tree(material.anchors())
        tree = {key if name == "lab" else name: value for name, value in tree.items()}
        with pytest.raises(UsageError) as caught:
            load(tmp_path, json.dumps(tree).encode())
        (detail,) = caught.value.details
        assert detail.startswith(f"{key}: ")
        assert words in detail
        assert "another release" in caught.value.what
        assert "operator" in caught.value.do

    def test_an_unknown_key_inside(self, tmp_path):
        tree = json_codec.to_tree(material.anchors())
        tree["roots"][0]["trusted"] = True
        with pytest.raises(UsageError) as caught:
            load(tmp_path, json.dumps(tree).encode())
        assert caught.value.details == ("roots.0.trusted: anchors have no such key",)

    def test_the_command_takes_several(self, tmp_path, capsys):
        script, files = tmp_path / "a.ps1", [tmp_path / "code.pem", tmp_path / "time.pem"]
        script.write_bytes(material.good("ps1"))
        for file, root in zip(files, ROOTS, strict=True):
            file.write_bytes(pems(root))
        given = [word for file in files for word in ("--anchors", str(file))]
        assert main(["verify-file", str(script), *given, "--format", "json", "--at", material.NOW.isoformat()]) == 0
        assert json.loads(capsys.readouterr().out)["anchors"].startswith("own anchors ")
        assert main(["verify-file", str(script), *given[:2], "--at", material.NOW.isoformat()]) == 6
        assert "timestamp-untrusted" in capsys.readouterr().out

    def test_wrong_content_is_a_wrong_use(self, tmp_path, capsys):
        wrong = tmp_path / "wrong.pem"
        wrong.write_bytes(b"nothing\n")
        assert main(["verify-file", str(wrong), "--anchors", str(wrong)]) == 2
        assert "neither a certificate nor a key" in capsys.readouterr().err


def self_signed(**changes) -> Chain:
    identity = issue(Description(**{"number": 5} | changes))
    return Chain(identity, (), identity)


class TestPinnedSelfSigned:
    """A certificate that is pinned itself needs no authority above it."""

    def verify(self, tmp_path, how: Chain, **changes):
        document = signed("ps1", signing(chain=how, stamp=None))
        return material.verify(document, "ps1", by=load(tmp_path, pems(how.root)), **changes)

    @pytest.mark.parametrize(
        "changes",
        [{}, {"ca": True}, {"purposes": None}, {"ca": True, "purposes": None, "key_usage": None}],
        ids=["for code", "a CA", "for anything", "as openssl makes it"],
    )
    def test_it_is_an_anchor(self, tmp_path, changes):
        how = self_signed(**changes)
        found = self.verify(tmp_path, how)
        assert found.anchor == found.fingerprint == how.root.certificate.fingerprint(hashes.SHA256()).hex()

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"until": material.NOW - material.DAY}, "certificate-expired"),
            ({"since": material.NOW + material.DAY}, "certificate-not-yet-valid"),
            ({"purposes": ("1.3.6.1.5.5.7.3.1",)}, "wrong-purpose"),
            ({"key_usage": ("key_cert_sign", "crl_sign")}, "wrong-purpose"),
            ({"bits": 1024}, "weak-key"),
        ],
    )
    def test_its_own_limits_count(self, tmp_path, changes, reason):
        with pytest.raises(VerificationError) as caught:
            self.verify(tmp_path, self_signed(**changes))
        assert caught.value.reason == reason

    def test_another_of_the_same_name_and_key_is_none(self, tmp_path):
        how, other = self_signed(), self_signed()
        document = signed("ps1", signing(chain=how, stamp=None))
        with pytest.raises(VerificationError) as caught:
            material.verify(document, "ps1", by=load(tmp_path, pems(other.root)))
        assert caught.value.reason in {"untrusted-root", "foreign-certificate", "bad-certificate"}


def leaf(common_name: str, organization: str | None) -> x509.Certificate:
    """A certificate with these names."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    names += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    template = issue(Description(number=5))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name(names))
        .public_key(template.key.public_key())
        .serial_number(7)
        .not_valid_before(material.NOW)
        .not_valid_after(material.NOW + material.DAY)
        .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(material.CODE_SIGNING)]), critical=False)
    )
    return builder.sign(template.key, hashes.SHA256())


def accepted(found: x509.Certificate, text: str) -> bool:
    try:
        publishers.require(found, publishers.named(text))
    except VerificationError:
        return False
    return True


class TestPublishers:
    @pytest.mark.parametrize(
        ("common_name", "organization", "text"),
        [
            ("Contoso", "Contoso", "Contoso"),
            ("Contoso", None, "Contoso"),
            ("Contoso", "Contoso Ltd", "Contoso/Contoso Ltd"),
            ("A/B Testing", None, "A/B Testing"),
            ("A/B Testing", "A/B Testing", "A/B Testing"),
            ("A/B Testing", "C/D Ltd", "A/B Testing/C/D Ltd"),
            ("Contoso", "A/S Contoso", "Contoso/A/S Contoso"),
            ("/", None, "/"),
        ],
    )
    def test_names(self, common_name, organization, text):
        assert accepted(leaf(common_name, organization), text)

    @pytest.mark.parametrize(
        ("common_name", "organization", "text"),
        [
            ("Contoso", "Fabrikam", "Contoso"),
            ("Contoso Ltd", None, "Contoso"),
            ("contoso", None, "Contoso"),
            ("Contoso", None, "Contoso/Contoso Ltd"),
            ("A", "B", "A/B/C"),
            ("*", "Fabrikam", "*"),
        ],
    )
    def test_other_names(self, common_name, organization, text):
        assert not accepted(leaf(common_name, organization), text)

    def test_a_fingerprint(self):
        found = leaf("Contoso", None)
        plain = found.fingerprint(hashes.SHA256()).hex()
        colons = ":".join(plain[at : at + 2] for at in range(0, 64, 2)).upper()
        for text in (plain, plain.upper(), colons, f"sha256:{plain}", f"SHA256 Fingerprint={colons}"):
            assert accepted(found, text)
        assert not accepted(leaf("Contoso", "Contoso"), plain)
        assert not accepted(leaf(plain, None), plain)

    def test_nothing_names_none(self):
        assert publishers.named("") == ()
        assert Publisher(common_name="a", organization="b") in publishers.named("a/b")

    def test_the_command(self, tmp_path, capsys):
        script, roots = tmp_path / "a.ps1", tmp_path / "roots.pem"
        script.write_bytes(material.good("ps1"))
        roots.write_bytes(pems(*ROOTS))
        fixed = ["verify-file", str(script), "--anchors", str(roots), "--at", material.NOW.isoformat(), "--publisher"]
        wanted = material.signer().leaf.certificate.fingerprint(hashes.SHA256()).hex()
        assert main([*fixed, wanted]) == 0
        assert main([*fixed, f"{material.PUBLISHER}/{material.ORGANIZATION}"]) == 0
        assert main([*fixed, material.PUBLISHER]) == 6
        assert main([*fixed, "0" * 64]) == 6
        assert main([*fixed, " "]) == 2
        capsys.readouterr()


class TestDotNet:
    """The form in which .NET's SignedCms writes: the content is an OCTET STRING (RFC 5652, 5.2.1)."""

    AT = datetime(2026, 12, 1, tzinfo=timezone.utc)

    def verify(self, tmp_path, pkcs7: bytes):
        by = load(tmp_path, dotnet_signature.CERTIFICATE.encode())
        return material.verify(with_block(dotnet_signature.SCRIPT, pkcs7), "ps1", by=by, at=self.AT)

    def test_it_is_read(self, tmp_path):
        assert self.verify(tmp_path, dotnet_signature.PKCS7).signer == "CN=LAB .NET signer,O=LAB - not Microsoft"

    def test_a_changed_script_is_refused(self, tmp_path):
        by = load(tmp_path, dotnet_signature.CERTIFICATE.encode())
        with pytest.raises(VerificationError) as caught:
            material.verify(dotnet_signature.signed().replace(b"'LAB'", b"'BAD'"), "ps1", by=by, at=self.AT)
        assert caught.value.reason == "digest-mismatch"

    @pytest.mark.parametrize("place", ["certificate", "attribute", "digest", "signer's algorithm", "revocation list"])
    def test_foreign_bytes_in_it_are_refused(self, tmp_path, place):
        with pytest.raises(VerificationError) as caught:
            self.verify(tmp_path, foreign_bytes.put(dotnet_signature.PKCS7, Foreign(place, 700)))
        assert caught.value.reason.startswith(("foreign-", "unknown-attribute"))

    def test_the_tag_of_the_content_cannot_be_exchanged(self, tmp_path):
        found = der.read_signature(dotnet_signature.PKCS7)
        changed = signature_form.rewritten(replace(found, content_tag=0x30))
        with pytest.raises(VerificationError) as caught:
            self.verify(tmp_path, changed)
        assert caught.value.reason == "malformed"
