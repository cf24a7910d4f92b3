# Step 7, receipt: what the receipt says.

function Get-Mode {
    if ($CollectLogs) { return 'collect-logs' }
    if ($WhatIf) { return 'dry-run' }
    if ($CheckOnly) { return 'check' }
    if ($Uninstall) { return 'uninstall' }
    'install'
}

# The switches that change what a run does, for the reader of the receipt.
function Get-Switches {
    foreach ($name in @('InstallCertificates', 'WriteHosts', 'Reconnect', 'AllowDowngrade', 'AllowOlder', 'SkipNetworkCheck',
            'ForceLocalOnly', 'DeleteResource')) {
        if ((Get-Variable -Name $name -ValueOnly)) { ConvertTo-JsonText ('-' + $name) }
    }
    if (Test-ArcTest) { ConvertTo-JsonText 'MSFT_ARC_TEST' }
}

function Get-AgentJson {
    if (-not $script:AgentFacts) {
        $hash = ''
        if (Test-Path -LiteralPath $Agent -PathType Leaf) { $hash = Get-Sha256 $Agent }
        $script:AgentFacts = ConvertTo-JsonObject @(@('version', (Get-InstalledVersion)), @('sha256', $hash))
    }
    $script:AgentFacts
}

$script:AgentFacts = ''       # read once, until something changes

# The run has changed what the receipt reports of the machine.
function Reset-ReceiptFacts {
    $script:AgentFacts = ''
    if (Test-RestartPending) { $script:RestartDue = $true }
}

# A reason belongs to a run that failed.
function Get-ReasonJson([string]$Outcome) {
    if ($script:Reason -and (Test-Same $Outcome 'failed')) { return (ConvertTo-JsonText $script:Reason) }
    'null'
}

function Get-RestartJson {
    if ($null -eq $script:RestartDue) { return 'null' }
    ([string][bool]$script:RestartDue).ToLowerInvariant()
}

function Get-ReceiptText([int]$Code, [string]$Outcome) {
    $end = [Environment]::NewLine
    $version = ([string]$Machine.Version + ' (build ' + $Machine.Build + ')')
    $lines = @(
        '{'
        '  "schema": "arc-bundler/receipt/2",'
        ('  "bundle": ' + (ConvertTo-JsonObject @(@('name', $BundleName), @('version', $BundleVersion), @('digest', (Get-Digest)),
            @('tool', $BundleTool))).TrimEnd('}') + ', "lab": ' + ([string]$Lab).ToLowerInvariant() + ', "serial": ' + $Serial +
            ', "seal": ' + (Get-SealJson) + '},')
        ('  "host": ' + (ConvertTo-JsonObject @(@('name', $HostName), @('os', $Machine.Product), @('version', $version),
            @('architecture', $Machine.Architecture))) + ',')
        ('  "machine": ' + (ConvertTo-JsonText $script:MachineDigits) + ',')
        ('  "began": ' + (ConvertTo-JsonText $Started) + ',')
        ('  "ended": ' + (ConvertTo-JsonText (Get-Moment)) + ',')
        ('  "mode": ' + (ConvertTo-JsonText (Get-Mode)) + ',')
        ('  "steps": [' + $end + ($script:Record -join (',' + $end)) + $end + '  ],')
        ('  "preflight": [' + $end + (Get-NetworkJson) + $end + '  ],')
        ('  "agent": ' + (Get-AgentJson) + ',')
        ('  "resource_id": ' + (ConvertTo-JsonText $script:AgentResource) + ',')
        ('  "outcome": ' + (ConvertTo-JsonText $Outcome) + ',')
        ('  "code": ' + $Code + ',')
        ('  "reason": ' + (Get-ReasonJson $Outcome) + ',')
        ('  "message": ' + (ConvertTo-JsonText (Hide-Secrets $script:Message)) + ',')
        ('  "restart_due": ' + (Get-RestartJson) + ',')
        ('  "warnings": [' + (@($script:Warnings | ForEach-Object { ConvertTo-JsonText $_ }) -join ', ') + '],')
        ('  "switches": [' + (@(Get-Switches) -join ', ') + ']')
        '}'
    )
    ($lines -join $end) + $end
}

function Get-OutcomeWord {
    $words = @{ install = 'connected'; uninstall = 'uninstalled'; 'collect-logs' = 'collected' }
    $mode = Get-Mode
    if ($words.ContainsKey($mode)) { return $words[$mode] }
    'checked'
}

function Step-Receipt {
    Start-Step 'receipt'
    if ($WhatIf) { Complete-Step 'would' ('write the log and the receipt to ' + $script:Records); return }
    Reset-ReceiptFacts
    Complete-Envelope
    if (Test-Same (Get-Mode) 'install') { Save-Serial }
    Write-LastReceipt 0 (Get-OutcomeWord)
    $script:Finished = $true
    Complete-Step 'ok' $script:Receipt
}
