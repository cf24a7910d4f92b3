# Step 2, preflight: finds every problem before anything is changed.

function Test-Access {
    if (Test-Same $script:State 'wanted') { return }
    # Whether a secret is needed is not known yet.
    if ((Test-Unknown) -and -not (Test-LocalReconnect)) { return }
    if ($CertificateFile -and -not $Envelope -and -not (Test-Path -LiteralPath $CertificateFile)) {
        Add-Problem 202 ('the service principal''s certificate ' + $CertificateFile + ' is missing') -Reason 'no-certificate'
    }
    if (Test-SecretWanted) {
        $trouble = Get-SecretProblem
        if ($trouble) { Add-NoSecret $trouble } elseif ($CheckOnly -and -not $Envelope) {
            Add-Note 'not looked at: the secret, which -CheckOnly does not read'
        }
    }
    if ((Test-OneOf $Authentication @('device-code', 'interactive')) -and -not [Environment]::UserInteractive) {
        Add-NoSecret 'signing in needs a person at this machine'
    }
}

# -CheckOnly asks about the machine and its network, and needs no secret. An envelope that was given to it is looked at.
function Add-NoSecret([string]$Text) {
    if ($CheckOnly -and -not $Envelope) { Add-Note ('not looked at: the secret (' + $Text + ')') } else { Add-Problem 203 $Text }
}

function Test-LocalReconnect { [bool]($Reconnect -and $ForceLocalOnly) }

# What the agent's own report says besides the resource.
function Test-State {
    # Without elevation the agent may not answer; that it is needed is said above.
    if ((Test-Unknown) -and -not (Test-LocalReconnect) -and (Test-Elevated)) {
        Add-Problem -Code $script:StateCode -Text (Get-UnknownState) -Reason 'agent-state-unknown'
    }
    Add-ContactWarning
    $clone = Get-CloneText
    if ($clone) { Add-Warning $clone }
    if ($Reconnect -and -not $ForceLocalOnly -and (Test-Same $script:State 'elsewhere') -and (Get-LocalOnlyReason)) {
        Add-Note ('this run ' + (Get-LeaveText 'disconnects'))
    }
}

function Step-Preflight {
    Start-Step 'preflight'
    Read-State
    Test-Machine
    if ($script:Target) { Test-Space $script:Target }
    Test-Access
    Test-State
    if ((Test-Same $script:State 'elsewhere') -and -not $Reconnect) {
        Add-Problem 67 ('this machine is ' + $script:AgentResource + '; the bundle is for ' + (Get-WantedResource) + ' (-Reconnect moves it)')
    }
    Write-Names
    # The network test takes time: only where nothing graver stops the run.
    if ($script:ProblemCode -eq 0 -or $script:ProblemCode -eq 203 -or $CheckOnly -or $WhatIf) { Test-NetworkContract }
    if ($script:ProblemCode -eq 0 -and $script:Target -and (Get-InstallPlan).Verb) {
        Test-Installer
        Test-AgentLogFree (Get-InstalledVersion)
    }
    if ($script:ProblemCode -ne 0) {
        $script:Reason = $script:ProblemReason
        if (-not $WhatIf -and $script:Problems.Count -eq 1) { Stop-Here $script:ProblemCode $script:Problems[0] }
        foreach ($text in $script:Problems) { Write-Line ('        ! ' + $text) }
        if (-not $WhatIf) {
            Stop-Here $script:ProblemCode ($script:ProblemText + ' (the gravest of ' + $script:Problems.Count + ' problems, see above)')
        }
        Complete-Step 'would' ('stop here with exit code ' + $script:ProblemCode)
        return
    }
    if (-not $WhatIf -and -not (Test-Same $script:State 'wanted')) { Read-WantedSecret }
    $text = $script:Target.Target + ', ' + (Get-StateText) + (Get-SecretNote)
    if ($script:Warnings.Count -gt 0) { Complete-Step 'warn' ((@($text) + $script:Warnings) -join '; '); return }
    Complete-Step 'ok' $text
}
