"""The order in which the runtime's files follow each other in each script of this product.

Data of the whole run comes first, ``main`` or ``*_main`` last: it starts the run when everything above it is defined.
"""

from __future__ import annotations

from functools import cache

from bundler.render.runtime import Part, read_parts

_SHARED = "templates/runtime/windows"
_OWN = "templates/arc-server/runtime/windows"

_VERIFY_PS1 = (
    f"{_SHARED}/text.ps1",
    f"{_SHARED}/paths.ps1",
    f"{_SHARED}/hashes.ps1",
    f"{_SHARED}/bundle_files.ps1",
    f"{_SHARED}/seal.ps1",
    f"{_SHARED}/fingerprint.ps1",
    f"{_SHARED}/arguments.ps1",
    f"{_SHARED}/verify_main.ps1",
)

_INSTALL_PS1 = (
    f"{_SHARED}/text.ps1",
    f"{_OWN}/codes.ps1",
    f"{_SHARED}/json.ps1",
    f"{_SHARED}/secret_forms.ps1",
    f"{_SHARED}/secret_patterns.ps1",
    f"{_SHARED}/redaction.ps1",
    f"{_SHARED}/paths.ps1",
    f"{_SHARED}/arguments.ps1",
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
    f"{_SHARED}/fingerprint.ps1",
    f"{_SHARED}/serials.ps1",
    f"{_SHARED}/changes.ps1",
    f"{_SHARED}/copies.ps1",
    f"{_SHARED}/certificates.ps1",
    f"{_SHARED}/hosts.ps1",
    f"{_SHARED}/network.ps1",
    f"{_SHARED}/network_table.ps1",
    f"{_SHARED}/http.ps1",
    f"{_SHARED}/machine.ps1",
    f"{_SHARED}/machine_digits.ps1",
    f"{_SHARED}/rights.ps1",
    f"{_SHARED}/named_folder.ps1",
    f"{_SHARED}/folders.ps1",
    f"{_SHARED}/receipt_file.ps1",
    f"{_SHARED}/run.ps1",
    f"{_OWN}/system.ps1",
    f"{_OWN}/agent.ps1",
    f"{_OWN}/agent_logs.ps1",
    f"{_OWN}/sign_in.ps1",
    f"{_OWN}/verify_step.ps1",
    f"{_OWN}/host_kind.ps1",
    f"{_OWN}/preflight_machine.ps1",
    f"{_OWN}/preflight_network.ps1",
    f"{_OWN}/reserved_names.ps1",
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

_SHARED_SH = "templates/runtime/linux"
_OWN_SH = "templates/arc-server/runtime/linux"

# The secrets leave the environment before the first program is started: path and secret start none.
_VERIFY_SH = (
    f"{_SHARED_SH}/path.sh",
    f"{_SHARED_SH}/folder.sh",
    f"{_SHARED_SH}/rows.sh",
    f"{_SHARED_SH}/text.sh",
    f"{_SHARED_SH}/hash.sh",
    f"{_SHARED_SH}/bundle_files.sh",
    f"{_SHARED_SH}/seal_tools.sh",
    f"{_SHARED_SH}/seal.sh",
    f"{_SHARED_SH}/fingerprint.sh",
    f"{_SHARED_SH}/verify.sh",
)

_INSTALL_SH = (
    f"{_SHARED_SH}/path.sh",
    f"{_SHARED_SH}/secret.sh",
    f"{_SHARED_SH}/der.sh",
    f"{_SHARED_SH}/envelope.sh",
    f"{_SHARED_SH}/destroy.sh",
    f"{_SHARED_SH}/folder.sh",
    f"{_SHARED_SH}/rows.sh",
    f"{_SHARED_SH}/json.sh",
    f"{_SHARED_SH}/versions.sh",
    f"{_SHARED_SH}/new_file.sh",
    f"{_SHARED_SH}/named_folder.sh",
    f"{_SHARED_SH}/secret_forms.sh",
    f"{_SHARED_SH}/held_secrets.sh",
    f"{_SHARED_SH}/hide.sh",
    f"{_SHARED_SH}/steps.sh",
    f"{_SHARED_SH}/command.sh",
    f"{_SHARED_SH}/explain.sh",
    f"{_OWN_SH}/codes.sh",
    f"{_SHARED_SH}/findings.sh",
    f"{_SHARED_SH}/text.sh",
    f"{_SHARED_SH}/hash.sh",
    f"{_SHARED_SH}/os_release.sh",
    f"{_SHARED_SH}/machine.sh",
    f"{_SHARED_SH}/machine_digits.sh",
    f"{_SHARED_SH}/copies.sh",
    f"{_SHARED_SH}/writable.sh",
    f"{_SHARED_SH}/bundle_files.sh",
    f"{_SHARED_SH}/seal_tools.sh",
    f"{_SHARED_SH}/seal.sh",
    f"{_SHARED_SH}/fingerprint.sh",
    f"{_SHARED_SH}/serials.sh",
    f"{_SHARED_SH}/changes.sh",
    f"{_SHARED_SH}/hosts_file.sh",
    f"{_SHARED_SH}/trust_store.sh",
    f"{_SHARED_SH}/carried_roots.sh",
    f"{_SHARED_SH}/space.sh",
    f"{_SHARED_SH}/mounts.sh",
    f"{_SHARED_SH}/package_lock.sh",
    f"{_SHARED_SH}/restart.sh",
    f"{_SHARED_SH}/probes.sh",
    f"{_SHARED_SH}/verdicts.sh",
    f"{_SHARED_SH}/network_table.sh",
    f"{_SHARED_SH}/clock.sh",
    f"{_SHARED_SH}/receipt.sh",
    f"{_SHARED_SH}/run_lock.sh",
    f"{_SHARED_SH}/folders.sh",
    f"{_SHARED_SH}/ending.sh",
    f"{_SHARED_SH}/collect.sh",
    f"{_OWN_SH}/bundle.sh",
    f"{_OWN_SH}/options.sh",
    f"{_OWN_SH}/target.sh",
    f"{_OWN_SH}/derived.sh",
    f"{_OWN_SH}/facts.sh",
    f"{_OWN_SH}/state.sh",
    f"{_OWN_SH}/sign_in.sh",
    f"{_OWN_SH}/verify_step.sh",
    f"{_OWN_SH}/network_step.sh",
    f"{_OWN_SH}/host_kind.sh",
    f"{_OWN_SH}/azure_vm.sh",
    f"{_OWN_SH}/gateway.sh",
    f"{_OWN_SH}/package.sh",
    f"{_OWN_SH}/repair.sh",
    f"{_OWN_SH}/reserved_names.sh",
    f"{_OWN_SH}/preflight.sh",
    f"{_OWN_SH}/install_step.sh",
    f"{_OWN_SH}/configure.sh",
    f"{_OWN_SH}/identity.sh",
    f"{_OWN_SH}/agent_logs.sh",
    f"{_OWN_SH}/connect.sh",
    f"{_OWN_SH}/agent_check.sh",
    f"{_OWN_SH}/confirm.sh",
    f"{_OWN_SH}/uninstall.sh",
    f"{_OWN_SH}/collect_step.sh",
    f"{_OWN_SH}/main.sh",
)

PARTS = {
    "install.sh": _INSTALL_SH,
    "verify.sh": _VERIFY_SH,
    "install.ps1": _INSTALL_PS1,
    "verify.ps1": _VERIFY_PS1,
}
"""By the script's name: its runtime's files."""


@cache
def parts(name: str) -> tuple[Part, ...]:
    """The runtime's files of the script called ``name``, read once."""
    return read_parts(PARTS[name])
