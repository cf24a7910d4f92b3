# Step 5, connect.

$script:ConnectPause = 15000         # milliseconds before the second try, twice that before the next

# $Left is added to the message of a failure, where the machine was disconnected from another resource before.
function Connect-Agent([string]$Left) {
    $pause = $ConnectPause
    Save-LogSizes
    for ($try = 1; ; $try++) {
        $answer = Invoke-WithFile 'connect' $ConnectJson
        $passing = Get-TransientReason $answer
        if ($answer.Code -eq 0 -or -not $passing -or $try -ge $script:Tries) { break }
        $text = '        azcmagent connect ended with {0}: {1}; trying again in {2} s ({3} tries left)'
        Write-Line ($text -f $answer.Code, $passing, ($pause / 1000), ($script:Tries - $try))
        Start-Sleep -Milliseconds $pause
        $pause *= 2
    }
    $script:Secret = ''
    $script:Certificate = $null
    Find-ToldLogs
    if ($answer.Code -ne 0) {
        Show-End $answer.Text
        Set-Reason $answer
        Stop-Here $answer.Code ('azcmagent connect ended with ' + $answer.Code + $Left + (Get-ToldText))
    }
}

function Step-Connect {
    Start-Step 'connect'
    # An upgrade may have mended the agent.
    if ((Test-Unknown) -and -not $WhatIf) { Read-StateAgain }
    if (Test-Same $script:State 'wanted') { Complete-Connected; return }
    $leave = ''
    if (Test-OneOf $script:State @('elsewhere', 'expired', 'unknown')) { $leave = (Get-LeaveText 'disconnected') + '; ' }
    if ($WhatIf) {
        if ($leave) { $leave = (Get-LeaveText 'disconnect') + '; then ' }
        Complete-Step 'would' ($leave + 'connect to ' + (Get-WantedResource) + ' with ' + $Authentication.Replace('-', ' '))
        return
    }
    Confirm-Network
    $left = ''
    if (Test-Same $script:State 'elsewhere') { $left = '; this machine is no longer ' + $script:AgentResource + ', and not connected' }
    if ($leave) { Disconnect-Agent }
    Connect-Agent $left
    $text = $leave + 'connected to ' + (Get-WantedResource)
    if ($script:CheckDoubt) { Complete-Step 'warn' ($text + '; WARNING: ' + $script:CheckDoubt) } else { Complete-ToldStep $text }
}

function Complete-Connected {
    $text = 'already connected as ' + $script:AgentResource
    $clone = Get-CloneText
    if ($clone) { Complete-Step 'warn' ($text + '; WARNING: ' + $clone) } else { Complete-Step 'skip' $text }
}
