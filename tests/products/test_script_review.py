"""Every script can be made again from the manifest and config/settings.json: what a header shows stands in the two."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest

from bundler.errors import VerificationError
from bundler.formats import json_codec, script_runtime
from bundler.model.manifest import Manifest
from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server import script_review
from tests.support import sample_bundles as sample
from tests.support.sealed_bundles import NOW, OpenPgp, Recipe, contents, signer

RSA = signer("rsa2048", "LAB sealer")
ISSUED = signer("rsa2048", "LAB issued", issuer="LAB issuer")
CURVE = signer("p384", "LAB curve")
APPROVERS = (signer("p256", "Aiko"), signer("rsa2048", "Ben"))
HELD = {one.path: b"a certificate\n" for one in sample.HOSTILE.certificates}
RECORDS = dataclasses.replace(
    sample.INTERACTIVE,
    hosts_records=tuple(HostRecord(host=f"h{at}.his.arc.azure.com", address=f"10.0.0.{at}") for at in range(1, 13)),
)
KINDS = {
    **{name: Recipe(parameters=parameters, extra=HELD) for name, parameters in sample.ONBOARDINGS.items()},
    "thumbprint": Recipe(parameters=sample.THUMBPRINT, pins=(sample.MSI,)),
    "linux": Recipe(pins=(sample.DEB,)),
    "lab": Recipe(lab=True),
    "records": Recipe(parameters=RECORDS),
    "keys": Recipe(extra={"payload/keys/A.asc": b"a key\n"}),
    "rsa": Recipe(sealer=RSA, serial=20261122050000, not_after=NOW + timedelta(days=90)),
    "issued": Recipe(sealer=ISSUED, serial=1),
    "curve": Recipe(sealer=CURVE, serial=1),
    "openpgp": Recipe(sealer=RSA, openpgp=OpenPgp(), serial=1),
    "approved": Recipe(sealer=CURVE, approvers=APPROVERS, required=1, serial=1),
    "all": Recipe(
        sealer=ISSUED,
        openpgp=OpenPgp(),
        approvers=APPROVERS,
        required=2,
        serial=2,
        not_after=NOW,
        lab=True,
        parameters=sample.HOSTILE,
        extra={**HELD, "payload/keys/A.asc": b"a key\n"},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_bundle_is_rendered_from_manifest_and_settings_alone(kind):
    files = contents(KINDS[kind])
    manifest = json_codec.from_json(Manifest, files["manifest.json"])
    made = script_review.rendered(manifest, files["config/settings.json"])
    assert made == {path: content for path, content in files.items() if script_runtime.is_script(path)}
    assert made


def test_what_the_manifest_lacks_is_seen_in_the_header():
    """So that the test above could fail."""
    files = contents(KINDS["all"])
    manifest = json_codec.from_json(Manifest, files["manifest.json"])
    for change in (
        {"signature_forms": manifest.signature_forms[1:]},
        {"serial": 3},
        {"not_after": None},
        {"approval": None},
        {"files": tuple(file for file in manifest.files if not file.path.startswith("payload/keys/"))},
    ):
        made = script_review.rendered(dataclasses.replace(manifest, **change), files["config/settings.json"])
        assert any(files[name] != content for name, content in made.items()), change


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"{}", "malformed-settings"),
        (b"no JSON", "malformed-settings"),
        (None, "other-settings"),
    ],
)
def test_settings_that_do_not_fit_the_manifest_are_refused(document, reason):
    files = contents(KINDS["rsa"])
    manifest = json_codec.from_json(Manifest, files["manifest.json"])
    if document is None:
        document = json.dumps(json.loads(files["config/settings.json"]) | {"version": "2"}, indent=2).encode()
    with pytest.raises(VerificationError) as caught:
        script_review.rendered(manifest, document)
    assert caught.value.reason == reason


def test_the_digest_of_the_header_templates_follows_the_scripts_templates_alone(tmp_path, monkeypatch):
    for name, text in {
        "arc-server/linux/install.sh.j2": "a",
        "arc-server/runtime/linux/part.sh": "b",
        "arc-server/START-HERE.txt.j2": "c",
        "shared/windows/seal.ps1.j2": "d\r\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    monkeypatch.setattr("bundler.render.template_files.templates", lambda: tmp_path)

    def changed(name, text):
        before = script_review.header_templates()
        (tmp_path / name).write_bytes(text)
        return script_review.header_templates() != before

    assert not changed("arc-server/runtime/linux/part.sh", b"other")
    assert not changed("arc-server/START-HERE.txt.j2", b"other")
    assert not changed("shared/windows/seal.ps1.j2", b"d\n")
    assert changed("shared/windows/seal.ps1.j2", b"e\n")
    assert changed("arc-server/linux/install.sh.j2", b"other")
    assert changed("arc-server/linux/verify.sh.j2", b"new")
