"""Renders the scripts for a bundle's targets, and writes the facts that they run on.

Everything here is pure: the same parameters and pins give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple

from bundler.errors import DefinitionError
from bundler.formats import json_codec
from bundler.model.lock import Pin
from bundler.model.seal import SealPolicy, Signer
from bundler.model.tree import Entry
from bundler.products.arc_server import runtime_parts, shared_values, start_here
from bundler.products.arc_server.connect import connection
from bundler.products.arc_server.script_parameters import ScriptParameters
from bundler.products.arc_server.settings import Settings, package_settings
from bundler.products.arc_server.target_rows import TargetRow, TargetRows, targets_text
from bundler.render import runtime
from bundler.render.environment import render

UNSEALED = SealPolicy()


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
    rows = TargetRows.of(pins)
    made = [Entry(path, content) for path, content in facts.items()]
    made += script_entries(settings, digests, pins, seal_policy)
    shared = shared_values.of(settings, digests, seal_policy)
    made.append(start_here.entry(rows, settings, shared, scripts_signed_by if rows.windows else None))
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
    shared = shared_values.of(settings, facts, seal_policy)
    rows = TargetRows.of(pins)
    made: list[Entry] = []
    if rows.linux:
        made += _linux(settings.parameters, rows.linux, shared, facts)
    if rows.windows:
        made += _windows(settings.parameters, rows.windows, shared)
    return tuple(made)


def _linux(
    parameters: ScriptParameters, rows: list[TargetRow], shared: Mapping[str, object], files: Mapping[str, str]
) -> list[Entry]:
    if parameters.certificate_thumbprint:
        raise DefinitionError(
            "a certificate in a Windows store cannot be used by the Linux targets",
            do="give authentication.certificate_file instead, or build a separate bundle for Windows",
        )
    values = {
        **shared,
        **connection(parameters),
        **_linux_tables(parameters, rows, files),
        "targets_text": targets_text(rows),
    }
    return [_script("linux", name, values) for name in ("install.sh", "verify.sh")]


def _linux_tables(parameters: ScriptParameters, rows: list[TargetRow], files: Mapping[str, str]) -> dict[str, object]:
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
            (one.name, one.sha1, "soon" if one.soon else _yes(one.required))
            for one in parameters.roots
            if one.needed_for == "azure-tls"
        ],
    }


def _yes(given: bool) -> str:
    return "yes" if given else "no"


def _windows(parameters: ScriptParameters, rows: list[TargetRow], shared: Mapping[str, object]) -> list[Entry]:
    values = {**shared, **connection(parameters), "rows": rows}
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
