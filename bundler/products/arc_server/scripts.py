"""Renders the scripts for a bundle's targets, and writes the facts that they run on.

Everything here is pure: the same parameters and pins give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from bundler.errors import DefinitionError
from bundler.formats import fingerprint_words, json_codec
from bundler.model.frozen import frozen
from bundler.model.lock import Pin
from bundler.model.seal import SealPolicy, Signer
from bundler.model.target import Target
from bundler.model.tree import Entry
from bundler.products.arc_server import needed_switches, runtime_parts, tables
from bundler.products.arc_server.agent_version import AgentVersion
from bundler.products.arc_server.codes import CODES
from bundler.products.arc_server.script_parameters import AuthenticationMethod, ScriptParameters
from bundler.products.azure import tables as azure
from bundler.render import runtime
from bundler.render.environment import render

UNSEALED = SealPolicy()
SETTINGS_SCHEMA = "arc-bundler/settings/1"

# ``ID`` of /etc/os-release (os-release(5)) for the definition's words; a word that is not here is its own ID.
_RELEASE_IDS: Mapping[str, tuple[str, ...]] = {
    "alma": ("almalinux",),
    "amazon": ("amzn",),
    "azurelinux": ("azurelinux", "mariner"),
    "oracle": ("ol",),
    "sles": ("sles", "sles_sap"),
}

# ``uname -m`` for the definition's words.
_MACHINES = {"x64": "x86_64", "arm64": "aarch64"}

# The flag of ``azcmagent connect`` that takes the secret, and what a person calls it (azcmagent-connect.md).
_SECRETS: Mapping[AuthenticationMethod, tuple[str, str]] = {
    "service-principal-secret": ("service-principal-secret", "the service principal's secret"),
    "access-token": ("access-token", "the access token"),
}

_TAG_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+-]*")


@frozen
class PackageSetting:
    """One package, and the machines that it is for."""

    path: str
    sha256: str
    size: int
    """Bytes."""
    version: str
    targets: tuple[Target, ...]


@frozen
class Settings:
    """``config/settings.json``: what the scripts have baked in, for a person or a program to read."""

    schema: str = SETTINGS_SCHEMA
    name: str
    version: str
    tool: str
    lab: bool = False
    parameters: ScriptParameters
    packages: tuple[PackageSetting, ...]


@dataclass(frozen=True)
class _File:
    path: str
    sha256: str


@dataclass(frozen=True)
class _Row:
    """One target as a script compares it with its machine; all text, as scripts have it."""

    id: str
    version_id: str
    machine: str
    target: str
    path: str
    sha256: str
    package_version: str
    kind: str
    packed: str
    """KiB of the package."""
    installed: str
    """KiB that it takes when installed."""
    supported: str = ""
    """The versions below ``version_id`` that the agent supports, by blanks; empty: none has one of its own."""


@dataclass(frozen=True)
class _Rows:
    """The targets of a bundle, by platform."""

    linux: list[_Row]
    windows: list[_Row]

    @staticmethod
    def of(pins: Sequence[Pin]) -> _Rows:
        """The targets of ``pins``."""
        return _Rows(
            linux=[row for pin in pins if pin.kind != "msi" for row in _linux_rows(pin)],
            windows=[row for pin in pins if pin.kind == "msi" for row in _windows_rows(pin)],
        )


def entries(
    parameters: ScriptParameters,
    pins: Sequence[Pin],
    *,
    name: str,
    version: str,
    lab: bool,
    tool: str,
    extra: Mapping[str, bytes] | None = None,
    seal_policy: SealPolicy = UNSEALED,
    scripts_signed_by: Signer | None = None,
) -> tuple[Entry, ...]:
    """Every file that is neither a package nor evidence nor a description of the bundle, sorted by path.

    ``install.sh`` and ``verify.sh`` are there when a target is Linux, their counterparts when one is Windows.

    Args:
        parameters: What the scripts have baked in.
        pins: The packages.
        name: The bundle's name.
        version: The bundle's version.
        lab: Whether it is a lab bundle.
        tool: What makes the bundle, for the marker line.
        extra: Further files by path (``config/endpoints.json``, ``payload/keys/….asc``): they become entries, and the
            install scripts verify them.
        seal_policy: What the scripts verify the bundle's seal by.
        scripts_signed_by: Who will sign the PowerShell scripts; START-HERE names them.

    Raises:
        DefinitionError: The parameters cannot be carried out on one of the targets.
    """
    settings = Settings(
        name=name, version=version, tool=tool, lab=lab, parameters=parameters, packages=package_settings(pins)
    )
    facts = {"config/settings.json": json_codec.to_json(settings), **(extra or {})}
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in facts.items()}
    rows = _Rows.of(pins)
    made = [Entry(path, content) for path, content in facts.items()]
    made += script_entries(settings, digests, pins, seal_policy)
    made.append(
        _start(rows, settings, _shared(settings, digests, seal_policy), scripts_signed_by if rows.windows else None)
    )
    return tuple(sorted(made, key=lambda entry: entry.path.encode()))


def script_entries(
    settings: Settings, facts: Mapping[str, str], pins: Sequence[Pin], seal_policy: SealPolicy
) -> tuple[Entry, ...]:
    """The scripts alone, none of them signed.

    Args:
        settings: what ``config/settings.json`` says.
        facts: SHA-256 of the files that the scripts verify besides the packages, by path.
        pins: the packages.
        seal_policy: what the scripts verify the bundle's seal by.

    Raises:
        DefinitionError: the settings cannot be used on one of the targets.
    """
    shared = _shared(settings, facts, seal_policy)
    rows = _Rows.of(pins)
    made: list[Entry] = []
    if rows.linux:
        made += _linux(settings.parameters, rows.linux, shared, facts)
    if rows.windows:
        made += _windows(settings.parameters, rows.windows, shared)
    return tuple(made)


def _shared(settings: Settings, facts: Mapping[str, str], seal_policy: SealPolicy) -> dict[str, object]:
    """What every template is given; ``facts`` are the SHA-256 of the files that the scripts verify, by path."""
    return {
        "name": settings.name,
        "version": settings.version,
        "lab": settings.lab,
        "tool": settings.tool,
        "parameters": settings.parameters,
        "files": [_File(path, sha256) for path, sha256 in sorted(facts.items())],
        "codes": CODES,
        "seal_policy": seal_policy,
        "manager": azure.clouds().of(settings.parameters.cloud).manager,
        **_seal(seal_policy),
    }


def _start(rows: _Rows, settings: Settings, shared: Mapping[str, object], scripts_signed_by: Signer | None) -> Entry:
    linux, windows = bool(rows.linux), bool(rows.windows)
    switches = needed_switches.of(
        settings.parameters,
        linux=linux,
        windows=windows,
        rpm=any(pin.path.endswith(".rpm") for pin in settings.packages),
        sealed=bool(shared["sealer"]),
    )
    values = {
        **shared,
        "linux": linux,
        "windows": windows,
        "targets_text": _targets_text(rows.linux + rows.windows),
        "scripts_signed_by": scripts_signed_by,
        "seal_policy": shared["seal_policy"],
        "signer_switch": needed_switches.SIGNER.names(linux=linux, windows=windows),
        "switches": [(one.names(linux=linux, windows=windows), one.purpose) for one in switches],
        "secret_needed": settings.parameters.authentication in needed_switches.SECRETS,
    }
    return Entry("START-HERE.txt", render("arc-server/START-HERE.txt.j2", values))


def _seal(seal_policy: SealPolicy) -> dict[str, object]:
    """Who signs, each with a role and the forms of their signatures; the sealer's fingerprint as it is read aloud."""
    sealers = [("sealer", seal_policy.sealer)] if seal_policy.sealer else []
    people = [*sealers, *(("approver", one) for one in seal_policy.approvers)]
    fingerprint = seal_policy.sealer.signer.sha256 if seal_policy.sealer else ""
    return {
        "people": people,
        "sealer": fingerprint,
        "openpgp": seal_policy.openpgp.lower(),
        "required": seal_policy.required,
        "serial": seal_policy.serial,
        "signers": [_signer_row(role, one.signer) for role, one in people],
        "forms": [
            (str(at), str(form.size), str(form.prefix_size), form.prefix_sha256)
            for at, (_, one) in enumerate(people)
            for form in one.forms
        ],
        "not_after": int(seal_policy.not_after.timestamp()) if seal_policy.not_after else 0,
        "not_after_text": _minute(seal_policy.not_after) if seal_policy.not_after else "",
        "digit_lines": fingerprint_words.lines(fingerprint_words.digits(fingerprint)),
        "word_lines": fingerprint_words.lines(fingerprint_words.words(fingerprint)) if fingerprint else [],
    }


def _signer_row(role: str, signer: Signer) -> tuple[str, ...]:
    begins, ends = (str(int(moment.timestamp())) for moment in (signer.not_before, signer.not_after))
    return role, signer.sha256, signer.name, begins, ends, _minute(signer.not_after)


def _minute(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _linux(
    parameters: ScriptParameters, rows: list[_Row], shared: Mapping[str, object], files: Mapping[str, str]
) -> list[Entry]:
    if parameters.certificate_thumbprint:
        raise DefinitionError(
            "a certificate in a Windows store cannot be used by the Linux targets",
            do="give authentication.certificate_file instead, or make a bundle of its own for Windows",
        )
    values = {
        **shared,
        **_connection(parameters),
        **_linux_tables(parameters, rows, files),
        "targets_text": _targets_text(rows),
    }
    return [_script("linux", name, values) for name in ("install.sh", "verify.sh")]


def _linux_tables(parameters: ScriptParameters, rows: list[_Row], files: Mapping[str, str]) -> dict[str, object]:
    """The arrays of the bash headers: what their rows hold is said in the templates and the runtime."""
    certificates = {one.path for one in parameters.certificates}
    return {
        "file_rows": [(path, digest) for path, digest in sorted(files.items()) if path not in certificates],
        "package_rows": [astuple(row) for row in rows],
        "certificate_rows": [
            (one.sha256, one.sha1, one.store, files.get(one.path, ""), one.name) for one in parameters.certificates
        ],
        "endpoint_rows": [
            (one.host, str(one.port), _yes(one.required), one.expects, one.way, one.phase) for one in parameters.checks
        ],
        "root_rows": [
            (one.name, one.sha1, _yes(one.required)) for one in parameters.roots if one.needed_for == "azure-tls"
        ],
    }


def _yes(given: bool) -> str:
    return "yes" if given else "no"


def _windows(parameters: ScriptParameters, rows: list[_Row], shared: Mapping[str, object]) -> list[Entry]:
    values = {**shared, **_connection(parameters), "rows": rows}
    return [_script("windows", name, values) for name in ("install.ps1", "verify.ps1")]


def _script(platform: str, name: str, values: Mapping[str, object]) -> Entry:
    """One script: its header rendered, its runtime joined."""
    content = runtime.script(
        render(f"arc-server/{platform}/{name}.j2", values),
        runtime_parts.parts(name),
        tool=str(values["tool"]),
        product="arc-server",
        platform=platform,
        name=name,
    )
    return Entry(name, content, 0o755 if platform == "linux" else 0o644)


def package_settings(pins: Sequence[Pin]) -> tuple[PackageSetting, ...]:
    """The packages as ``config/settings.json`` names them."""
    return tuple(
        PackageSetting(path=pin.path, sha256=pin.sha256, size=pin.size, version=pin.facts.version, targets=pin.targets)
        for pin in pins
    )


def _targets_text(rows: Iterable[_Row]) -> str:
    return ", ".join(dict.fromkeys(row.target for row in rows))


def _supported(target: Target, version_id: str, agent: str) -> str:
    """A target such as ``sles/15`` has service packs, of which Microsoft's table has left some behind."""
    below = (one for one in tables.systems().of(target.os) if one.version.startswith(f"{version_id}."))
    return " ".join(one.version for one in below if not AgentVersion(agent).newer_than(one.last))


def _row(pin: Pin, target: Target, *, release_id: str, version_id: str, machine: str) -> _Row:
    packed = -(-pin.size // 1024)
    # Where the package does not say: the published packages take three times their size (facts of 1.50 and 1.51).
    installed = -(-pin.facts.installed_size // 1024) or 3 * packed
    return _Row(
        id=release_id,
        version_id=version_id,
        machine=machine,
        target=str(target),
        path=pin.path,
        sha256=pin.sha256,
        package_version=pin.facts.version,
        kind=pin.kind,
        packed=str(packed),
        installed=str(installed),
        supported=_supported(target, version_id, pin.facts.version),
    )


def _linux_rows(pin: Pin) -> Iterable[_Row]:
    for target in pin.targets:
        # SLES says "15 SP5", its VERSION_ID "15.5".
        version_id = re.sub(r"[ -]?sp", ".", target.version, flags=re.IGNORECASE)
        machine = _MACHINES.get(target.architecture, target.architecture)
        for release_id in _RELEASE_IDS.get(target.os, (target.os,)):
            yield _row(pin, target, release_id=release_id, version_id=version_id, machine=machine)


def _windows_rows(pin: Pin) -> Iterable[_Row]:
    for target in pin.targets:
        version_id = re.sub(r"[ -]", "", target.version).lower()
        yield _row(pin, target, release_id="windows", version_id=version_id, machine="AMD64")


def _connection(parameters: ScriptParameters) -> dict[str, str]:
    flag, spoken = _SECRETS.get(parameters.authentication, ("", "the secret"))
    return {"connect_json": connect_json(parameters), "secret_flag": flag, "secret_name": spoken}


def connect_json(parameters: ScriptParameters) -> str:
    """What ``azcmagent connect --config`` reads, without the secret: long flag names and their values, in ASCII.

    Source: azcmagent-connect.md, "Flags" and "Common flags" (``--config``).
    """
    flags: dict[str, str | bool] = {
        "cloud": parameters.cloud,
        "tenant-id": parameters.tenant_id,
        "subscription-id": parameters.subscription_id,
        "resource-group": parameters.resource_group,
        "location": parameters.location,
        "resource-name": parameters.resource_name,
        "tags": tag_text(parameters.tags),
        "correlation-id": parameters.correlation_id,
        "service-principal-id": parameters.service_principal_id,
        "service-principal-cert": parameters.certificate_file,
        "service-principal-cert-thumbprint": parameters.certificate_thumbprint,
        "private-link-scope": parameters.private_link_scope,
        "gateway-id": parameters.gateway_id,
        "use-device-code": parameters.authentication == "device-code",
    }
    return json.dumps({flag: given for flag, given in flags.items() if given})


def tag_text(tags: Mapping[str, str]) -> str:
    """Tags as ``azcmagent connect --tags`` takes them: ``name=value`` with commas between.

    A part with anything unusual is put in single quotes; a backslash takes the meaning from a quote and from
    itself (azcmagent-connect.md, ``--tags``; backslashes from agent 1.50).
    """
    return ",".join(f"{_tag_part(name)}={_tag_part(text)}" for name, text in tags.items())


def _tag_part(text: str) -> str:
    if _TAG_PLAIN.fullmatch(text):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
