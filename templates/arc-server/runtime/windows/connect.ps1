# Step 5, connect.

$script:ConnectPause = 15000         # milliseconds before the second try, twice that before the next

# The installed agent's own network check; where its output is not JSON, connecting will show the problem.
function Confirm-Network {
    if ($SkipNetworkCheck -or $EndpointChecks.Count -eq 0) { return }
    $words = @('check', '-j', '--location', $Location, '--cloud', $Cloud)
    if ($PrivateLinkScope) { $words += '--enable-pls-check' }
    $answer = Invoke-Program $Agent $words
    $checked = $null
    try { $checked = $answer.Output | ConvertFrom-Json } catch { Add-LogLine 'the output of azcmagent check is not JSON' }
    $failed = @()
    $direct = @($EndpointChecks | Where-Object { -not (Test-Same $_.Way 'gateway') } | ForEach-Object { $_.Host })
    foreach ($row in @(Get-CheckRows $checked)) {
        # Before it is connected the agent does not know the gateway, and tests its endpoints directly.
        if ($Gateway -and -not (Test-OneOfAnyCase $row.Host $direct)) { continue }
        $ours = @($script:Network | Where-Object { Test-SameAnyCase $_.Host $row.Host })
        if ($ours.Count -gt 0 -and [bool]$row.Reachable -ne (Test-OneOf $ours[0].Verdict @('ok', 'untested'))) {
            Add-Note ('azcmagent check sees ' + $row.Host + ' differently: reachable ' + $row.Reachable)
        }
        if ($row.Required -and -not $row.Reachable) { $failed += $row.Host }
    }
    if ($answer.Code -ne 0 -and $failed.Count -gt 0) { Stop-Here 26 ('azcmagent check does not reach ' + ($failed -join ', ')) }
}

# Endpoint names with their findings; the names of the findings differ in case between versions.
function Get-CheckRows($Checked) {
    if ($null -eq $Checked) { return }
    foreach ($property in $Checked.PSObject.Properties) {
        if ($property.Value -isnot [PSObject] -or -not (Get-PropertyText $property.Value 'reachable')) { continue }
        @{
            Host = ($property.Name -creplace '^[A-Za-z]+://', '' -creplace '[:/].*$', '')
            Reachable = Test-SameAnyCase (Get-PropertyText $property.Value 'reachable') 'true'
            Required = -not (Test-SameAnyCase (Get-PropertyText $property.Value 'required') 'false')
        }
    }
}

# What passes without action: a service that has just started (61, or no change token yet), a new role assignment (42).
function Get-TransientReason($Answer) {
    if ($Answer.Code -eq 61) { return 'the agent''s service is not up yet' }
    if (Test-Pattern $Answer.Text 'change token') { return 'the agent has no change token yet' }
    if (@(42, 44) -contains $Answer.Code) { return 'a new role assignment takes some minutes' }
    ''
}

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
        Stop-Here $answer.Code ('azcmagent connect ended with ' + $answer.Code + $Left + (Get-ToldText))
    }
}

function Step-Connect {
    Start-Step 'connect'
    if (Test-Same $script:State 'wanted') { Complete-Step 'skip' ('already connected as ' + $script:AgentResource); return }
    $leave = ''
    if (Test-OneOf $script:State @('elsewhere', 'expired')) { $leave = 'disconnected ' + $script:AgentResource + ', ' }
    if ($WhatIf) {
        if ($leave) { $leave = 'disconnect ' + $script:AgentResource + ', then ' }
        Complete-Step 'would' ($leave + 'connect to ' + (Get-WantedResource) + ' with ' + $Authentication.Replace('-', ' '))
        return
    }
    Confirm-Network
    $left = ''
    if (Test-Same $script:State 'elsewhere') { $left = '; this machine is no longer ' + $script:AgentResource + ', and not connected' }
    if ($leave) { Disconnect-Agent }
    Connect-Agent $left
    Complete-ToldStep ($leave + 'connected to ' + (Get-WantedResource))
}
