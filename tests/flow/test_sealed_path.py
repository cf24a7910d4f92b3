"""A bundle is built, sealed, approved and verified by the commands, and refused where another signer made it."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bundler.formats import fingerprint_words
from tests.support.lab_project import Project
from tests.support.sealers import NOW, Identity, identity, revocation_list

ANCHORS = ("--anchors", "lab/authority/anchors.json")


def keys(project: Project, name: str, made: Identity) -> tuple[str, ...]:
    key, certificate = made.write(project.folder, name)
    return "--seal-key", str(key), "--seal-certificate", str(certificate)


LINUX = '[{os: rhel, version: "9"}]'
"""Targets of a definition without warnings."""


def build(project: Project, made: Identity, **definition: str) -> Path:
    project.define(**{"outputs": "[{format: directory}, {format: zip}]", **definition})
    ran = project.run("build", *keys(project, "sealer", made), "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["sealed_by"]["sha256"] == made.sha256
    return project.folder / "bundles/arc-test/1.0/arc-test-1.0"


def verify(project: Project, bundle: Path, *signer: str) -> object:
    ran = project.run("verify", str(bundle), *ANCHORS, *signer, "--format", "json")
    return ran.json if ran.code == 0 else ran.json["error"].get("reason", ran.json["error"]["kind"])


@pytest.mark.parametrize("kind", ["rsa-2048", "p-256", "p-384"])
def test_a_sealed_bundle_verifies_by_its_signer_alone(project: Project, kind: str) -> None:
    sealer, stranger = identity("LAB sealer", kind=kind), identity("stranger")
    bundle = build(project, sealer)
    for wrapped in (bundle, bundle.with_name("arc-test-1.0.zip")):
        found = verify(project, wrapped, "--signer", f"sha256:{sealer.sha256}")
        assert found["sealed_by"]["name"] == "CN=LAB sealer"
        assert found["weakened"] == []
        assert verify(project, wrapped, "--signer", str(project.folder / "sealer.pem"))["ok"]
        assert verify(project, wrapped, "--signer", stranger.sha256) == "other-signer"
        assert verify(project, wrapped) == "other-signer"
    for sealed in ("SHA256SUMS", "manifest.json"):
        openssl = ("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{sealed}.p7s", "-content", sealed)
        trusting = ("-CAfile", str(project.folder / "sealer.pem"), "-purpose", "any", "-out", "/dev/null")
        subprocess.run((*openssl, *trusting), cwd=bundle, capture_output=True, check=True)


def test_who_has_no_fingerprint_is_not_told_it(project: Project) -> None:
    sealer, stranger = identity("LAB sealer"), identity("stranger")
    bundle = build(project, sealer)
    parts = fingerprint_words.digits(sealer.sha256)
    for signer in ((), ("--signer", stranger.sha256), ("--signer", " ".join(fingerprint_words.words(stranger.sha256)))):
        ran = project.run("verify", str(bundle), *ANCHORS, *signer)
        assert ran.code == 6
        assert "CN=LAB sealer" in ran.err
        assert not [part for part in parts if part in ran.out + ran.err], ran.err
    mistaken = fingerprint_words.words(sealer.sha256)
    for word, said in (("kuwait", "as word 3, which is not in the word list"), ("zoo", "checksum")):
        given = " ".join([*mistaken[:2], word if mistaken[2] != word else "zone", *mistaken[3:]])
        ran = project.run("verify", str(bundle), *ANCHORS, "--signer", given)
        assert (ran.code, said in ran.err) == (2, True), ran.err
        assert mistaken[2] not in ran.err.replace(given, "")


def test_the_fingerprint_is_written_above_the_outputs_and_nowhere_in_them(project: Project) -> None:
    sealer = identity("LAB sealer")
    bundle = build(project, sealer)
    file = project.folder / "arc-test-1.0.fingerprint.txt"
    text = file.read_text(encoding="utf-8")
    words, digits = fingerprint_words.words(sealer.sha256), fingerprint_words.digits(sealer.sha256)
    digest = project.run("verify", str(bundle), *ANCHORS, "--insecure-no-seal", "--format", "json").json["digest"]
    assert text.startswith("Send this by another channel, never with the bundle.\n")
    plain = " ".join(text.split())
    places = [plain.index(" ".join(part)) for part in (digits[:8], words[:8])] + [plain.index(digest)]
    assert places == sorted(places)
    outputs = project.folder / "bundles"
    assert not list(outputs.rglob("*fingerprint*"))
    told = (bundle / "START-HERE.txt").read_text(encoding="utf-8")
    assert sealer.sha256 not in told
    assert not [part for part in (*digits, " ".join(words[:8])) if part in told]
    # A second build writes it again, and names it.
    file.unlink()
    again = project.run("build", *keys(project, "sealer", sealer), "--format", "json")
    assert again.json["unchanged"]
    assert Path(again.json["fingerprint_file"]).samefile(file)
    assert file.read_text(encoding="utf-8") == text
    assert str(file.name) in project.run("build", *keys(project, "sealer", sealer)).out
    unsealed = project.run("build", "--output", "other/bundles", "--format", "json")
    assert unsealed.json["fingerprint_file"] == ""
    assert not list((project.folder / "other").glob("*.fingerprint.txt"))


def test_a_fingerprint_beside_the_bundle_is_warned_of(project: Project) -> None:
    sealer = identity("LAB sealer")
    bundle = build(project, sealer, targets=LINUX)
    archive = bundle.with_name("arc-test-1.0.zip")
    for wrapped in (bundle, archive):
        assert verify(project, wrapped, "--signer", sealer.sha256)["warnings"] == []
    shutil.copy(project.folder / "arc-test-1.0.fingerprint.txt", archive.parent)
    for wrapped in (bundle, archive):
        (warning,) = verify(project, wrapped, "--signer", sealer.sha256)["warnings"]
        assert warning.startswith("arc-test-1.0.fingerprint.txt lies beside this bundle")


def test_a_folder_above_the_outputs_that_takes_no_file_is_a_warning(project: Project) -> None:
    sealer = identity("LAB sealer")
    project.define(outputs="[{format: zip}]", targets=LINUX)
    (project.folder / "arc-test-1.0.fingerprint.txt").mkdir()
    ran = project.run("build", *keys(project, "sealer", sealer), "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.json["fingerprint_file"] == ""
    assert "the file with the fingerprint could not be written" in ran.json["warnings"][0]


def test_the_same_lock_and_key_seal_the_same_bytes(project: Project) -> None:
    sealer = identity("LAB sealer", kind="rsa-2048")
    bundle = build(project, sealer)
    first = (bundle / "SHA256SUMS.p7s").read_bytes()
    again = project.run("build", *keys(project, "sealer", sealer), "--format", "json")
    assert (again.code, again.json["unchanged"]) == (0, True)
    shutil.rmtree(project.folder / "bundles")
    assert (build(project, sealer) / "SHA256SUMS.p7s").read_bytes() == first


def test_taking_the_seal_away_is_seen_and_an_unsealed_bundle_needs_the_switch(project: Project) -> None:
    sealer = identity("LAB sealer")
    trust_options = ("--signer", sealer.sha256)
    bundle = build(project, sealer)
    for seal in ("SHA256SUMS.p7s", "manifest.json.p7s"):
        copy = shutil.copytree(bundle, project.folder / seal / "arc-test-1.0")
        (copy / seal).unlink()
        assert verify(project, copy, *trust_options) == "no-seal"
    (bundle / "manifest.json.p7s").write_bytes((bundle / "SHA256SUMS.p7s").read_bytes())
    assert verify(project, bundle, *trust_options) == "bad-seal"
    assert verify(project, bundle, "--insecure-no-seal")["weakened"] == ["--insecure-no-seal"]
    project.define(version='"2.0"', outputs="[{format: directory}]")
    assert project.run("lock").code == 0
    assert "NOT SIGNED" in project.run("build").out
    unsealed = project.folder / "bundles/arc-test/2.0/arc-test-2.0"
    assert verify(project, unsealed, *trust_options) == "no-seal"
    assert verify(project, unsealed, "--insecure-no-seal")["sealed_by"] is None


def test_two_and_a_half_ways_to_name_a_signer(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    sealer = identity("LAB sealer")
    bundle = build(project, sealer, seal=f"{{signers: ['sha256:{sealer.sha256}']}}")
    assert verify(project, bundle, "--definition", "bundle.yaml")["ok"]
    spelled = ":".join(sealer.sha256[at : at + 2] for at in range(0, 64, 2)).upper()
    assert verify(project, bundle, "--signer", spelled)["ok"]
    words = fingerprint_words.words(sealer.sha256)
    assert verify(project, bundle, "--signer", " ".join(words))["ok"]
    misheard = (*words[1:], words[0])
    assert verify(project, bundle, "--signer", " ".join(misheard)) == "usage"
    (project.folder / "a folder").mkdir()
    file = sealer.write(project.folder / "a folder", "the sealer")[1]
    told = (sealer.sha256, " ".join(words), "\n".join(fingerprint_words.lines(words)))
    fours = " ".join(fingerprint_words.digits(sealer.sha256))
    other = "0" * 64
    for written in (*told, fours, f"sha256: {fours}", f"{other} {sealer.sha256}", f"{other}\n{file}\n", str(file)):
        monkeypatch.setenv("ARC_BUNDLER_SIGNER", written)
        assert verify(project, bundle)["ok"], written
    assert verify(project, bundle, "--signer", "nowhere.pem") == "usage"
    assert verify(project, bundle, "--insecure-no-seal", "--signer", sealer.sha256) == "usage"


def test_inspect_names_the_sealer_and_verifies_nothing(project: Project) -> None:
    sealer = identity("LAB sealer")
    told = project.run("inspect", str(build(project, sealer))).out
    assert f"seal      names CN=LAB sealer ({sealer.sha256})" in told
    assert "Not verified" in told


def test_a_definition_lists_the_accepted_sealers(project: Project) -> None:
    named, other = identity("named"), identity("other")
    project.define(seal=f"{{signers: ['sha256:{named.sha256}']}}")
    unsealed = project.run("build", "--format", "json")
    assert (unsealed.code, unsealed.json["error"]["kind"]) == (8, "signing")
    wrong = project.run("build", *keys(project, "other", other), "--format", "json")
    assert (wrong.code, wrong.json["error"]["kind"]) == (8, "signing")
    assert not (project.folder / "bundles").exists()


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ({"ends": NOW - timedelta(hours=1)}, "valid until"),
        ({"starts": NOW + timedelta(hours=1)}, "valid from"),
        ({"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)}, "extended key usage"),
        ({"signs": False, "authority": True}, "digitalSignature"),
    ],
)
def test_a_certificate_that_may_not_seal_seals_nothing(
    project: Project, certificate: dict[str, object], said: str
) -> None:
    ran = project.run("build", *keys(project, "unfit", identity(said, **certificate)), "--format", "json")
    assert ran.code == 8
    assert said in json.dumps(ran.json)
    assert not (project.folder / "bundles").exists()


def test_a_revoked_sealer_is_refused_by_the_list_of_its_issuer(project: Project) -> None:
    issuer = identity("LAB issuer", authority=True, purposes=())
    sealer = identity("LAB sealer", issuer=issuer)
    key, certificate = sealer.write(project.folder, "sealer")
    chain = project.folder / "chain.pem"
    chain.write_bytes(certificate.read_bytes() + issuer.write(project.folder, "issuer")[1].read_bytes())
    project.define(outputs="[{format: directory}]")
    assert project.run("build", "--seal-key", str(key), "--seal-certificate", str(chain)).code == 0
    bundle = project.folder / "bundles/arc-test/1.0/arc-test-1.0"
    lists = {
        "none": revocation_list(issuer),
        "revoked": revocation_list(issuer, sealer),
        "old": revocation_list(issuer, ends=NOW - timedelta(hours=1)),
        "forged": revocation_list(Identity(identity("stranger").key, issuer.certificate)),  # to hide who was revoked
        "rubbish": b"<html>",
    }
    said = {}
    for name, content in lists.items():
        (project.folder / name).write_bytes(content)
        found = verify(project, bundle, "--signer", sealer.sha256, "--revocation-list", name)
        said[name] = found if isinstance(found, str) else "ok"
    assert said == {
        "none": "ok", "revoked": "seal-revoked", "old": "seal-revoked", "forged": "seal-revoked", "rubbish": "usage",
    }  # fmt: skip


def test_an_unused_revocation_list_is_reported(project: Project) -> None:
    sealer, stranger = identity("LAB sealer"), identity("LAB other issuer", authority=True, purposes=())
    bundle = build(project, sealer)
    (project.folder / "list").write_bytes(revocation_list(stranger))
    given = ("--signer", sealer.sha256, "--revocation-list", "list")
    assert verify(project, bundle, *given)["unused_revocation_lists"] == ["CN=LAB other issuer"]
    assert (
        "list of 'CN=LAB other issuer' applies to none of this bundle's signers"
        in project.run("verify", str(bundle), *ANCHORS, *given).out
    )
    assert verify(project, bundle, "--signer", sealer.sha256)["unused_revocation_lists"] == []


def test_a_signer_may_be_named_by_the_file_that_sealed_with_its_issuers(project: Project) -> None:
    issuer = identity("LAB issuer", authority=True, purposes=())
    sealer, stranger = identity("LAB sealer", issuer=issuer), identity("LAB stranger")
    bundle = build(project, sealer)
    chain, mixed = project.folder / "chain.pem", project.folder / "mixed.pem"
    for file, others in ((chain, [issuer]), (mixed, [issuer, stranger])):
        file.write_bytes(b"".join(one.write(project.folder, "one")[1].read_bytes() for one in (*others, sealer)))
    assert verify(project, bundle, "--signer", str(chain))["sealed_by"]["sha256"] == sealer.sha256
    assert verify(project, bundle, "--signer", str(mixed)) == "usage"


def test_a_revocation_list_of_a_missing_issuer_names_what_is_missing(project: Project) -> None:
    issuer = identity("LAB issuer", authority=True, purposes=())
    sealer = identity("LAB sealer", issuer=issuer)
    bundle = build(project, sealer)
    (project.folder / "list").write_bytes(revocation_list(issuer))
    ran = project.run("verify", str(bundle), "--signer", sealer.sha256, "--revocation-list", "list", *ANCHORS)
    assert ran.code == 6
    assert "certificate is missing" in ran.err
    assert "--seal-certificate" in ran.err


APPROVAL = "{required: 2, approvers: [%s]}"


@pytest.fixture
def approvers(project: Project) -> dict[str, Identity]:
    made = {
        name: identity(name, kind=kind) for name, kind in (("aiko", "p-256"), ("ben", "rsa-2048"), ("eve", "p-384"))
    }
    for name, one in made.items():
        one.write(project.folder, name)
    return made


def test_a_bundle_verifies_with_enough_approvals(project: Project, approvers: dict[str, Identity]) -> None:
    sealer = identity("LAB sealer")
    trust_options = ("--signer", sealer.sha256)
    named = ", ".join(f"{{name: {name.title()}, certificate: {name}.pem}}" for name in ("aiko", "ben"))
    bundle = build(project, sealer, approval=APPROVAL % named)
    archive = bundle.with_name("arc-test-1.0.zip")
    digest = project.run("verify", str(bundle), *ANCHORS, "--insecure-no-seal", "--format", "json").json["digest"]
    for wrapped in (bundle, archive):
        assert verify(project, wrapped, *trust_options) == "missing-approval"
        given = ("--digest", digest, *trust_options, "--format", "json")
        other = project.run(
            "approve", str(wrapped), "--digest", "0" * 64, *trust_options, *keys(project, "aiko", approvers["aiko"])
        )
        assert other.code == 6
        # The right digest would be copied instead of reviewed.
        assert digest not in other.out + other.err
        assert digest[:8] not in other.out + other.err
        assert project.run("approve", str(wrapped), *given, *keys(project, "eve", approvers["eve"])).code == 9
        first = project.run("approve", str(wrapped), *given, *keys(project, "aiko", approvers["aiko"]))
        assert (first.code, [one["name"] for one in first.json["approved_by"]]) == (0, ["Aiko"]), first.err
        assert verify(project, wrapped, *trust_options) == "missing-approval"
        apart = project.run(
            "approve", str(wrapped), *given, "--detached", "ben.p7s", *keys(project, "ben", approvers["ben"])
        )
        assert apart.code == 0, apart.err
        assert project.run("approve", str(wrapped), "--attach", "ben.p7s", *trust_options).code == 0
        found = verify(project, wrapped, *trust_options)
        assert sorted(one["name"] for one in found["approved_by"]) == ["Aiko", "Ben"]
        assert found["digest"] == digest
    again = project.run("build", *keys(project, "sealer", sealer), "--format", "json")
    assert again.json["unchanged"]
    assert again.json["missing_approvals"] == 0
    assert "next: arc-bundler verify" in project.run("build", *keys(project, "sealer", sealer)).out
    sums = archive.with_name(f"{archive.name}.sha256")
    subprocess.run(("sha256sum", "-c", sums.name), cwd=sums.parent, capture_output=True, check=True)
    stranger = bundle / f"approvals/{approvers['eve'].sha256[:16]}.p7s"
    stranger.write_bytes(next((bundle / "approvals").iterdir()).read_bytes())
    assert verify(project, bundle, *trust_options) == "unknown-approval"


def test_an_approval_takes_the_place_of_an_approval_and_of_nothing_else(
    project: Project, approvers: dict[str, Identity]
) -> None:
    sealer = identity("LAB sealer")
    bundle = build(project, sealer, approval="{required: 1, approvers: [{name: Aiko, certificate: aiko.pem}]}")
    digest = project.run("inspect", str(bundle), "--format", "json").json["digest"]
    own = keys(project, "aiko", approvers["aiko"])
    before = (project.folder / "aiko.key").read_bytes()
    for place, code in (("aiko.key", 7), ("aiko.p7s", 0), ("aiko.p7s", 0)):
        given = ("--digest", digest, "--signer", sealer.sha256, "--detached", place)
        assert project.run("approve", str(bundle), *given, *own).code == code
    assert (project.folder / "aiko.key").read_bytes() == before


def test_a_bundle_sealed_by_another_cannot_be_approved(project: Project, approvers: dict[str, Identity]) -> None:
    sealer = identity("LAB sealer")
    bundle = build(project, sealer, approval="{required: 1, approvers: [{name: Aiko, certificate: aiko.pem}]}")
    digest = project.run("inspect", str(bundle), "--format", "json").json["digest"]
    own = keys(project, "aiko", approvers["aiko"])
    for trust_options in ((), ("--signer", identity("stranger").sha256)):
        ran = project.run("approve", str(bundle), "--digest", digest, *trust_options, *own, "--format", "json")
        assert (ran.code, ran.json["error"]["reason"]) == (6, "other-signer")
    assert not (bundle / "approvals").exists()


def test_where_bundles_are_sealed_approvals_are_attached(
    project: Project, approvers: dict[str, Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline holds its key in variables, whatever it runs; and of several approvals the wrong one is named."""
    sealer = identity("LAB sealer")
    bundle = build(project, sealer, approval="{required: 1, approvers: [{name: Aiko, certificate: aiko.pem}]}")
    digest = project.run("inspect", str(bundle), "--format", "json").json["digest"]
    trust_options = ("--signer", sealer.sha256)
    own = keys(project, "aiko", approvers["aiko"])
    assert (
        project.run("approve", str(bundle), *trust_options, "--digest", digest, "--detached", "aiko.p7s", *own).code
        == 0
    )
    monkeypatch.setenv("ARC_BUNDLER_SEAL_KEY", "sealer.key")
    monkeypatch.setenv("ARC_BUNDLER_SEAL_CERTIFICATE", "sealer.pem")
    assert project.run("approve", str(bundle), *trust_options, "--attach", "aiko.p7s", *own).code == 2
    wrong = project.run("approve", str(bundle), *trust_options, "--attach", "aiko.p7s", "--attach", "aiko.pem")
    assert wrong.code == 6
    assert "aiko.pem is not an approval" in wrong.err
    done = project.run("approve", str(bundle), *trust_options, "--attach", "aiko.p7s")
    assert done.code == 0, done.err


def test_a_bundle_that_demands_no_approval_cannot_be_approved(project: Project, approvers: dict[str, Identity]) -> None:
    sealer = identity("LAB sealer")
    bundle = build(project, sealer)
    ran = project.run(
        "approve",
        str(bundle),
        "--digest",
        "0" * 64,
        "--signer",
        sealer.sha256,
        *keys(project, "aiko", approvers["aiko"]),
    )
    assert ran.code in (6, 9)
    (bundle / "approvals").mkdir()
    (bundle / "approvals/0123456789abcdef.p7s").write_bytes((bundle / "SHA256SUMS.p7s").read_bytes())
    assert verify(project, bundle, "--signer", sealer.sha256) == "extra-file"


def test_a_bundle_expires_as_its_definition_states(project: Project) -> None:
    sealer = identity("LAB sealer")
    bundle = build(project, sealer, seal="{valid_days: 30}")
    found = json.loads((bundle / "manifest.json").read_text())
    assert found["serial"] > 20_000_000_000_000
    assert found["not_after"] > found["created"]
    assert verify(project, bundle, "--signer", sealer.sha256)["ok"]
