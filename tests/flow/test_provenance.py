"""The provenance beside a sealed bundle: what it states about a build, and every way in which it is refused."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from bundler.errors import VerificationError
from bundler.flow import provenance
from bundler.formats import dsse, json_codec
from bundler.model.manifest import Manifest
from bundler.signing import dsse_writer, keys
from bundler.trust import dsse_signature
from tests.support import tar_parts
from tests.support.sealers import identity

DOCS = Path(__file__).resolve().parents[2] / "docs"
ANCHORS = ("--anchors", "lab/authority/anchors.json")
NAME = "arc-test-1.0.provenance.intoto.json"


def build(project, sealer=None, **definition):
    project.define(**definition)
    given = ()
    if sealer:
        key, certificate = sealer.write(project.folder, "sealer")
        given = ("--seal-key", str(key), "--seal-certificate", str(certificate))
    return project.run("build", *given, "--format", "json")


@pytest.fixture
def sealer():
    return identity("LAB sealer", kind="rsa-2048")


@pytest.fixture
def built(project, sealer) -> Path:
    ran = build(project, sealer, outputs="[{format: directory}, {format: zip}, {format: tar.gz}]")
    assert ran.code == 0, ran.err
    return project.folder / "bundles/arc-test/1.0"


def statement(folder: Path):
    envelope = json.loads((folder / NAME).read_bytes())
    return json.loads(base64.b64decode(envelope["payload"]))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest(folder: Path) -> Manifest:
    return json_codec.from_json(Manifest, (folder / "arc-test-1.0/manifest.json").read_bytes())


def signing(project, one, name="other"):
    return keys.read(*one.write(project.folder, name), lambda: "", warn=print)


def certificate(project) -> x509.Certificate:
    return x509.load_pem_x509_certificate((project.folder / "sealer.pem").read_bytes())


def test_its_subjects_are_the_archives_and_the_bundle_s_digest(built):
    stated = statement(built)
    assert stated["_type"] == "https://in-toto.io/Statement/v1"
    assert stated["predicateType"] == "https://slsa.dev/provenance/v1"
    assert {one["name"]: one["digest"] for one in stated["subject"]} == {
        name: {"sha256": sha256(built / name)}
        for name in ("arc-test-1.0.zip", "arc-test-1.0.tar.gz", "arc-test-1.0/SHA256SUMS")
    }


def test_its_parameters_are_those_of_lock_and_manifest(built, project):
    definition = statement(built)["predicate"]["buildDefinition"]
    lock = json.loads(project.lock.read_bytes())
    assert definition["buildType"] == provenance.BUILD_TYPE
    given = definition["externalParameters"]
    assert given["lock"] == {"sha256": sha256(project.lock), "created": lock["created"]}
    assert given["definition"]["sha256"] == lock["definition"]
    assert given["anchors"]["sha256"] == sha256(built / "arc-test-1.0/evidence/anchors.json")
    assert given["switches"] == []


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_parameters_digest_is_as_documented(built):
    path = built / "arc-test-1.0/manifest.json"
    printed = subprocess.run(["jq", "-S", ".parameters", path], capture_output=True, check=True).stdout
    given = statement(built)["predicate"]["buildDefinition"]["externalParameters"]
    assert given["parameters"]["sha256"] == hashlib.sha256(printed).hexdigest()


def test_its_inputs_are_every_package_and_every_document_of_a_repository(built):
    found = statement(built)["predicate"]["buildDefinition"]["resolvedDependencies"]
    inputs = {one["name"]: (one["uri"], one["digest"]["sha256"]) for one in found}
    root = built / "arc-test-1.0"
    assert {name: sha256(root / name) for name in inputs} == {name: digest for name, (_, digest) in inputs.items()}
    assert {pin.path for pin in manifest(built).pins} <= set(inputs)
    assert "evidence/ubuntu/22.04/amd64/InRelease" in inputs
    assert inputs["evidence/rhel/9/x86_64/repomd.xml"][0].endswith("/repodata/repomd.xml")


def test_it_names_the_builder_and_reads_no_clock(built):
    run = statement(built)["predicate"]["runDetails"]
    assert run["builder"]["id"] == provenance.BUILDER
    assert manifest(built).tool == "arc-bundler " + run["builder"]["version"]["arc-bundler"]
    assert set(run["metadata"]) == {"invocationId"}


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_it_verifies_without_our_code_as_documented(built, project):
    """The commands of docs/sbom.md, beside the archives."""
    commands = re.search(r"```bash\n(.*?)```", (DOCS / "sbom.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    shutil.copy(project.folder / "sealer.pem", built)

    def run() -> subprocess.CompletedProcess[str]:
        script = f"set -euo pipefail; FILE={NAME}\n{commands}"
        return subprocess.run(["bash", "-c", script], cwd=built, capture_output=True, text=True, check=False)

    ran = run()
    assert ran.returncode == 0, ran.stderr
    assert "Verified OK" in ran.stdout
    assert "arc-test-1.0.zip: OK" in ran.stdout
    envelope = json.loads((built / NAME).read_bytes())
    payload = base64.b64decode(envelope["payload"]).replace(b"arc-test", b"arc-tesu", 1)
    envelope["payload"] = base64.b64encode(payload).decode()
    (built / NAME).write_text(json.dumps(envelope))
    assert run().returncode != 0


def test_the_same_lock_and_key_say_the_same_bytes(built, project, sealer):
    first = (built / NAME).read_bytes()
    shutil.rmtree(project.folder / "bundles")
    assert build(project, sealer, outputs="[{format: directory}, {format: zip}, {format: tar.gz}]").code == 0
    assert (built / NAME).read_bytes() == first


def test_an_earlier_build_without_its_provenance_or_with_another_is_not_the_same(built, project, sealer):
    outputs = "[{format: directory}, {format: zip}, {format: tar.gz}]"
    assert build(project, sealer, outputs=outputs).json["unchanged"] is True
    written = (built / NAME).read_bytes()
    for other in (None, written[:-2], written.replace(b'"sig": "', b'"sig": "AAAA')):
        (built / NAME).unlink(missing_ok=True)
        if other is not None:
            (built / NAME).write_bytes(other)
        assert build(project, sealer, outputs=outputs).code == 7
    (built / NAME).write_bytes(written)
    assert build(project, sealer, outputs=outputs).code == 0


def test_no_provenance_is_written_without_a_sealer(project):
    assert build(project, outputs="[{format: zip}]").code == 0
    assert not list((project.folder / "bundles").rglob("*.intoto.json"))


def test_one_archive_a_platform_has_one_provenance_of_both(project, sealer):
    ran = build(project, sealer, outputs="[{format: zip, archives: per-platform}]")
    assert ran.code == 0, ran.err
    folder = project.folder / "bundles/arc-test/1.0"
    assert {one["name"] for one in statement(folder)["subject"]} == {
        f"arc-test-1.0-{platform}{rest}" for platform in ("linux", "windows") for rest in (".zip", "/SHA256SUMS")
    }
    for platform in ("linux", "windows"):
        bundle = str(folder / f"arc-test-1.0-{platform}.zip")
        found = project.run("verify", bundle, *ANCHORS, "--signer", sealer.sha256, "--format", "json")
        assert found.json["provenance"]["builder"] == provenance.BUILDER


def test_verify_accepts_it_and_refuses_another(built, project, sealer):
    def verify():
        ran = project.run(
            "verify", str(built / "arc-test-1.0.zip"), *ANCHORS, "--signer", sealer.sha256, "--format", "json"
        )
        return ran.json["provenance"] if ran.code == 0 else ran.json["error"]["reason"]

    written = (built / NAME).read_bytes()
    assert verify()["tool"] == manifest(built).tool
    payload = base64.b64decode(json.loads(written)["payload"])
    stranger = identity("stranger")
    (built / NAME).write_bytes(dsse_writer.sign(payload, dsse.IN_TOTO, signing(project, stranger)))
    assert verify() == "other-signer"
    (built / NAME).write_bytes(written[:100] + b"A" + written[101:])
    assert verify() == "bad-provenance"
    told = project.run("verify", str(built / "arc-test-1.0.zip"), *ANCHORS, "--signer", sealer.sha256)
    assert NAME in told.err
    (built / NAME).unlink()
    assert verify() is None


def edited(payload: bytes, change) -> bytes:
    body = json.loads(payload)
    change(body)
    return (json.dumps(body, indent=2) + "\n").encode()


def parameters(body):
    return body["predicate"]["buildDefinition"]["externalParameters"]


CHANGES = {
    "another bundle": (lambda body: body["subject"].clear(), "other-bundle"),
    "another predicate": (lambda body: body.update(predicateType="https://slsa.dev/provenance/v0.2"), "bad-provenance"),
    "another statement": (lambda body: body.update(_type="https://in-toto.io/Statement/v0.1"), "bad-provenance"),
    "another lock": (lambda body: parameters(body)["lock"].update(sha256="0" * 64), "bad-provenance"),
    "other parameters": (lambda body: parameters(body)["parameters"].update(sha256="0" * 64), "bad-provenance"),
    "a switch": (lambda body: parameters(body)["switches"].append("--insecure-x"), "bad-provenance"),
    "one more parameter": (lambda body: parameters(body).update(more="x"), "bad-provenance"),
    "another builder": (lambda body: body["predicate"]["runDetails"]["builder"].update(id="urn:x"), "bad-provenance"),
    "no predicate": (lambda body: body.update(predicate={}), "bad-provenance"),
    "a missing input": (
        lambda body: body["predicate"]["buildDefinition"]["resolvedDependencies"].pop(0),
        "bad-provenance",
    ),
}


def test_the_sealer_s_statement_about_another_subject_is_refused(built, project, sealer):
    payload = dsse_signature.verify((built / NAME).read_bytes(), certificate(project))
    digest = sha256(built / "arc-test-1.0/SHA256SUMS")

    def verified(payload: bytes) -> provenance.Provenance:
        document = provenance.signed(payload, signing(project, sealer))
        return provenance.check(document, certificate(project), manifest(built), digest=digest)

    assert verified(payload).builder == provenance.BUILDER
    for name, (change, reason) in CHANGES.items():
        with pytest.raises(VerificationError) as caught:
            verified(edited(payload, change))
        assert caught.value.reason == reason, name
    for rubbish in (b"", b"[]", b"{}", b"[" * 100_000, b'{"subject": 7}'):
        with pytest.raises(VerificationError) as caught:
            verified(rubbish)
        assert caught.value.reason == "bad-provenance"


def verified(project, path: Path, sealer):
    return project.run("verify", str(path), *ANCHORS, "--signer", sealer.sha256, "--format", "json")


def deflated(path: Path) -> bytes:
    """The same tar, deflated: its form is accepted, its bytes are others."""
    return tar_parts.gzip(gzip.decompress(path.read_bytes()))


def test_an_archive_is_held_to_the_digests_beside_it(built, project, sealer):
    for name in ("arc-test-1.0.zip", "arc-test-1.0.tar.gz"):
        assert verified(project, built / name, sealer).json["provenance"]["archive"] == "as-built"
    assert verified(project, built / "arc-test-1.0", sealer).json["provenance"]["archive"] == "none"
    path = built / "arc-test-1.0.tar.gz"
    path.write_bytes(deflated(path))
    ran = verified(project, path, sealer)
    assert (ran.code, ran.json["error"]["reason"]) == (6, "other-archive")
    assert "verify that folder" in ran.json["error"]["do"]
    (built / NAME).unlink()
    assert verified(project, path, sealer).code == 0  # nothing is beside it that names another


def test_a_renamed_archive_is_still_the_one_that_was_built(built, project, sealer):
    path = (built / "arc-test-1.0.zip").rename(built / "renamed")
    assert verified(project, path, sealer).json["provenance"]["archive"] == "as-built"


def test_the_archive_of_another_output_is_not_mistaken(built, project, sealer):
    """The digest of SHA256SUMS is a subject, too, and no archive."""
    path = built / "arc-test-1.0.zip"
    assert verified(project, path, sealer).code == 0
    archives = {one["digest"]["sha256"] for one in statement(built)["subject"] if "SHA256SUMS" not in one["name"]}
    assert archives == {sha256(path), sha256(built / "arc-test-1.0.tar.gz")}


def test_an_approved_archive_is_held_to_what_it_was_before(project, sealer):
    aiko = identity("aiko")
    aiko.write(project.folder, "aiko")
    ran = build(
        project,
        sealer,
        outputs="[{format: directory}, {format: zip}, {format: tar.gz}, {format: 7z}]",
        approval="{required: 1, approvers: [{name: Aiko, certificate: aiko.pem}]}",
    )
    assert ran.code == 0, ran.err
    folder = project.folder / "bundles/arc-test/1.0"
    digest = sha256(folder / "arc-test-1.0/SHA256SUMS")
    approving = (
        "--digest",
        digest,
        "--seal-key",
        "aiko.key",
        "--seal-certificate",
        "aiko.pem",
        "--signer",
        sealer.sha256,
    )
    matches = {}
    for kind in ("zip", "tar.gz", "7z"):
        path = folder / f"arc-test-1.0.{kind}"
        ran = project.run("approve", str(path), *approving)
        assert ran.code == 0, ran.err
        matches[kind] = verified(project, path, sealer).json["provenance"]["archive"]
    assert matches == {"zip": "approvals-added", "tar.gz": "approvals-added", "7z": "not-compared"}
    path = folder / "arc-test-1.0.tar.gz"
    path.write_bytes(deflated(path))
    assert verified(project, path, sealer).json["error"]["reason"] == "other-archive"


def test_an_earlier_build_with_another_archive_is_not_the_same(built, project, sealer):
    path = built / "arc-test-1.0.tar.gz"
    path.write_bytes(deflated(path))
    path.with_name(f"{path.name}.sha256").write_text(f"{sha256(path)}  {path.name}\n")
    ran = build(project, sealer, outputs="[{format: directory}, {format: zip}, {format: tar.gz}]")
    assert (ran.code, "provenance names" in ran.err) == (7, True)
