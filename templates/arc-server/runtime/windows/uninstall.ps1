# -Uninstall: removes what this script installed and changed, and nothing else.

# The flags that "azcmagent disconnect" shares with connect (azcmagent-disconnect.md).
function Get-DisconnectJson {
    $given = $ConnectJson | ConvertFrom-Json
    $parts = @()
    foreach ($flag in @('tenant-id', 'service-principal-id', 'service-principal-cert', 'service-principal-cert-thumbprint')) {
        $text = Get-PropertyText $given $flag
        if ($text) { $parts += (ConvertTo-JsonText $flag) + ': ' + (ConvertTo-JsonText $text) }
    }
    if ($Authentication -eq 'device-code') { $parts += '"use-device-code": true' }
    '{' + ($parts -join ', ') + '}'
}

function Disconnect-Agent {
    # What has expired has nobody to say goodbye to.
    if ($ForceLocalOnly -or $script:State -eq 'expired') {
        $answer = Invoke-Program $Agent @('disconnect', '--force-local-only')
    } else {
        $answer = Invoke-WithFile 'disconnect' (Get-DisconnectJson)
    }
    if ($answer.Code -ne 0) {
        Show-End $answer.Text
        Stop-Here $answer.Code ('azcmagent disconnect ended with ' + $answer.Code + '; -ForceLocalOnly forgets the connection on this machine alone')
    }
}

# Before anything is touched: is it ours to disconnect, and is there something to sign in with?
function Step-UninstallPreflight {
    Start-Step 'preflight'
    Read-State
    if (-not $WhatIf -and -not (Test-Elevated)) { Stop-Here 202 'an elevated PowerShell is needed (Run as administrator)' }
    # Disconnected first, it would not find the agent in the list of programs then.
    if (-not $WhatIf -and (Test-Wow64)) { Stop-Here 202 $Wow64Text }
    if ($script:State -eq 'elsewhere' -and -not $ForceLocalOnly) {
        Stop-Here 67 ('this machine is ' + $script:AgentResource + '; the bundle is for ' + (Get-WantedResource) + '; -ForceLocalOnly takes it out here alone')
    }
    Test-Installer
    if ($script:ProblemCode -ne 0) { Stop-Here $script:ProblemCode $script:Problems[0] }
    if ($script:State -eq 'wanted' -and -not $ForceLocalOnly -and (Test-SecretWanted) -and -not $WhatIf) {
        $problem = Get-SecretProblem
        if ($problem) { Stop-Here 203 ($problem + '; -ForceLocalOnly does without') }
        Read-WantedSecret
    }
    Complete-Step 'ok' (Get-StateText) 0
}

function Step-Disconnect {
    Start-Step 'disconnect'
    if ($script:State -eq 'absent' -or $script:State -eq 'disconnected') { Complete-Step 'skip' (Get-StateText) 0; return }
    if ($WhatIf) { Complete-Step 'would' ('disconnect ' + $script:AgentResource) 0; return }
    Disconnect-Agent
    $script:Secret = ''
    $script:Certificate = $null
    $how = ''
    if ($ForceLocalOnly) { $how = ' on this machine alone; its resource in Azure is left' }
    Complete-Step 'ok' ('disconnected ' + $script:AgentResource + $how) 0
}

function Step-Remove {
    Start-Step 'remove'
    $present = Get-InstalledVersion
    if (-not $present) { Complete-Step 'skip' 'no agent is installed' 0; return }
    if ($WhatIf) { Complete-Step 'would' ('remove the agent ' + $present + ' with msiexec') 0; return }
    # What we set in the agent would otherwise wait in its state for the next installation.
    foreach ($change in @(Get-Changes 'setting')) {
        if (Test-Setting $change.Name $change.Value) { Set-Setting 'clear' $change.Name '' }
    }
    Remove-Package 215
    if (Test-Path -LiteralPath $Agent -PathType Leaf) { Stop-Here 215 ('msiexec ended well, but ' + $Agent + ' is still there') }
    Complete-Step 'ok' ('removed the agent ' + $present) 0
}

function Undo-Change($Change) {
    if ($Change.Kind -eq 'hosts') { Remove-HostsRecords $Change.Name; return 'lines of the hosts file' }
    if ($Change.Kind -eq 'certificate') { Remove-Stored $Change.Name $Change.Value; return 'certificate ' + $Change.Value }
    if ($Change.Kind -eq 'environment') {
        if ((Get-RegistryText $EnvironmentKey $Change.Name) -ne $Change.Value) { return '' }
        Remove-ItemProperty -Path $EnvironmentKey -Name $Change.Name
        [Environment]::SetEnvironmentVariable($Change.Name, [NullString]::Value, 'Machine')
        return 'variable ' + $Change.Name
    }
    if ($Change.Kind -eq 'member') {
        if (Remove-IdentityMember $Change.Value) { return 'member ' + $Change.Name }
    }
    ''
}

function Step-Undo {
    Start-Step 'undo'
    if ($script:Changes.Count -eq 0) { Complete-Step 'skip' 'nothing else of ours is here' 0; return }
    if ($WhatIf) { Complete-Step 'would' ('take back ' + $script:Changes.Count + ' changes') 0; return }
    $undone = @()
    foreach ($change in @($script:Changes)) {
        try { $text = Undo-Change $change } catch {
            if ($script:Stopped) { throw }
            Stop-Here 215 ($change.Kind + ' ' + $change.Name + ' could not be taken back: ' + (Get-Reason $_.Exception))
        }
        if ($text) { $undone += $text }
        Remove-Change $change.Kind $change.Name $change.Value
        Save-Changes
    }
    [IO.File]::Delete((Get-ChangesFile))
    Complete-Step 'ok' ('took back ' + ($undone -join ', ')) 0
}
