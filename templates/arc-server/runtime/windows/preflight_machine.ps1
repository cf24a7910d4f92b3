# What the agent needs of this machine.

$script:ServicesSid = '*S-1-5-80-0'  # NT SERVICE\ALL SERVICES
# The account of the agent's service, NT SERVICE\himds (agent-overview.md).
$script:ServiceSid = '*S-1-5-80-4215458991-2034252225-2287069555-1155419622-2701885083'

# The agent's service runs as NT SERVICE\himds; group policies often leave "Log on as a service" without it.
function Test-ServiceLogon {
    $tool = Get-SystemTool 'secedit.exe'
    if ($WhatIf -or -not (Test-Path -LiteralPath $tool) -or -not (Test-Elevated)) { return }
    $file = [IO.Path]::Combine([IO.Path]::GetTempPath(), 'arc-bundler-' + [Guid]::NewGuid().ToString('N') + '.inf')
    try {
        $answer = Invoke-Program $tool @('/export', '/areas', 'USER_RIGHTS', '/cfg', $file, '/quiet')
        if ($answer.Code -ne 0 -or -not [IO.File]::Exists($file)) {
            Add-Note 'not tested: "Log on as a service", because secedit failed'
            return
        }
        $line = @([IO.File]::ReadAllLines($file) | Where-Object { Test-Pattern $_ '^\s*SeServiceLogonRight\s*=' })
        $held = ''
        if ($line.Count -gt 0) { $held = ($line[0] -csplit '=', 2)[1] }
        $accounts = @($held -csplit ',' | ForEach-Object { $_.Trim() })
        foreach ($one in @($ServicesSid, $ServiceSid, 'NT SERVICE\ALL SERVICES', 'NT SERVICE\himds', 'himds')) {
            if (Test-OneOfAnyCase $one $accounts) { return }
        }
        Add-Problem 202 'a policy keeps NT SERVICE\himds from "Log on as a service"; give it, or NT SERVICE\ALL SERVICES, that right' -Reason 'service-logon'
    } finally { [IO.File]::Delete($file) }
}

# Microsoft's own switch for tests (Evaluate Azure Arc-enabled servers with an Azure virtual machine).
function Test-ArcTest {
    (Test-SameAnyCase $env:MSFT_ARC_TEST 'true') -or (Test-SameAnyCase ([Environment]::GetEnvironmentVariable('MSFT_ARC_TEST', 'Machine')) 'true')
}

function Test-AzureMachine {
    $answer = Get-WebAnswer -Url 'http://169.254.169.254/metadata/instance/compute?api-version=2021-02-01' -Milliseconds 1500 -Headers @{ Metadata = 'true' }
    if ($null -ne $answer -and $answer.Code -eq 200 -and $answer.Text -cmatch '"azEnvironment"\s*:\s*"(Azure[^"]*)"') {
        $where = $Matches[1]
        if (Test-ArcTest) { Add-Note ('this is an Azure VM (' + $where + '); MSFT_ARC_TEST=true allows it'); return }
        Add-Problem 202 ('this is an Azure VM (' + $where + '), which Azure manages already; for a test set MSFT_ARC_TEST=true') -Reason 'azure-vm'
        return
    }
    Test-Chassis
}

# Server 2022 and 2025 have Microsoft's own setup for Arc. An agent that it installed is found like any other.
function Test-InBox {
    if (Test-Path -LiteralPath ([IO.Path]::Combine([string]$env:SystemRoot, 'AzureArcSetup'))) {
        Add-Note ('Windows'' in-box Azure Arc Setup is present and stays ' +
            '(to remove it: Disable-WindowsOptionalFeature -Online -FeatureName AzureArcSetup)')
    }
}

# The agent, this script's copy of the package, and Windows Installer's copy (in Installer); needs on one volume are added up.
function Test-Space($Target) {
    $needs = @(@([string]$Programs, $Target.Installed), @([string]$env:ProgramData, $Target.Packed), @([string]$env:SystemRoot, $Target.Packed))
    # By the root, as Windows compares paths.
    $sums = New-Object System.Collections.Hashtable ([StringComparer]::OrdinalIgnoreCase)
    foreach ($need in $needs) {
        if (-not $need[0]) { continue }
        $root = [IO.Path]::GetPathRoot($need[0])
        if (-not $sums.ContainsKey($root)) { $sums[$root] = @{ Kib = [double]0; Folders = @() } }
        $sums[$root].Kib += [double]$need[1]
        $sums[$root].Folders += $need[0]
    }
    foreach ($root in $sums.Keys) {
        $free = Get-FreeKib $root
        if ($null -eq $free -or $free -ge $sums[$root].Kib) { continue }
        $places = $sums[$root].Folders -join ' and '
        $text = '{0} has {1} MiB free and needs {2}' -f $places, [int][Math]::Floor($free / 1024), [int]($sums[$root].Kib / 1024 + 1)
        Add-Problem 202 $text -Reason 'no-space'
    }
}

function Test-Machine {
    if (-not (Test-Elevated)) { Add-Problem 202 'an elevated PowerShell is needed (Run as administrator)' -Reason 'not-elevated' }
    if (-not $script:MachineKnown) {
        Add-Note 'this machine has neither a MachineGuid nor an SMBIOS UUID that can be read: its receipts have its name''s digits'
    }
    Test-System
    Test-Container
    Test-HostName
    Test-SqlServer
    if (Test-Wow64) { Add-Problem 202 $Wow64Text -Reason 'powershell-32-bit' }
    Test-Versions
    if (-not (Test-Path -LiteralPath (Get-SystemTool 'msiexec.exe'))) { Add-Problem 202 'msiexec.exe is not in System32' -Reason 'no-package-manager' }
    Test-Restart
    Test-InBox
    # The rest matters for installing and connecting only, not for an agent that is connected to the bundle's resource.
    if (Test-Same $script:State 'wanted') { return }
    Test-ServiceLogon
    Test-AzureMachine
}
