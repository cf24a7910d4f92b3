"""A manifest for the review page's tests and pictures: everything that can be on the page is on it, always the same.

Nothing in it was ever judged: names, digests and times are made up, and it says LAB.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timezone

from bundler.flow import runtimes
from bundler.formats import json_codec
from bundler.model.evidence import ChainLink, Document, Evidence, PackageFacts
from bundler.model.lock import Pin, RepositoryState
from bundler.model.manifest import FileEntry, Manifest
from bundler.model.network_requirement import HostRecord
from bundler.model.seal import Approval, Seal, Signer
from bundler.model.target import Target
from bundler.products.arc_server.contents import flat_parameters as parameters
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.network_requirements import requirements
from bundler.products.arc_server.parameters import from_definition
from bundler.products.arc_server.script_actions import script_actions
from bundler.products.arc_server.script_parameters import (
    Attachments,
    CarriedCertificate,
    HeldCertificate,
    ScriptParameters,
)
from bundler.products.arc_server.support import support

TAKEN = datetime(2026, 9, 28, 6, 30, tzinfo=timezone.utc)
SIGNED = datetime(2026, 9, 22, 17, 4, 11, tzinfo=timezone.utc)
VERSION = "1.68.03532.3286"
HOST = "https://packages.lab.example"


def sha256(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


DEFINITION = json_codec.from_tree(
    Definition,
    {
        "name": "arc-tokyo",
        "tenant": "11111111-1111-4111-8111-111111111111",
        "subscription": "22222222-2222-4222-8222-222222222222",
        "resource_group": "rg-tokyo-servers",
        "location": "japaneast",
        "tags": {"site": "tokyo", "部門": "営業 部"},
        "authentication": {
            "method": "service-principal-secret",
            "service_principal_id": "33333333-3333-4333-8333-333333333333",
        },
        "agent": {"incoming_connections": {"enabled": False}, "guest_configuration": False},
        "identity": {"members": ["backup"], "environment": True, "prove": True},
        "network": {
            "profile": "private-link",
            "proxy": {"url": "http://proxy.tokyo.example:8080", "bypass": ["Arc"]},
            "private_link_scope": (
                "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-tokyo-servers"
                "/providers/Microsoft.HybridCompute/privateLinkScopes/pls-tokyo"
            ),
        },
        "targets": [{"os": "windows"}, {"os": "ubuntu", "version": "22.04"}, {"os": "rhel", "version": "9"}],
    },
)
CARRIED = Attachments(
    hosts_records=(HostRecord(host="gbl.his.arc.azure.com", address="10.20.0.4"),),
    certificates=(
        HeldCertificate(
            CarriedCertificate(
                path=f"payload/certificates/{sha256('ca')}.pem",
                name="Tokyo Site Root CA",
                sha1=hashlib.sha1(b"ca").hexdigest().upper(),
                sha256=sha256("ca"),
                store="root",
            ),
            b"",
        ),
    ),
)


def link(name: str, issuer: str) -> ChainLink:
    return ChainLink(
        subject=f"CN={name},O=LAB - not Microsoft",
        issuer=f"CN={issuer},O=LAB - not Microsoft",
        sha256=sha256(name),
        not_before=datetime(2025, 3, 1, tzinfo=timezone.utc),
        not_after=datetime(2035, 3, 1, tzinfo=timezone.utc),
    )


def chain(*names: str) -> tuple[ChainLink, ...]:
    """From the signing certificate to the root, which signs itself."""
    return tuple(link(name, issuer) for name, issuer in zip(names, (*names[1:], names[-1]), strict=True))


KEY = "BC528686B50D79E339D3721CEB3E94ADBE1229CF"


def document(role: str) -> Document:
    return Document(role=role, url=f"{HOST}/{role}", sha256=sha256(role), size=4711)


def by_key(method, *roles: str) -> Evidence:
    return Evidence(
        method=method,
        signer="LAB package signing <lab@lab.example>",
        fingerprint=KEY,
        anchors="LAB",
        anchor=KEY,
        signed_at=SIGNED,
        documents=tuple(map(document, roles)),
    )


AUTHENTICODE = Evidence(
    method="authenticode",
    signer="CN=LAB Azure Connected Machine Agent,O=LAB - not Microsoft",
    fingerprint=sha256("LAB Azure Connected Machine Agent"),
    anchors="LAB",
    anchor=sha256("LAB Code Signing Root"),
    signed_at=SIGNED,
    timestamped_by="CN=LAB Time Stamp Service,O=LAB - not Microsoft",
    chain=chain("LAB Azure Connected Machine Agent", "LAB Code Signing PCA", "LAB Code Signing Root"),
    timestamp_chain=chain("LAB Time Stamp Service", "LAB Time Stamp Root"),
    notes=("1 more signature(s) besides the first; not used",),
)


def pin(kind, name: str, place: str, filename: str, version: str, target: Target, *evidence: Evidence) -> Pin:
    repository = RepositoryState(origin=f"{HOST}/{place}", date=TAKEN) if kind != "msi" else None
    return Pin(
        name=name,
        kind=kind,
        place=place,
        targets=(target,),
        filename=filename,
        url=f"{HOST}/{filename}",
        size=62_914_560,
        sha256=sha256(filename),
        facts=PackageFacts(
            name=name,
            version=version,
            architecture=place.rsplit("/", maxsplit=1)[-1],
            license="MICROSOFT SOFTWARE LICENSE",
            supplier="LAB - not Microsoft",
        ),
        evidence=evidence,
        repository=repository,
    )


PINS = (
    pin(
        "rpm",
        "azcmagent",
        "rhel/9/x86_64",
        "azcmagent-1.68.03532-3286.x86_64.rpm",
        "1.68.03532-3286",
        Target(os="rhel", version="9"),
        by_key("rpm-signature"),
        by_key("yum-repository", "repomd.xml", "repomd.xml.asc", "primary.xml.gz"),
    ),
    pin(
        "deb",
        "azcmagent",
        "ubuntu/22.04/amd64",
        f"azcmagent_{VERSION}_amd64.deb",
        VERSION,
        Target(os="ubuntu", version="22.04"),
        by_key("debsigs"),
        by_key("apt-repository", "InRelease", "Packages.gz"),
    ),
    pin(
        "msi",
        "Azure Connected Machine Agent (LAB)",
        "windows/x64",
        "AzureConnectedMachineAgent.msi",
        VERSION,
        Target(os="windows"),
        AUTHENTICODE,
    ),
)


def signer(name: str) -> Signer:
    return Signer(
        name=name,
        sha256=sha256(name),
        not_before=datetime(2026, 1, 1, tzinfo=timezone.utc),
        not_after=datetime(2029, 1, 1, tzinfo=timezone.utc),
        algorithm="ecdsa-sha384",
    )


def files() -> tuple[FileEntry, ...]:
    named = ["START-HERE.txt", "install.ps1", "install.sh", "review.html", "sbom.cdx.json", "verify.ps1", "verify.sh"]
    paths = sorted([*named, "config/endpoints.json", "config/settings.json", *(one.path for one in PINS)])
    known = {one.path: one.sha256 for one in PINS}
    return tuple(
        FileEntry(path=path, size=4096 + len(path), sha256=known.get(path) or sha256(path), mode="0644")
        for path in paths
    )


def wanted() -> ScriptParameters:
    return from_definition(DEFINITION, CARRIED)


def manifest(**changes) -> Manifest:
    """The sample, with some of its fields otherwise; the script actions follow from the rest."""
    made = Manifest(
        name="arc-tokyo",
        version="2026.09.28",
        product="arc-server",
        created=TAKEN,
        tool="arc-bundler 0.1.0",
        lab=True,
        serial=20260928063000,
        not_after=datetime(2026, 12, 27, 6, 30, tzinfo=timezone.utc),
        seal=Seal(signer=signer("Tokyo Jump Host Sealing")),
        approval=Approval(required=2, approvers=(signer("Aiko Tanaka"), signer("Ben Okoro"), signer("Chloé Martin"))),
        targets=tuple(one.targets[0] for one in PINS),
        parameters=parameters(wanted()),
        anchors="LAB",
        anchors_sha256=sha256("anchors"),
        lock_sha256=sha256("lock"),
        unusual=("carries the root Tokyo Site Root CA, which the scripts install only with the switch for it",),
        network_requirements=requirements(DEFINITION, CARRIED).allow,
        support=support(PINS),
        runtimes=runtimes.installed("arc-server"),
        pins=PINS,
        files=files(),
    )
    made = replace(made, **changes)
    return made if "script_actions" in changes else replace(made, script_actions=script_actions(wanted(), made))
