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
    # Azure no longer knows an expired identity.
    if ($ForceLocalOnly -or (Test-Same $script:State 'expired')) {
        $answer = Invoke-Program $Agent @('disconnect', '--force-local-only')
    } else {
        $answer = Invoke-WithFile 'disconnect' (Get-DisconnectJson)
    }
    Find-ToldLogs
    if ($answer.Code -ne 0) {
        Show-End $answer.Text
        Stop-Here $answer.Code ('azcmagent disconnect ended with ' + $answer.Code + (Get-ToldText) +
            '; -ForceLocalOnly removes the connection on this machine only')
    }
}

# Before anything is changed: is the machine connected to this bundle's resource, and is there a secret to sign in with?
function Step-UninstallPreflight {
    Start-Step 'preflight'
    Test-Place
    Read-State
    if (-not $WhatIf -and -not (Test-Elevated)) { Stop-Here 202 'an elevated PowerShell is needed (Run as administrator)' }
    # A 32-bit process would disconnect the agent, and then not find it in the list of programs.
    if (-not $WhatIf -and (Test-Wow64)) { Stop-Here 202 $Wow64Text }
    if ((Test-Same $script:State 'elsewhere') -and -not $ForceLocalOnly) {
        Stop-Here 67 ('this machine is ' + $script:AgentResource + '; the bundle is for ' + (Get-WantedResource) +
            '; -ForceLocalOnly disconnects it on this machine only')
    }
    Test-Installer
    if ($script:ProblemCode -ne 0) { Stop-Here $script:ProblemCode $script:Problems[0] }
    if ((Test-Same $script:State 'wanted') -and -not $ForceLocalOnly -and (Test-SecretWanted) -and -not $WhatIf) {
        $problem = Get-SecretProblem
        if ($problem) { Stop-Here 203 ($problem + '; -ForceLocalOnly needs none') }
        Read-WantedSecret
    }
    Complete-Step 'ok' (Get-StateText)
}

function Step-Disconnect {
    Start-Step 'disconnect'
    if ((Test-Same $script:State 'absent') -or (Test-Same $script:State 'disconnected')) { Complete-Step 'skip' (Get-StateText); return }
    if ($WhatIf) { Complete-Step 'would' ('disconnect ' + $script:AgentResource); return }
    Disconnect-Agent
    $script:Secret = ''
    $script:Certificate = $null
    $how = ''
    if ($ForceLocalOnly) { $how = ' on this machine only; its resource in Azure remains' }
    Complete-ToldStep ('disconnected ' + $script:AgentResource + $how)
}

function Step-Remove {
    Start-Step 'remove'
    $present = Get-InstalledVersion
    if (-not $present) { Complete-Step 'skip' 'no agent is installed'; return }
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
