"""Which machine is a Hyper-V guest, and which name is this host's own: each host answers all in one process."""

from __future__ import annotations

import subprocess

from bundler.render import quoting
from tests.support.agent_reader_ps1 import READERS, sources

BOTH_HOSTS = True

# What the firmware says, what the agent says: manufacturer, model, cloud provider; is it a guest?
MACHINES = {
    "a guest": (("Microsoft Corporation", "Virtual Machine"), ("", "", ""), True),
    "a guest, by the agent alone": (("", ""), ("Microsoft Corporation", "Virtual Machine", ""), True),
    "a guest, padded": (("Microsoft Corporation ", " virtual machine"), ("", "", ""), True),
    "Azure Local": (("Dell Inc.", "AX-740xd"), ("Dell Inc.", "AX-740xd", "AzSHCI"), True),
    "a Surface": (("Microsoft Corporation", "Surface Hub 2S"), ("", "", ""), False),
    "VMware": (("VMware, Inc.", "VMware20,1"), ("VMware, Inc.", "VMware20,1", "N/A"), False),
    "another's virtual machine": (("QEMU", "Virtual Machine"), ("", "", ""), False),
    "nothing said": (("", ""), ("", "", ""), False),
}
# The names of the host, the resource's name: is it its own?
NAMES = {
    "the same": (("srv01",), "srv01", True),
    "in another case": (("SRV01",), "srv01", True),
    "with its domain": (("srv01", "srv01.corp.contoso.com"), "srv01.corp.contoso.com", True),
    "with dashes": (("srv01", "srv01.corp.contoso.com"), "srv01-corp-contoso-com", True),
    "cut": (("srv01", "srv01.corp.contoso.com"), "srv01-corp-contos", True),
    "a name of 15 letters": (("ACCOUNTING-SRV-",), "accounting-srv-0042", True),
    "another": (("clone01",), "vm", False),
    "the beginning of it": (("srv01",), "srv", False),
    "more than it": (("srv01",), "srv011", False),
}
# The UUID of the hardware, the agent's: another machine's?
UUIDS = {
    "the same": ("4C4C4544-0042-3510-8056-B4C04F4A3632", "4c4c4544-0042-3510-8056-b4c04f4a3632", False),
    "in the other order": ("4C4C4544-0042-3510-8056-B4C04F4A3632", "44454c4c-4200-1035-8056-b4c04f4a3632", False),
    "another": ("4C4C4544-0042-3510-8056-B4C04F4A3632", "11111111-2222-3333-4444-555555555555", True),
    "the hardware says none": ("", "11111111-2222-3333-4444-555555555555", False),
    "the agent says none": ("4C4C4544-0042-3510-8056-B4C04F4A3632", "", False),
    "zeros": ("00000000-0000-0000-0000-000000000000", "11111111-2222-3333-4444-555555555555", False),
    "no UUID": ("4C4C4544-0042-3510-8056-B4C04F4A3632", "unknown", False),
}


def quoted(values) -> str:
    return ", ".join(quoting.powershell(value) for value in values)


def calls() -> list[str]:
    lines = []
    for (maker, model), said, _ in MACHINES.values():
        lines.append(f"$script:Bios = @{{ SystemManufacturer = '{maker}'; SystemProductName = '{model}' }}")
        lines.append("$script:Shown = New-Table")
        for key, value in zip(("manufacturer", "model", "cloudprovider"), said, strict=True):
            lines += [f"Add-Fact $script:Shown '{key}' '{value}'"] if value else []
        lines.append("[string](Test-HyperVGuest)")
    for names, name, _ in NAMES.values():
        lines += [f"$script:Names = @({quoted(names)})", f"[string](Test-OwnName '{name}')"]
    for hardware, said, _ in UUIDS.values():
        lines += [
            f"$script:Uuid = '{hardware}'",
            "$script:Shown = New-Table",
            f"Add-Fact $script:Shown 'vmuuid' '{said}'",
        ]
        lines.append("[string](Test-OtherHardware)")
    return lines


ANSWERS = """
function Get-RegistryText([string]$Key, [string]$Name) { [string]$script:Bios[$Name] }
function Get-CimText([string]$Class, [string]$Name) { '' }
function Get-HostNames { $script:Names }
function Get-MachineUuid { $script:Uuid }
"""


def test_machines_names_and_numbers(powershell, tmp_path):
    script = "\n".join([sources(READERS), ANSWERS, *calls()])
    (tmp_path / "probe.ps1").write_text(script, encoding="utf-8-sig")
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", tmp_path / "probe.ps1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [line == "True" for line in done.stdout.splitlines()]
    told = [(name, row[-1]) for table in (MACHINES, NAMES, UUIDS) for name, row in table.items()]
    assert list(zip([name for name, _ in told], found, strict=False)) == told, done.stdout + done.stderr
