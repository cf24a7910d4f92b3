"""Small bundles with every kind of target, for tests and the linter of rendered scripts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from bundler.model.evidence import PackageFacts
from bundler.model.lock import Pin
from bundler.model.network_requirement import HostRecord
from bundler.model.target import Target
from bundler.products.arc_server import scripts
from bundler.products.arc_server.script_parameters import (
    CarriedCertificate,
    Identity,
    NeededRoot,
    ScriptParameters,
    Setting,
)

WINDOWS_VERSION = "1.67.03504.3207"
LINUX_VERSION = "1.67.03504.1320"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
PACKAGES = {"deb": b"a deb, for a stand-in of dpkg", "rpm": b"an rpm", "msi": b"an msi, for a stand-in of msiexec"}


def pin(kind, place, targets, filename, version, architecture) -> Pin:
    return Pin(
        name="azcmagent",
        kind=kind,
        place=place,
        targets=targets,
        filename=filename,
        url=f"https://packages.example/{filename}",
        size=len(PACKAGES[kind]),
        sha256=hashlib.sha256(PACKAGES[kind]).hexdigest(),
        facts=PackageFacts(name="azcmagent", version=version, architecture=architecture),
        evidence=(),
    )


DEB = pin(
    "deb",
    "ubuntu/22.04/amd64",
    (Target(os="ubuntu", version="22.04"), Target(os="debian", version="12")),
    "azcmagent_1.67_amd64.deb",
    LINUX_VERSION,
    "amd64",
)
RPM = pin(
    "rpm",
    "rhel/9/x86_64",
    (Target(os="rhel", version="9"), Target(os="sles", version="15 SP5"), Target(os="azurelinux", version="3.0")),
    "azcmagent-1.67.x86_64.rpm",
    "1.67.03504-1320",
    "x86_64",
)
MSI = pin("msi", "windows/x64", (Target(os="windows"),), "AzureConnectedMachineAgent.msi", WINDOWS_VERSION, "x64")

SECRET = ScriptParameters(
    cloud="AzureCloud",
    tenant_id="00000000-0000-0000-0000-000000000002",
    subscription_id=SUBSCRIPTION,
    resource_group="rg-arc",
    location="japaneast",
    tags={"owner": "it's 東京", "cost": "a,b=c\\d"},
    correlation_id="00000000-0000-0000-0000-000000000004",
    authentication="service-principal-secret",
    service_principal_id="00000000-0000-0000-0000-000000000003",
    profile="public",
    settings=(
        Setting(key="proxy.url", value="http://proxy.example:3128"),
        Setting(key="incomingconnections.ports", value="22,6516"),
    ),
)
PLAIN = replace(SECRET, authentication="device-code", service_principal_id="", tags={}, settings=())
TOKEN = replace(SECRET, authentication="access-token", service_principal_id="", resource_name="host-1")
CERTIFICATE = replace(SECRET, authentication="service-principal-certificate", certificate_file="/etc/arc/sp.pem")
THUMBPRINT = replace(SECRET, authentication="service-principal-certificate", certificate_thumbprint="AB" * 20)
INTERACTIVE = replace(
    PLAIN, authentication="interactive", private_link_scope="/subscriptions/s/scope's", profile="private-link"
)
HOSTILE = replace(
    SECRET,
    resource_group="`$(touch pwned)' \"; \u2018\u2019\u201a\u201b\n\r\t東京",
    tags={"-n": "--", "$x": "\\'\u2019", "": "%s\x7f"},
    settings=(Setting(key="proxy.bypass", value="';\n#>"), Setting(key="-a", value="")),
    hosts_records=(HostRecord(host="gbl.his.arc.azure.com", address="10.0.0.4"),),
    certificates=(
        CarriedCertificate(
            path=f"payload/certificates/{'a' * 64}.pem",
            name="`$(touch pwned)' \"; \u2019\n\u6771",
            sha1="A" * 40,
            sha256="a" * 64,
            store="root",
        ),
    ),
    roots=(NeededRoot(name="';\n#> $(touch pwned)", sha1="B" * 40, needed_for="azure-tls", required=True),),
    identity=Identity(members=("CORP\\it's `$(touch pwned)`\u2019", "$x"), environment=True, prove=True),
)

ONBOARDINGS = {
    "secret": SECRET,
    "plain": PLAIN,
    "token": TOKEN,
    "certificate": CERTIFICATE,
    "interactive": INTERACTIVE,
    "hostile": HOSTILE,
}


def entries(parameters=SECRET, pins=(DEB, RPM, MSI), lab=False, extra=None):
    held = {one.path: f"not the certificate {one.sha256}\n".encode() for one in parameters.certificates}
    return scripts.entries(
        parameters,
        pins,
        name="arc-tokyo",
        version="2026.11.22",
        lab=lab,
        tool="arc-bundler 0",
        extra={"config/endpoints.json": b"{}\n", **held, **(extra or {})},
    )


def write(folder: Path, parameters=SECRET, pins=(DEB, RPM, MSI), **more) -> Path:
    """A whole bundle below ``folder``, with its SHA256SUMS, but without a manifest."""
    files = {entry.path: entry.content for entry in entries(parameters, pins, **more)}
    files.update({one.path: PACKAGES[one.kind] for one in pins})
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(files.items()))
    (folder / "SHA256SUMS").write_bytes(sums.encode())
    return folder
