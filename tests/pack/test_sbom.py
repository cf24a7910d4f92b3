"""The bill of materials is valid CycloneDX 1.6, reproducible, and contains verified facts only."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from packageurl import PackageURL

from bundler.model.evidence import Document, Evidence, PackageFacts
from bundler.model.lock import Pin
from bundler.model.manifest import Manifest
from bundler.model.target import Target
from bundler.model.tree import Entry
from bundler.pack import sbom

TAKEN = datetime(2031, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
SCRIPTS = (Entry("install.sh", b"#!/bin/sh\n", 0o755), Entry("verify.ps1", b"exit\r\n"), Entry("START-HERE.txt", b"x"))
OWN = Evidence(
    method="debsigs",
    signer="Microsoft (Release signing) <gpgsecurity@microsoft.com>",
    fingerprint="BC528686B50D79E339D3721CEB3E94ADBE1229CF",
    anchors="Microsoft",
    anchor="BC528686B50D79E339D3721CEB3E94ADBE1229CF",
    signed_at=TAKEN - timedelta(days=9),
)
CHAIN = replace(
    OWN,
    method="apt-repository",
    fingerprint="0" * 40,
    documents=(Document(role="InRelease", url="https://p.example/InRelease", sha256="d" * 64, size=9),),
)


def pin(kind, place, version, **facts) -> Pin:
    architecture = {"deb": "amd64", "rpm": "x86_64", "msi": "x64"}[kind]
    said = {"name": "azcmagent", "version": version, "architecture": architecture, **facts}
    return Pin(
        name="azcmagent" if kind != "msi" else "AzureConnectedMachineAgent",
        kind=kind,
        place=place,
        targets=(Target(os="ubuntu", version="22.04"), Target(os="debian", version="12")),
        filename=f"azcmagent.{kind}",
        url=f"https://p.example/{place}/azcmagent.{kind}?a=b&c=d",
        redirects=(f"https://first.example/{kind}", f"https://cdn.example/{kind}"),
        size=7,
        sha256=hashlib.sha256(place.encode()).hexdigest(),
        facts=PackageFacts(**said),
        evidence=(OWN, CHAIN),
    )


DEB = pin(
    "deb",
    "ubuntu/22.04/amd64",
    "1:1.67.03504+b.1320",
    depends=("libc6 (>= 2.17)", "systemd | foo"),
    supplier="Some Body <a@b.example>",
    license="MIT OR Apache-2.0",
)
RPM = pin("rpm", "rhel/9/x86_64", "1.67.03504-1320", depends=("curl", "/bin/sh"), license="mit", supplier="Microsoft")
GENERIC = "pkg:generic/microsoft/AzureConnectedMachineAgent@1.67.03504.3207?arch=x64"
MSI = pin("msi", "windows/x64", "1.67.03504.3207", name="Azure Connected Machine Agent")


def described(*pins: Pin, **changes) -> Manifest:
    return replace(
        Manifest(
            name="arc-tokyo",
            version="2031.05",
            product="arc-server",
            created=TAKEN,
            tool="arc-bundler 1.2.3",
            targets=(),
            parameters={},
            anchors="Microsoft",
            anchors_sha256="a" * 64,
            lock_sha256="b" * 64,
            pins=pins,
            files=(),
        ),
        **changes,
    )


def written(*pins: Pin, entries=SCRIPTS, **changes) -> bytes:
    return sbom.document(described(*pins, **changes), entries, folder="arc-tokyo-2031.05", vendor="microsoft")


def read(*pins: Pin, **changes):
    document = written(*pins, **changes)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document.decode()) is None
    return json.loads(document)


def component(body, path):
    (found,) = (one for one in body["components"] if one["bom-ref"] == path)
    return found


def properties(one) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for said in one["properties"]:
        found.setdefault(said["name"].removeprefix("arc-bundler:"), []).append(said["value"])
    return found


def test_it_names_its_bundle_and_its_maker():
    body = read(DEB, RPM, MSI, lab=True, weakened=("--insecure-x",))
    assert (body["bomFormat"], body["specVersion"]) == ("CycloneDX", "1.6")
    about = body["metadata"]
    assert (about["component"]["name"], about["component"]["version"]) == ("arc-tokyo", "2031.05")
    assert about["timestamp"] == "2031-05-06T07:08:09+00:00"
    (tool,) = about["tools"]["components"]
    assert (tool["name"], tool["version"]) == ("arc-bundler", "1.2.3")
    assert properties(about["component"]) == {
        "product": ["arc-server"],
        "lab": ["true"],
        "lock-sha256": ["b" * 64],
        "weakened": ["--insecure-x"],
    }
    (root,) = (one for one in body["dependencies"] if one["ref"] == "arc-tokyo-2031.05")
    assert sorted(root["dependsOn"]) == sorted([DEB.path, RPM.path, MSI.path, "install.sh", "verify.ps1"])


def test_a_package_is_described_by_its_own_metadata():
    one = component(read(DEB, RPM, MSI), DEB.path)
    assert one["version"] == "1:1.67.03504+b.1320"
    assert one["hashes"] == [{"alg": "SHA-256", "content": DEB.sha256}]
    assert one["supplier"] == {
        "name": "Some Body",
        "contact": [{"name": "Some Body", "email": "a@b.example"}],
    }
    assert one["licenses"] == [{"acknowledgement": "declared", "expression": "MIT OR Apache-2.0"}]
    assert [(ref["type"], ref["url"], ref["comment"]) for ref in one["externalReferences"]] == [
        ("distribution", "https://cdn.example/deb", "served from"),
        ("distribution", DEB.url, "requested from"),
    ]
    said = properties(one)
    assert sorted(said["requires"]) == ["libc6 (>= 2.17)", "systemd | foo"]
    assert sorted(said["target"]) == ["debian/12/x64", "ubuntu/22.04/x64"]
    assert said["size"] == ["7"]


def test_evidence_of_a_package_and_of_its_repository_differ_by_name():
    said = properties(component(read(DEB), DEB.path))
    assert said["method"] == ["debsigs"]
    assert said["fingerprint"] == [OWN.fingerprint]
    assert said["signer"] == [OWN.signer]
    assert said["signed-at"] == ["2031-04-27T07:08:09Z"]
    assert said["repository:method"] == ["apt-repository"]
    assert said["repository:fingerprint"] == ["0" * 40]


@pytest.mark.parametrize(
    ("text", "licenses"),
    [
        ("", None),
        ("mit", [{"license": {"acknowledgement": "declared", "id": "MIT"}}]),
        ("(MIT AND BSD-3-Clause)", [{"acknowledgement": "declared", "expression": "(MIT AND BSD-3-Clause)"}]),
        ("Microsoft's own", [{"license": {"acknowledgement": "declared", "name": "Microsoft's own"}}]),
    ],
)
def test_a_licence_is_an_identifier_an_expression_or_the_package_s_words(text, licenses):
    one = replace(RPM, facts=replace(RPM.facts, license=text))
    assert component(read(one), RPM.path).get("licenses") == licenses


@pytest.mark.parametrize(
    ("one", "url"),
    [
        (DEB, "pkg:deb/microsoft/azcmagent@1:1.67.03504%2Bb.1320?arch=amd64&distro=ubuntu-22.04"),
        (RPM, "pkg:rpm/microsoft/azcmagent@1.67.03504-1320?arch=x86_64&distro=rhel-9"),
        (
            replace(RPM, facts=replace(RPM.facts, version="2:1.67-1")),
            "pkg:rpm/microsoft/azcmagent@1.67-1?arch=x86_64&distro=rhel-9&epoch=2",
        ),
        (
            MSI,
            f"{GENERIC}&checksum=sha256:{MSI.sha256}&download_url=https://p.example/windows/x64/azcmagent.msi%3Fa%3Db%26c%3Dd",
        ),
        (
            replace(MSI, url="file:at hand/a.msi"),
            f"{GENERIC}&checksum=sha256:{MSI.sha256}",
        ),
    ],
)
def test_package_urls_are_those_of_their_types(one, url):
    assert component(read(one), one.path)["purl"] == url
    assert PackageURL.from_string(url) == sbom.purl(one, "microsoft")


def test_scripts_are_files_with_their_digest_and_nothing_else_is():
    files = [one for one in read(DEB)["components"] if one["type"] == "file"]
    assert {one["name"]: one["hashes"][0]["content"] for one in files} == {
        "install.sh": hashlib.sha256(b"#!/bin/sh\n").hexdigest(),
        "verify.ps1": hashlib.sha256(b"exit\r\n").hexdigest(),
    }


def test_the_same_bundle_is_the_same_bytes_in_another_process_and_order(tmp_path):
    script = (
        "import sys, tests.pack.test_sbom as t; "
        "sys.stdout.buffer.write(t.written(t.MSI, t.RPM, t.DEB, entries=t.SCRIPTS[::-1]))"
    )
    environment = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Chatham", "PYTHONPATH": ":".join(sys.path)}
    other = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
    assert other.stdout == written(DEB, RPM, MSI)


def test_another_bundle_has_another_serial_number():
    here = read(DEB)
    for other in (read(RPM), read(DEB, version="2"), read(DEB, created=TAKEN + timedelta(1)), read(DEB, entries=())):
        assert other["serialNumber"] != here["serialNumber"]
    assert read(DEB)["serialNumber"] == here["serialNumber"]


WORDS = st.text(st.characters(codec="utf-8"), max_size=20)


@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(WORDS, WORDS, WORDS, st.lists(WORDS, max_size=3), WORDS)
@example(name="/ /", supplier="", terms="", depends=[], url="")
@example(name="\n", supplier="", terms="", depends=[], url="")
def test_the_document_is_valid_with_any_metadata(name, supplier, terms, depends, url):
    facts = PackageFacts(
        name=name or "x",
        version="1-1",
        architecture="amd64",
        supplier=supplier,
        license=terms,
        depends=tuple(depends),
    )
    read(replace(DEB, facts=facts), replace(MSI, facts=facts, url=f"https://p.example/{url}"))
