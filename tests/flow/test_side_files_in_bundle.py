"""Files that a definition names are in the bundle, listed, checked by its scripts, and reported as unusual."""

from __future__ import annotations

import hashlib
import json

import yaml

THUMBPRINT = "DF3C24F9BFD666761B268073FE06D1CC8D4F82A4"
SCOPE = (
    "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/g"
    "/providers/Microsoft.HybridCompute/privateLinkScopes/pls"
)
RECORDS = {
    "gbl.his.arc.azure.com": "10.0.0.4",
    "je.his.arc.azure.com": "10.0.0.5",
    "agentserviceapi.guestconfiguration.azure.com": "10.0.0.6",
    "japaneast-gas.guestconfiguration.azure.com": "10.0.0.7",
}


def test_a_bundle_contains_and_lists_the_side_files(project):
    records = [{"fqdn": host, "ipAddresses": [address]} for host, address in RECORDS.items()]
    (project.folder / "pe.json").write_text(json.dumps(records), encoding="utf-8-sig")
    project.define(
        trust="{certificates: [{builtin: DigiCert Global Root G2}]}",
        network=f"{{profile: private-link, private_link_scope: {SCOPE}, private_link_records: pe.json}}",
        identity="{members: [app], environment: true, prove: true}",
        outputs="[{format: directory}, {format: zip, archives: per-platform}]",
    )
    built = project.run("build", "--format", "json")
    assert built.code == 0, built.err

    root = project.folder / "bundles/arc-test/1.0/arc-test-1.0"
    (certificate,) = (root / "payload/certificates").iterdir()
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    listed = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    sha256 = hashlib.sha256(certificate.read_bytes()).hexdigest()
    assert listed[f"payload/certificates/{certificate.name}"] == sha256
    assert [THUMBPRINT in what for what in manifest["unusual"]] == [True]
    assert manifest["parameters"]["hosts.gbl.his.arc.azure.com"] == "10.0.0.4"

    for script in ("install.sh", "install.ps1"):
        text = (root / script).read_text(encoding="ascii")
        # The header lists the file by its certificate's SHA-256; the runtime joins the path.
        assert certificate.stem in text
        assert "payload/certificates" in text
        assert sha256 in text

    settings = json.loads((root / "config/settings.json").read_text(encoding="utf-8"))["parameters"]
    assert {record["host"]: record["address"] for record in settings["hosts_records"]} == RECORDS
    assert settings["identity"] == {"members": ["app"], "environment": True, "prove": True}
    # A lab signs its MSI itself: Microsoft's root is not needed.
    assert {needed["needed_for"] for needed in settings["roots"]} == {"azure-tls"}

    for made in (root, project.made("-windows.zip"), project.made("-linux.zip")):
        assert (
            project.run("verify", "--insecure-no-seal", str(made), "--anchors", "lab/authority/anchors.json").code == 0
        )
        assert "unusual   carries the root DigiCert Global Root G2" in project.run("inspect", str(made)).out
    assert project.run("build", "--format", "json").json["unchanged"]


def test_a_definition_with_a_wrong_file_builds_nothing(project):
    definition = yaml.safe_load(project.definition.read_text(encoding="utf-8"))
    definition["trust"] = {"certificates": [{"file": "bundle.yaml"}]}
    project.definition.write_text(yaml.safe_dump(definition), encoding="utf-8")
    built = project.run("build", "--format", "json")
    assert built.code == 3
    (fault,) = built.json["error"]["faults"]
    assert fault["path"] == "trust.certificates.0"
    assert "not a certificate in PEM or DER" in fault["message"]
    assert not (project.folder / "bundles").exists()
