"""Writes START-HERE.txt: what the person who receives the bundle does with it."""

from __future__ import annotations

from collections.abc import Mapping

from bundler.model.seal import Signer
from bundler.model.tree import Entry
from bundler.products.arc_server import needed_switches
from bundler.products.arc_server.settings import Settings
from bundler.products.arc_server.target_rows import TargetRows, targets_text
from bundler.render.environment import render


def entry(
    rows: TargetRows, settings: Settings, shared: Mapping[str, object], scripts_signed_by: Signer | None
) -> Entry:
    """The file; ``scripts_signed_by`` is named as the signer of the PowerShell scripts."""
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
        "targets_text": targets_text(rows.linux + rows.windows),
        "scripts_signed_by": scripts_signed_by,
        "seal_policy": shared["seal_policy"],
        "signer_switch": needed_switches.SIGNER.names(linux=linux, windows=windows),
        "switches": [(one.names(linux=linux, windows=windows), one.purpose) for one in switches],
        "secret_needed": settings.parameters.authentication in needed_switches.SECRETS,
    }
    return Entry("START-HERE.txt", render("arc-server/START-HERE.txt.j2", values))
