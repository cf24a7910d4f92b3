# -Uninstall: removes what this script installed and changed, and nothing else.

# The flags that "azcmagent disconnect" shares with connect (azcmagent-disconnect.md).
function Get-DisconnectJson {
    $given = $ConnectJson | ConvertFrom-Json
    $parts = @()
    foreach ($flag in @('tenant-id', 'service-principal-id', 'service-principal-cert', 'service-principal-cert-thumbprint')) {
        $text = Get-PropertyText $given $flag
        if ($text) { $parts += (ConvertTo-JsonText $flag) + ': ' + (ConvertTo-JsonText $text) }
    }
    if (Test-Same $Authentication 'device-code') { $parts += '"use-device-code": true' }
    '{' + ($parts -join ', ') + '}'
}

function Disconnect-Agent {
    Save-LogSizes
    if (Get-LocalOnlyReason) {
        $answer = Invoke-Agent @('disconnect', '--force-local-only')
    } else {
        $answer = Invoke-WithFile 'disconnect' (Get-DisconnectJson)
    }
    Find-ToldLogs
    if ($answer.Code -eq 0) { return }
    Show-End $answer.Text
    $text = 'azcmagent disconnect ended with ' + $answer.Code + (Get-ToldText)
    # An agent that does not answer may not be able to forget its connection either.
    if (Test-Unknown) { Add-Warning $text; return }
    Set-Reason $answer
    Stop-Here $answer.Code ($text + '; -ForceLocalOnly removes the connection on this machine only')
}

# The name of what a run leaves.
function Get-LeftName {
    $name = Get-LeftResource
    if (-not $name) { return 'its resource' }
    $name
}

# What a disconnect does, and what stays in Azure.
function Get-LeaveText([string]$Verb) {
    $text = $Verb + ' ' + (Get-LeftName)
    $why = Get-LocalOnlyReason
    if (-not $why) { return $text }
    $text += ', on this machine only (' + $why + '); it stays in Azure'
    if (-not $ForceLocalOnly -and -not (Test-Same $script:State 'expired')) { $text += '; -DeleteResource deletes it' }
    $text
}

# Before anything is changed: is the machine connected to this bundle's resource, and is there a secret to sign in with?
function Step-UninstallPreflight {
    Start-Step 'preflight'
    Test-Place
    Read-State
    if (-not $WhatIf -and -not (Test-Elevated)) { Stop-Here 202 'an elevated PowerShell is needed (Run as administrator)' }
    # A 32-bit process would disconnect the agent, and then not find it in the list of programs.
    if (-not $WhatIf -and (Test-Wow64)) { Stop-Here 202 $Wow64Text }
    Find-LostAgent
    if ((Test-Unknown) -and -not $ForceLocalOnly) { Stop-Unknown }
    if ((Test-Same $script:State 'elsewhere') -and -not $ForceLocalOnly) {
        Stop-Here 67 ('this machine is ' + $script:AgentResource + '; the bundle is for ' + (Get-WantedResource) +
            '; -ForceLocalOnly disconnects it on this machine only')
    }
    Test-Installer
    if ($script:ProblemCode -ne 0) { Stop-Here $script:ProblemCode $script:Problems[0] }
    if ((Test-Same $script:State 'wanted') -and -not (Get-LocalOnlyReason) -and (Test-SecretWanted) -and -not $WhatIf) {
        $problem = Get-SecretProblem
        if ($problem) { Stop-Here 203 ($problem + '; -ForceLocalOnly needs none') }
        Read-WantedSecret
    }
    Complete-Step 'ok' (Get-StateText)
}

function Step-Disconnect {
    Start-Step 'disconnect'
    if ((Test-Same $script:State 'absent') -or (Test-Same $script:State 'disconnected')) { Complete-Step 'skip' (Get-StateText); return }
    if ($WhatIf) { Complete-Step 'would' (Get-LeaveText 'disconnect'); return }
    if (Test-Path -LiteralPath $Agent -PathType Leaf) { Disconnect-Agent }
    $script:Secret = ''
    $script:Certificate = $null
    $text = Get-LeaveText 'disconnected'
    if (-not (Test-Unknown)) { Complete-ToldStep $text; return }
    $text = 'its state is not known (' + $script:StateProblem + '); ' + $text
    Add-Warning $text
    Complete-Step 'warn' $text
}

# An agent without its program cannot report the connection that its own file may still have.
function Find-LostAgent {
    if (-not (Test-Same $script:State 'absent')) { return }
    $kept = Get-KeptResource
    if (-not $kept) { return }
    if (Get-InstalledVersion) { Set-StateUnknown 0 'the agent is installed, but its program is missing'; return }
    Add-Warning ('no agent is installed, but one left a file that names ' + $kept + ', which may still be in Azure')
}

function Step-Remove {
    Start-Step 'remove'
    $present = Get-InstalledVersion
    # One that is not listed and does not tell its version is there all the same.
    if (-not $present -and -not (Test-Path -LiteralPath $Agent -PathType Leaf)) { Complete-Step 'skip' 'no agent is installed'; return }
    if ($WhatIf) { Complete-Step 'would' ('remove the agent ' + $present + ' with msiexec'); return }
    # Otherwise these settings would stay in the agent's state for the next installation.
    foreach ($change in @(Get-Changes 'setting')) {
        if (Test-Setting $change.Name $change.Value) { Set-Setting 'clear' $change.Name }
    }
    Remove-Package 215
    if (Test-Path -LiteralPath $Agent -PathType Leaf) { Stop-Here 215 ('msiexec succeeded, but ' + $Agent + ' still exists') }
    Complete-Step 'ok' ('removed the agent ' + $present)
}

function Undo-Change($Change) {
    if (Test-Same $Change.Kind 'hosts') { Remove-HostsRecords $Change.Name; return 'lines of the hosts file' }
    if (Test-Same $Change.Kind 'certificate') { Remove-Stored $Change.Name $Change.Value; return 'certificate ' + $Change.Value }
    if (Test-Same $Change.Kind 'environment') {
        if (-not (Test-SameAnyCase (Get-RegistryText $EnvironmentKey $Change.Name) $Change.Value)) { return '' }
        Remove-ItemProperty -Path $EnvironmentKey -Name $Change.Name
        [Environment]::SetEnvironmentVariable($Change.Name, [NullString]::Value, 'Machine')
        return 'variable ' + $Change.Name
    }
    if (Test-Same $Change.Kind 'member') {
        if (Remove-IdentityMember $Change.Value) { return 'member ' + $Change.Name }
    }
    ''
}

function Step-Undo {
    Start-Step 'undo'
    if ($script:Changes.Count -eq 0) { Complete-Step 'skip' 'nothing else to undo'; return }
    if ($WhatIf) { Complete-Step 'would' ('undo ' + $script:Changes.Count + ' changes'); return }
    $undone = @()
    foreach ($change in @($script:Changes)) {
        try { $text = Undo-Change $change } catch {
            if ($script:Stopped) { throw }
            Stop-Here 215 ($change.Kind + ' ' + $change.Name + ' could not be undone: ' + (Get-Reason $_.Exception))
        }
        if ($text) { $undone += $text }
        Remove-Change -Kind $change.Kind -Name $change.Name -Value $change.Value
        Save-Changes
    }
    [IO.File]::Delete((Get-ChangesFile))
    Complete-Step 'ok' ('undone: ' + ($undone -join ', '))
}
