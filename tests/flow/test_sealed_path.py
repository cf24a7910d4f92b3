"""A bundle is built sealed, approved and verified by the commands, and refused wherever somebody else is behind it."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bundler.formats import fingerprint_words
from tests.support.lab_project import Site
from tests.support.sealers import NOW, Identity, identity, revocation_list

ANCHORS = ("--anchors", "lab/authority/anchors.json")


def keys(site: Site, name: str, made: Identity) -> tuple[str, ...]:
    key, certificate = made.write(site.folder, name)
    return "--seal-key", str(key), "--seal-certificate", str(certificate)


def build(site: Site, made: Identity, **definition: str) -> Path:
    site.define(**{"outputs": "[{format: directory}, {format: zip}]", **definition})
    ran = site.run("build", *keys(site, "sealer", made), "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["sealed_by"]["sha256"] == made.sha256
    return site.folder / "bundles/arc-test/1.0/arc-test-1.0"


def verify(site: Site, bundle: Path, *signer: str) -> object:
    ran = site.run("verify", str(bundle), *ANCHORS, *signer, "--format", "json")
    return ran.json if ran.code == 0 else ran.json["error"].get("reason", ran.json["error"]["kind"])


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256", "p-384"])
def test_a_sealed_bundle_is_believed_by_its_signer_alone(site: Site, kind: str) -> None:
    sealer, stranger = identity("LAB sealer", kind=kind), identity("stranger")
    bundle = build(site, sealer)
    for wrapped in (bundle, bundle.with_name("arc-test-1.0.zip")):
        found = verify(site, wrapped, "--signer", f"sha256:{sealer.sha256}")
        assert found["sealed_by"]["name"] == "CN=LAB sealer"
        assert found["weakened"] == []
        assert verify(site, wrapped, "--signer", str(site.folder / "sealer.pem"))["ok"]
        assert verify(site, wrapped, "--signer", stranger.sha256) == "other-signer"
        assert verify(site, wrapped) == "other-signer"
    for sealed in ("SHA256SUMS", "manifest.json"):
        openssl = ("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{sealed}.p7s", "-content", sealed)
        trusting = ("-CAfile", str(site.folder / "sealer.pem"), "-purpose", "any", "-out", "/dev/null")
        subprocess.run((*openssl, *trusting), cwd=bundle, capture_output=True, check=True)


def test_the_same_lock_and_key_seal_the_same_bytes(site: Site) -> None:
    sealer = identity("LAB sealer", kind="rsa-2048")
    bundle = build(site, sealer)
    first = (bundle / "SHA256SUMS.p7s").read_bytes()
    again = site.run("build", *keys(site, "sealer", sealer), "--format", "json")
    assert (again.code, again.json["unchanged"]) == (0, True)
    shutil.rmtree(site.folder / "bundles")
    assert (build(site, sealer) / "SHA256SUMS.p7s").read_bytes() == first


def test_taking_the_seal_away_is_seen_and_an_unsealed_bundle_needs_the_switch(site: Site) -> None:
    sealer = identity("LAB sealer")
    believing = ("--signer", sealer.sha256)
    bundle = build(site, sealer)
    for seal in ("SHA256SUMS.p7s", "manifest.json.p7s"):
        copy = shutil.copytree(bundle, site.folder / seal / "arc-test-1.0")
        (copy / seal).unlink()
        assert verify(site, copy, *believing) == "no-seal"
    (bundle / "manifest.json.p7s").write_bytes((bundle / "SHA256SUMS.p7s").read_bytes())
    assert verify(site, bundle, *believing) == "bad-seal"
    assert verify(site, bundle, "--insecure-no-seal")["weakened"] == ["--insecure-no-seal"]
    site.define(version='"2.0"', outputs="[{format: directory}]")
    assert site.run("lock").code == 0
    assert "NOT SEALED" in site.run("build").out
    unsealed = site.folder / "bundles/arc-test/2.0/arc-test-2.0"
    assert verify(site, unsealed, *believing) == "no-seal"
    assert verify(site, unsealed, "--insecure-no-seal")["sealed_by"] is None


def test_two_and_a_half_ways_to_name_a_signer(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    sealer = identity("LAB sealer")
    bundle = build(site, sealer, seal=f"{{signers: ['sha256:{sealer.sha256}']}}")
    assert verify(site, bundle, "--definition", "bundle.yaml")["ok"]
    spelled = ":".join(sealer.sha256[at : at + 2] for at in range(0, 64, 2)).upper()
    assert verify(site, bundle, "--signer", spelled)["ok"]
    words = fingerprint_words.words(sealer.sha256)
    assert verify(site, bundle, "--signer", " ".join(words))["ok"]
    misheard = (*words[1:], words[0])
    assert verify(site, bundle, "--signer", " ".join(misheard)) == "usage"
    (site.folder / "a folder").mkdir()
    file = sealer.write(site.folder / "a folder", "the sealer")[1]
    told = (sealer.sha256, " ".join(words), "\n".join(fingerprint_words.lines(words)))
    fours = " ".join(fingerprint_words.digits(sealer.sha256))
    other = "0" * 64
    for written in (*told, fours, f"sha256: {fours}", f"{other} {sealer.sha256}", f"{other}\n{file}\n", str(file)):
        monkeypatch.setenv("ARC_BUNDLER_SIGNER", written)
        assert verify(site, bundle)["ok"], written
    assert verify(site, bundle, "--signer", "nowhere.pem") == "usage"
    assert verify(site, bundle, "--insecure-no-seal", "--signer", sealer.sha256) == "usage"


def test_inspect_tells_whom_the_manifest_names_and_judges_nothing(site: Site) -> None:
    sealer = identity("LAB sealer")
    told = site.run("inspect", str(build(site, sealer))).out
    assert f"seal      names CN=LAB sealer ({sealer.sha256})" in told
    assert "Nothing was judged" in told


def test_a_definition_says_who_may_seal(site: Site) -> None:
    named, other = identity("named"), identity("other")
    site.define(seal=f"{{signers: ['sha256:{named.sha256}']}}")
    unsealed = site.run("build", "--format", "json")
    assert (unsealed.code, unsealed.json["error"]["kind"]) == (8, "signing")
    wrong = site.run("build", *keys(site, "other", other), "--format", "json")
    assert (wrong.code, wrong.json["error"]["kind"]) == (8, "signing")
    assert not (site.folder / "bundles").exists()


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ({"ends": NOW - timedelta(hours=1)}, "valid until"),
        ({"starts": NOW + timedelta(hours=1)}, "valid from"),
        ({"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)}, "extended key usage"),
        ({"signs": False, "authority": True}, "digitalSignature"),
    ],
)
def test_a_certificate_that_may_not_seal_seals_nothing(site: Site, certificate: dict[str, object], said: str) -> None:
    ran = site.run("build", *keys(site, "unfit", identity(said, **certificate)), "--format", "json")
    assert ran.code == 8
    assert said in json.dumps(ran.json)
    assert not (site.folder / "bundles").exists()


def test_a_revoked_sealer_is_refused_by_the_list_of_its_issuer(site: Site) -> None:
    issuer = identity("LAB issuer", authority=True, purposes=())
    sealer = identity("LAB sealer", issuer=issuer)
    key, certificate = sealer.write(site.folder, "sealer")
    chain = site.folder / "chain.pem"
    chain.write_bytes(certificate.read_bytes() + issuer.write(site.folder, "issuer")[1].read_bytes())
    site.define(outputs="[{format: directory}]")
    assert site.run("build", "--seal-key", str(key), "--seal-certificate", str(chain)).code == 0
    bundle = site.folder / "bundles/arc-test/1.0/arc-test-1.0"
    lists = {
        "none": revocation_list(issuer),
        "revoked": revocation_list(issuer, sealer),
        "old": revocation_list(issuer, ends=NOW - timedelta(hours=1)),
        "forged": revocation_list(Identity(identity("stranger").key, issuer.certificate)),  # to hide who was revoked
        "rubbish": b"<html>",
    }
    said = {}
    for name, content in lists.items():
        (site.folder / name).write_bytes(content)
        found = verify(site, bundle, "--signer", sealer.sha256, "--revocation-list", name)
        said[name] = found if isinstance(found, str) else "ok"
    assert said == {
        "none": "ok", "revoked": "seal-revoked", "old": "seal-revoked", "forged": "seal-revoked", "rubbish": "usage",
    }  # fmt: skip


def test_a_revocation_list_that_tells_of_nobody_here_is_told(site: Site) -> None:
    sealer, stranger = identity("LAB sealer"), identity("LAB other issuer", authority=True, purposes=())
    bundle = build(site, sealer)
    (site.folder / "list").write_bytes(revocation_list(stranger))
    given = ("--signer", sealer.sha256, "--revocation-list", "list")
    assert verify(site, bundle, *given)["idle_revocation_lists"] == ["CN=LAB other issuer"]
    assert "list of 'CN=LAB other issuer' tells of nobody" in site.run("verify", str(bundle), *ANCHORS, *given).out
    assert verify(site, bundle, "--signer", sealer.sha256)["idle_revocation_lists"] == []


def test_a_signer_may_be_named_by_the_file_that_sealed_with_its_issuers(site: Site) -> None:
    issuer = identity("LAB issuer", authority=True, purposes=())
    sealer, stranger = identity("LAB sealer", issuer=issuer), identity("LAB stranger")
    bundle = build(site, sealer)
    chain, mixed = site.folder / "chain.pem", site.folder / "mixed.pem"
    for file, others in ((chain, [issuer]), (mixed, [issuer, stranger])):
        file.write_bytes(b"".join(one.write(site.folder, "one")[1].read_bytes() for one in (*others, sealer)))
    assert verify(site, bundle, "--signer", str(chain))["sealed_by"]["sha256"] == sealer.sha256
    assert verify(site, bundle, "--signer", str(mixed)) == "usage"


def test_a_revocation_list_of_an_issuer_who_did_not_travel_says_what_is_missing(site: Site) -> None:
    issuer = identity("LAB issuer", authority=True, purposes=())
    sealer = identity("LAB sealer", issuer=issuer)
    bundle = build(site, sealer)
    (site.folder / "list").write_bytes(revocation_list(issuer))
    ran = site.run("verify", str(bundle), "--signer", sealer.sha256, "--revocation-list", "list", *ANCHORS)
    assert ran.code == 6
    assert "its certificate is not here" in ran.err
    assert "--seal-certificate" in ran.err


APPROVAL = "{required: 2, approvers: [%s]}"


@pytest.fixture
def approvers(site: Site) -> dict[str, Identity]:
    made = {
        name: identity(name, kind=kind) for name, kind in (("aiko", "p-256"), ("ben", "rsa-2048"), ("eve", "p-384"))
    }
    for name, one in made.items():
        one.write(site.folder, name)
    return made


def test_a_bundle_is_believed_when_enough_have_approved_it(site: Site, approvers: dict[str, Identity]) -> None:
    sealer = identity("LAB sealer")
    believing = ("--signer", sealer.sha256)
    named = ", ".join(f"{{name: {name.title()}, certificate: {name}.pem}}" for name in ("aiko", "ben"))
    bundle = build(site, sealer, approval=APPROVAL % named)
    archive = bundle.with_name("arc-test-1.0.zip")
    digest = site.run("verify", str(bundle), *ANCHORS, "--insecure-no-seal", "--format", "json").json["digest"]
    for wrapped in (bundle, archive):
        assert verify(site, wrapped, *believing) == "missing-approval"
        given = ("--digest", digest, *believing, "--format", "json")
        other = site.run(
            "approve", str(wrapped), "--digest", "0" * 64, *believing, *keys(site, "aiko", approvers["aiko"])
        )
        assert other.code == 6
        assert site.run("approve", str(wrapped), *given, *keys(site, "eve", approvers["eve"])).code == 9
        first = site.run("approve", str(wrapped), *given, *keys(site, "aiko", approvers["aiko"]))
        assert (first.code, [one["name"] for one in first.json["approved_by"]]) == (0, ["Aiko"]), first.err
        assert verify(site, wrapped, *believing) == "missing-approval"
        apart = site.run("approve", str(wrapped), *given, "--detached", "ben.p7s", *keys(site, "ben", approvers["ben"]))
        assert apart.code == 0, apart.err
        assert site.run("approve", str(wrapped), "--attach", "ben.p7s", *believing).code == 0
        found = verify(site, wrapped, *believing)
        assert sorted(one["name"] for one in found["approved_by"]) == ["Aiko", "Ben"]
        assert found["digest"] == digest
    again = site.run("build", *keys(site, "sealer", sealer), "--format", "json")
    assert again.json["unchanged"]
    assert again.json["not_yet_approved"] == 0
    assert "next: arc-bundler verify" in site.run("build", *keys(site, "sealer", sealer)).out
    sums = archive.with_name(f"{archive.name}.sha256")
    subprocess.run(("sha256sum", "-c", sums.name), cwd=sums.parent, capture_output=True, check=True)
    stranger = bundle / f"approvals/{approvers['eve'].sha256[:16]}.p7s"
    stranger.write_bytes(next((bundle / "approvals").iterdir()).read_bytes())
    assert verify(site, bundle, *believing) == "unknown-approval"


def test_an_approval_takes_the_place_of_an_approval_and_of_nothing_else(
    site: Site, approvers: dict[str, Identity]
) -> None:
    sealer = identity("LAB sealer")
    bundle = build(site, sealer, approval="{required: 1, approvers: [{name: Aiko, certificate: aiko.pem}]}")
    digest = site.run("inspect", str(bundle), "--format", "json").json["digest"]
    own = keys(site, "aiko", approvers["aiko"])
    before = (site.folder / "aiko.key").read_bytes()
    for place, code in (("aiko.key", 7), ("aiko.p7s", 0), ("aiko.p7s", 0)):
        given = ("--digest", digest, "--signer", sealer.sha256, "--detached", place)
        assert site.run("approve", str(bundle), *given, *own).code == code
    assert (site.folder / "aiko.key").read_bytes() == before


def test_nobody_approves_what_another_sealed(site: Site, approvers: dict[str, Identity]) -> None:
    sealer = identity("LAB sealer")
    bundle = build(site, sealer, approval="{required: 1, approvers: [{name: Aiko, certificate: aiko.pem}]}")
    digest = site.run("inspect", str(bundle), "--format", "json").json["digest"]
    own = keys(site, "aiko", approvers["aiko"])
    for believing in ((), ("--signer", identity("stranger").sha256)):
        ran = site.run("approve", str(bundle), "--digest", digest, *believing, *own, "--format", "json")
        assert (ran.code, ran.json["error"]["reason"]) == (6, "other-signer")
    assert not (bundle / "approvals").exists()


def test_where_bundles_are_sealed_approvals_are_attached(
    site: Site, approvers: dict[str, Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline holds its key in variables, whatever it runs; and of several approvals the wrong one is named."""
    sealer = identity("LAB sealer")
    bundle = build(site, sealer, approval="{required: 1, approvers: [{name: Aiko, certificate: aiko.pem}]}")
    digest = site.run("inspect", str(bundle), "--format", "json").json["digest"]
    believing = ("--signer", sealer.sha256)
    own = keys(site, "aiko", approvers["aiko"])
    assert site.run("approve", str(bundle), *believing, "--digest", digest, "--detached", "aiko.p7s", *own).code == 0
    monkeypatch.setenv("ARC_BUNDLER_SEAL_KEY", "sealer.key")
    monkeypatch.setenv("ARC_BUNDLER_SEAL_CERTIFICATE", "sealer.pem")
    assert site.run("approve", str(bundle), *believing, "--attach", "aiko.p7s", *own).code == 2
    wrong = site.run("approve", str(bundle), *believing, "--attach", "aiko.p7s", "--attach", "aiko.pem")
    assert wrong.code == 6
    assert "aiko.pem is no approval" in wrong.err
    done = site.run("approve", str(bundle), *believing, "--attach", "aiko.p7s")
    assert done.code == 0, done.err


def test_nobody_approves_what_asks_for_no_approval(site: Site, approvers: dict[str, Identity]) -> None:
    sealer = identity("LAB sealer")
    bundle = build(site, sealer)
    ran = site.run(
        "approve", str(bundle), "--digest", "0" * 64, "--signer", sealer.sha256, *keys(site, "aiko", approvers["aiko"])
    )
    assert ran.code in (6, 9)
    (bundle / "approvals").mkdir()
    (bundle / "approvals/0123456789abcdef.p7s").write_bytes((bundle / "SHA256SUMS.p7s").read_bytes())
    assert verify(site, bundle, "--signer", sealer.sha256) == "extra-file"


def test_a_bundle_ends_when_its_definition_says(site: Site) -> None:
    sealer = identity("LAB sealer")
    bundle = build(site, sealer, seal="{valid_days: 30}")
    found = json.loads((bundle / "manifest.json").read_text())
    assert found["serial"] > 20_000_000_000_000
    assert found["not_after"] > found["created"]
    assert verify(site, bundle, "--signer", sealer.sha256)["ok"]
