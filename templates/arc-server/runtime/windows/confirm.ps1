# Step 6, confirm: asks the agent whether it is connected as the bundle wants.

$script:ConfirmPause = 3000          # milliseconds between two attempts

function Step-Confirm {
    Start-Step 'confirm'
    if ($WhatIf) { Complete-Step 'would' ('ask azcmagent show for ' + (Get-WantedResource)); return }
    $connected = $false
    for ($try = 0; $try -lt 10; $try++) {
        Read-State
        $connected = Test-Connected
        if ($connected) { $found = Get-GatewayFindings }
        if ($connected -and -not $found.Problem) {
            Complete-Confirmed $found
            return
        }
        if (Test-Same $script:State 'elsewhere') { break }
        Start-Sleep -Milliseconds $ConfirmPause
    }
    if ($connected) {
        $script:Reason = 'gateway-not-used'
        Stop-Here 206 ('connected, but ' + $found.Problem)
    }
    if (Test-Unknown) { Stop-Unknown }
    $problem = Get-AgentError
    if ($problem) { $problem = '; its error: ' + $problem }
    Set-ErrorReason
    Stop-Here 206 ('the agent reports "' + $script:AgentStatus + '" ' + $script:AgentResource + $problem +
        '; expected: Connected, ' + (Get-WantedResource))
}

function Complete-Confirmed($Found) {
    $text = 'Connected as ' + $script:AgentResource
    if ($Found.Proven) { $text += ', through the gateway' }
    if ($IdentityProof) {
        $problem = Get-TokenProblem
        if ($problem) { Stop-Here 206 ('connected, but the managed identity returns no token: ' + $problem) }
        $text += '; its identity returns tokens'
    }
    $doubts = @(@($Found.Warning, (Get-CloneText)) | Where-Object { $_ })
    foreach ($one in $doubts) { if (-not (Test-OneOf $one $script:Warnings)) { Add-Warning $one } }
    if ($doubts.Count -gt 0) { Complete-Step 'warn' ($text + '; WARNING: ' + ($doubts -join '; ')) } else { Complete-Step 'ok' $text }
}
