"""The order in which the runtime's files follow each other in each script of this product.

Data of the whole run comes first, ``*_main`` last: it starts the run when everything above it is defined.
"""

from __future__ import annotations

from functools import cache

from bundler.render.runtime import Part, read_parts

_SHARED = "templates/runtime/windows"
_OWN = "templates/arc-server/runtime/windows"

_VERIFY_PS1 = (
    f"{_SHARED}/paths.ps1",
    f"{_SHARED}/hashes.ps1",
    f"{_SHARED}/bundle_files.ps1",
    f"{_SHARED}/seal.ps1",
    f"{_SHARED}/verify_main.ps1",
)

_INSTALL_PS1 = (
    f"{_OWN}/codes.ps1",
    f"{_SHARED}/json.ps1",
    f"{_SHARED}/redaction.ps1",
    f"{_SHARED}/paths.ps1",
    f"{_SHARED}/steps.ps1",
    f"{_SHARED}/problems.ps1",
    f"{_SHARED}/files.ps1",
    f"{_SHARED}/process.ps1",
    f"{_SHARED}/versions.ps1",
    f"{_SHARED}/secret.ps1",
    f"{_SHARED}/envelope_form.ps1",
    f"{_SHARED}/envelope_key.ps1",
    f"{_SHARED}/envelope.ps1",
    f"{_SHARED}/hashes.ps1",
    f"{_SHARED}/bundle_files.ps1",
    f"{_SHARED}/seal.ps1",
    f"{_SHARED}/serials.ps1",
    f"{_SHARED}/changes.ps1",
    f"{_SHARED}/certificates.ps1",
    f"{_SHARED}/hosts.ps1",
    f"{_SHARED}/network.ps1",
    f"{_SHARED}/network_table.ps1",
    f"{_SHARED}/http.ps1",
    f"{_SHARED}/machine.ps1",
    f"{_SHARED}/folders.ps1",
    f"{_SHARED}/receipt_file.ps1",
    f"{_SHARED}/run.ps1",
    f"{_OWN}/system.ps1",
    f"{_OWN}/agent.ps1",
    f"{_OWN}/sign_in.ps1",
    f"{_OWN}/verify_step.ps1",
    f"{_OWN}/preflight_machine.ps1",
    f"{_OWN}/preflight_network.ps1",
    f"{_OWN}/preflight.ps1",
    f"{_OWN}/install_step.ps1",
    f"{_OWN}/configure.ps1",
    f"{_OWN}/connect.ps1",
    f"{_OWN}/confirm.ps1",
    f"{_OWN}/identity.ps1",
    f"{_OWN}/uninstall.ps1",
    f"{_OWN}/collect.ps1",
    f"{_OWN}/receipt.ps1",
    f"{_OWN}/options.ps1",
    f"{_OWN}/install_main.ps1",
)

PARTS = {"install.ps1": _INSTALL_PS1, "verify.ps1": _VERIFY_PS1}
"""By the script's name: its runtime's files."""


@cache
def parts(name: str) -> tuple[Part, ...]:
    """The runtime's files of the script called ``name``, read once."""
    return read_parts(PARTS[name])
