# Step 2, preflight: finds every problem before anything is changed.

function Test-Access {
    if (Test-Same $script:State 'wanted') { return }
    if ($CertificateFile -and -not $Envelope -and -not (Test-Path -LiteralPath $CertificateFile)) {
        Add-Problem 202 ('the service principal''s certificate ' + $CertificateFile + ' is missing') 'no-certificate'
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

function Step-Preflight {
    Start-Step 'preflight'
    Read-State
    Test-Machine
    if ($script:Target) { Test-Space $script:Target }
    Test-Access
    if ((Test-Same $script:State 'elsewhere') -and -not $Reconnect) {
        Add-Problem 67 ('this machine is ' + $script:AgentResource + '; the bundle is for ' + (Get-WantedResource) + ' (-Reconnect moves it)')
    }
    Write-Names
    # The network test takes time: only where nothing graver stops the run.
    if ($script:ProblemCode -eq 0 -or $script:ProblemCode -eq 203 -or $CheckOnly -or $WhatIf) { Test-NetworkContract }
    if ($script:ProblemCode -eq 0 -and $script:Target -and (Get-InstallPlan).Verb) { Test-Installer }
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
