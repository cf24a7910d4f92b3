"""Reads answers of azcmagent with the runtime's PowerShell, every row of the table in one process of one host."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bundler.products.arc_server import runtime_parts
from tests.support.windows_bench import source

# The runtime's files that read answers, and those that they need, in the order of the script.
READERS = (
    "codes", "json", "json_reader", "secret_forms", "secret_patterns", "redaction", "steps", "problems", "process",
    "versions", "machine", "receipt_file", "system", "agent", "agent_text", "agent_state", "agent_machine", "reasons",
    "agent_reason", "configure", "agent_check", "gateway",
)  # fmt: skip

# What a row says of its machine takes the place of what the script would ask this one for.
BEGINNING = r"""
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2
$script:Lab = $false
$script:WantedName = ''; $script:WantedSubscription = ''; $script:WantedGroup = ''
$script:Gateway = ''; $script:ProxyUrl = ''; $script:EndpointChecks = @(); $script:Network = @()
$script:BundleTargets = @(); $script:ForceLocalOnly = $false; $script:DeleteResource = $false; $script:Uninstall = $true
"""
SCRIPT = r"""
function Get-KeptText { $script:Row.context.config }
function Get-MachineUuid { $script:Row.context.uuid }
function Get-HostNames { $script:Row.context.host }
function Get-InstalledVersion { '' }

# Objects of a class of its own: ConvertTo-Json writes them alike in every version.
function Get-ShowFindings($Row, [string]$Output) {
    Set-ShownState $Row.rc $Output
    $facts = $script:Shown
    $found = @{ state = $script:ShownState; resource = Get-LeftResource; place = 'none' }
    if ($script:AgentResource) { $found.place = 'elsewhere' }
    if (@('wanted', 'expired') -contains $script:State) { $found.place = 'wanted' }
    $found.error_code = [string](Get-Fact $facts $script:ErrorCodeKeys)
    $found.error_details = [string](Get-Fact $facts $script:ErrorTextKeys)
    $found.agent = [string](Get-Fact $facts @('agentversion'))
    $found.vm_id = [string](Get-Fact $facts @('vmid'))
    $found.code = 0
    if (Test-Unknown) { $found.code = $script:StateCode }
    if ($script:State -ceq 'elsewhere') { $found.code = 67 }
    $found.local = [bool](Get-LocalOnlyReason)
    $found.clone = [bool](Get-CloneText)
    $found.gateway = Get-GatewayProof $facts ([string](Read-Setting $Row.context.type 'connection.type' -Alone))
    $found.proxy = Get-UpstreamProof $facts
    $script:Reason = ''
    $script:Advice = ''
    Set-ErrorReason
    $found.reason = $script:Reason
    $found.advice = $script:Advice
    if ($script:State -ceq 'expired') { $found.advice += Get-ExpiredText }
    $found
}

function Get-CheckAnswer($Row, [string]$Output) {
    $rows = @(Get-CheckRows $Output)
    $found = Get-CheckFindings $rows
    $code = 0
    if ($found.Required.Count -gt 0) { $code = 26 }
    @{
        understood = $rows.Count -gt 0; required = @($found.Required); optional = @($found.Others) + @($found.Gateway)
        code = $code; doubt = Get-CheckDoubt $Row.rc $rows
    }
}

function Get-ReasonAnswer($Row, [string]$Text) {
    $answer = New-Object PSObject -Property @{ Code = $Row.rc; Text = $Text; Output = $Text }
    $script:Reason = ''
    $script:Advice = ''
    Set-Reason $answer
    $row = Find-Reason $Text
    $policy = ''
    if ($null -ne $row) { $policy = $row.Name }
    @{ reason = $script:Reason; advice = $script:Advice; retry = [bool](Get-TransientReason $answer); policy = $policy }
}

function Get-SettingAnswer($Row, [string]$Output) {
    $value = Read-Setting $Output $Row.context.key -Alone
    $same = $null -ne $value -and (Test-Fits $Row.context.key $value $Row.context.value)
    @{ value = [string]$value; unread = ($null -eq $value); same = $same }
}

foreach ($line in [IO.File]::ReadAllLines('@ROWS@')) {
    $script:Row = $line | ConvertFrom-Json
    $context = $script:Row.context
    $script:WantedSubscription = $context.subscription
    $script:WantedGroup = $context.group
    $script:WantedName = $context.name
    $script:HostName = $context.host; $script:ProxyUrl = $context.proxy; $script:Gateway = $context.gateway
    $script:EndpointChecks = @()
    foreach ($one in @($context.checks)) {
        $script:EndpointChecks += @{ Host = $one.host; Required = $one.required; Way = $one.way }
    }
    $bytes = $Latin.GetString([Convert]::FromBase64String($script:Row.bytes))
    $output = Hide-LongValues $bytes
    $found = switch -CaseSensitive ($script:Row.command) {
        'show' { Get-ShowFindings $script:Row $output }
        'check' { Get-CheckAnswer $script:Row $output }
        'config' { Get-SettingAnswer $script:Row $output }
        default { Get-ReasonAnswer $script:Row (Hide-Bytes $bytes) }
    }
    [Console]::Out.WriteLine(($found | ConvertTo-Json -Compress))
}
"""


def sources(names: Iterable[str]) -> str:
    """PowerShell that has the data of a bundle, and takes these files of the runtime in, as they are."""
    paths = {path.rpartition("/")[2]: path.removeprefix("templates/") for path in runtime_parts.PARTS["install.ps1"]}
    return BEGINNING + source(*(paths[f"{name}.ps1"] for name in names))


def read_all(powershell: str, folder: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the runtime reads in each row.

    Args:
        powershell: the host.
        folder: for the script and its input.
        rows: command, rc, text (bytes) and context (a complete one, with ``checks``).

    Raises:
        AssertionError: the host did not answer for each row.
    """
    given = [
        {**{key: row[key] for key in ("command", "rc", "context")}, "bytes": base64.b64encode(row["text"]).decode()}
        for row in rows
    ]
    (folder / "rows").write_text("".join(f"{json.dumps(row)}\n" for row in given), encoding="utf-8")
    script = sources(READERS) + SCRIPT.replace("@ROWS@", str(folder / "rows"))
    (folder / "read.ps1").write_text(script, encoding="utf-8-sig")
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", str(folder / "read.ps1")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == len(rows), done.stdout[-3000:] + done.stderr
    return [json.loads(line) for line in lines]
