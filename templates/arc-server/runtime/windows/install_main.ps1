# install.ps1: runs the steps.

function Invoke-Steps {
    if ($null -ne $Unknown) { Stop-Here 205 (Get-UnknownText $Unknown) }
    $script:LockSeconds = Read-Number $LockWait
    $script:Tries = Read-Number $ConnectTries
    if ($null -eq $script:LockSeconds -or $null -eq $script:Tries) {
        Stop-Here 205 '-LockWait and -ConnectTries need a number (what was given is not shown)'
    }
    if ($SecretFile -and $SecretStdin) { Stop-Here 205 '-SecretFile and -SecretStdin cannot be combined' }
    Confirm-EnvelopeOptions
    Confirm-LeavingOptions
    if ($Uninstall -and ($CheckOnly -or $CollectLogs)) { Stop-Here 205 '-Uninstall cannot be combined with -CheckOnly or -CollectLogs' }
    Find-Machine
    Find-MachineDigits
    $script:Target = Find-Target
    $script:TargetFits = $null -ne $script:Target
    if ($Lab) { Write-Line 'LAB bundle: the agent is a stand-in, not Microsoft''s.' }
    Write-Line ($BundleName + ' ' + $BundleVersion + ' on ' + $HostName + ': ' + (Get-MachineText))
    if ($WhatIf -and -not $script:TargetFits) { $script:Target = $BundleTargets[0] }
    if (-not $WhatIf -and -not $CheckOnly -and -not $CollectLogs -and (Test-Elevated)) {
        Initialize-Folders
    } else {
        Initialize-ReadOnlyRun
    }
    if ($CollectLogs) { Invoke-Collect } elseif ($Uninstall) { Invoke-Uninstall } else { Invoke-Install }
    $script:Done = $true
}

function Invoke-Install {
    $script:Steps = @('verify', 'preflight', 'install', 'configure', 'connect', 'confirm', 'receipt')
    Step-Verify
    Step-Preflight
    if ($CheckOnly) { return }
    if ($WhatIf -and -not $script:TargetFits) { Write-Line ('        On ' + $script:Target.Target + ' it would continue:') }
    Step-Install
    Step-Configure
    Step-Connect
    Step-Confirm
    Step-Receipt
}

function Invoke-Uninstall {
    $script:Steps = @('preflight', 'disconnect', 'remove', 'undo', 'receipt')
    Step-UninstallPreflight
    Step-Disconnect
    Step-Remove
    Step-Undo
    $script:AgentResource = ''
    Step-Receipt
}

function Invoke-Collect {
    $script:Steps = @('collect')
    Read-State
    Step-Collect
}

if ($Help) {
    Show-Usage
    exit 0
}
try {
    Invoke-Steps
} catch {
    if (-not $script:Stopped) {
        # An error that this script does not expect is shown in full, with its line, and recorded like any other failure.
        Write-Line ('Unexpected: ' + $_.Exception.Message + ' (line ' + $_.InvocationInfo.ScriptLineNumber + ')')
        $script:ExitCode = 1
        $script:Message = $_.Exception.Message
        if ($script:Step) { Complete-Step -Outcome 'FAIL' -Message $_.Exception.Message -Code 1 }
    }
} finally {
    Clear-Run
}
exit $script:ExitCode
