"""A bundle of the lab's packages, as a folder.

Made from the same pieces that ``build`` puts together; nothing here judges the packages, that is the near side's.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bundler.integrity import sums
from bundler.lab import agent, deb, installer, rpm
from bundler.lab.authority import Authority
from bundler.model.evidence import PackageFacts
from bundler.model.lock import Pin
from bundler.model.target import Target
from bundler.products.arc_server import scripts
from bundler.products.arc_server.script_parameters import ScriptParameters, Setting

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
TENANT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
PRINCIPAL = "99999999-8888-7777-6666-555555555555"
CORRELATION = "12345678-1234-1234-1234-123456789abc"
GROUP = "rg-\u6771\u4eac_(\u672c\u756a)"
NAME = "srv-01"
TAGS = {
    "\u90e8\u9580": "\u55b6\u696d \u90e8",
    "quote": 'it\'s "a" \\ $(touch /pwned) `x`',
    "comma": "a,b=c",
    "plain": "v1.2",
}
OLD, NEW = "1.66.03471.1262", "1.68.03532.1399"

ONBOARDING = ScriptParameters(
    cloud="AzureCloud",
    tenant_id=TENANT,
    subscription_id=SUBSCRIPTION,
    resource_group=GROUP,
    location="japaneast",
    resource_name=NAME,
    tags=TAGS,
    correlation_id=CORRELATION,
    authentication="service-principal-secret",
    service_principal_id=PRINCIPAL,
    profile="public",
    proxy_url="http://proxy.example:8080",
    settings=(
        Setting(key="proxy.url", value="http://proxy.example:8080"),
        Setting(key="proxy.bypass", value="Arc,AAD"),
        Setting(key="incomingconnections.ports", value="22,6516"),
    ),
)

DEBIAN = Target(os="debian", version="12")
UBUNTU = Target(os="ubuntu", version="22.04")
RHEL = Target(os="rhel", version="9")
RHEL7 = Target(os="rhel", version="7")
SLES = Target(os="sles", version="15.5")
WINDOWS = Target(os="windows", version="2022")


class Bundles:
    """Makes bundles of one lab's packages below a folder."""

    def __init__(self, folder: Path, authority: Authority, built: datetime):
        self.folder, self.authority, self.built = folder, authority, built
        self._made: dict[str, Path] = {}
        self._packages: dict[tuple[str, str], bytes] = {}

    def make(self, version: str = NEW, **changes: Any) -> Path:
        """The folder of a bundle with this agent and these differences from the usual parameters; made once."""
        key = f"{version} {sorted(changes.items())!r}"
        if key not in self._made:
            self._made[key] = self.folder / f"lab-{len(self._made)}"
            self._write(self._made[key], version, replace(ONBOARDING, **changes))
        return self._made[key]

    def _write(self, folder: Path, version: str, parameters: ScriptParameters) -> None:
        contents = {
            "deb": self._package("deb", version),
            "rpm": self._package("rpm", version),
            "msi": self._package("msi", version),
        }
        front, _, last = version.rpartition(".")
        pins = (
            _pin("deb", "debian/12/amd64", (DEBIAN,), f"azcmagent_{version}_amd64.deb", version, "amd64", contents),
            _pin("deb", "ubuntu/22.04/amd64", (UBUNTU,), f"azcmagent_{version}_amd64.deb", version, "amd64", contents),
            _pin(
                "rpm",
                "rhel/9/x86_64",
                (RHEL, RHEL7, SLES),
                f"azcmagent-{front}-{last}.x86_64.rpm",
                f"{front}-{last}",
                "x86_64",
                contents,
            ),
            _pin("msi", "windows/x64", (WINDOWS,), "AzureConnectedMachineAgent.msi", version, "x64", contents),
        )
        keys = {
            f"payload/keys/{key.fingerprint}.asc": key.armored.encode() for key in self.authority.anchors.package_keys
        }
        entries = scripts.entries(
            parameters, pins, name="lab", version="2026.1", lab=True, tool="arc-bundler test", extra=keys
        )
        files = {entry.path: (entry.content, entry.mode) for entry in entries}
        files |= {pin.path: (contents[pin.kind], 0o644) for pin in pins}
        listed = [(path, hashlib.sha256(content).hexdigest()) for path, (content, _) in files.items()]
        files[sums.SUMS] = (sums.render(listed), 0o644)
        for path, (content, mode) in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
            (folder / path).chmod(mode)

    def _package(self, kind: str, version: str) -> bytes:
        if (kind, version) not in self._packages:
            self._packages[kind, version] = self._build(kind, version)
        return self._packages[kind, version]

    def _build(self, kind: str, version: str) -> bytes:
        if kind == "msi":
            return installer.windows_agent(version, self.built, self.authority)
        key = self.authority.key
        if kind == "deb":
            return deb.build(agent.linux_package(version, "amd64", self.built), key)
        return rpm.build(agent.linux_package(version, "x86_64", self.built), key).content


def _pin(kind, place, targets, filename, version, architecture, contents) -> Pin:
    content = contents[kind]
    return Pin(
        name="AzureConnectedMachineAgent" if kind == "msi" else "azcmagent",
        kind=kind,
        place=place,
        targets=targets,
        filename=filename,
        url=f"https://localhost/{filename}",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        facts=PackageFacts(name="azcmagent", version=version, architecture=architecture),
        evidence=(),
    )
