# Step 5, connect.

$script:ConnectPause = 15000         # milliseconds before the second try, twice that before the next

# The agent's own word on the network, once it is there; where it says nothing that is JSON, connecting will tell.
function Confirm-Network {
    if ($SkipNetworkCheck -or $EndpointChecks.Count -eq 0) { return }
    $words = @('check', '-j', '--location', $Location, '--cloud', $Cloud)
    if ($PrivateLinkScope) { $words += '--enable-pls-check' }
    $answer = Invoke-Program $Agent $words
    $said = $null
    try { $said = $answer.Output | ConvertFrom-Json } catch { Add-LogLine 'azcmagent check says nothing that is JSON' }
    $failed = @()
    $direct = @($EndpointChecks | Where-Object { $_.Way -ne 'gateway' } | ForEach-Object { $_.Host })
    foreach ($row in @(Get-CheckRows $said)) {
        # Before connecting the agent knows of no gateway, and tries by itself what will go through it.
        if ($Gateway -and $direct -notcontains $row.Host) { continue }
        $ours = @($script:Network | Where-Object { $_.Host -eq $row.Host })
        if ($ours.Count -gt 0 -and (@('ok', 'untested') -contains $ours[0].Verdict) -ne $row.Reachable) {
            Add-Note ('azcmagent check sees ' + $row.Host + ' otherwise: reachable ' + $row.Reachable)
        }
        if ($row.Required -and -not $row.Reachable) { $failed += $row.Host }
    }
    if ($answer.Code -ne 0 -and $failed.Count -gt 0) { Stop-Here 26 ('azcmagent check does not reach ' + ($failed -join ', ')) }
}

# Endpoint names with their findings; the names of the findings differ in case between versions.
function Get-CheckRows($Said) {
    if ($null -eq $Said) { return }
    foreach ($property in $Said.PSObject.Properties) {
        if ($property.Value -isnot [PSObject] -or -not (Get-PropertyText $property.Value 'reachable')) { continue }
        @{
            Host = ($property.Name -replace '^https?://', '' -replace '[:/].*$', '')
            Reachable = (Get-PropertyText $property.Value 'reachable') -eq 'true'
            Required = (Get-PropertyText $property.Value 'required') -ne 'false'
        }
    }
}

# What passes by itself: the service that has just been started (61, or no change token yet), and a role that
# has just been assigned (42).
function Get-TransientReason($Answer) {
    if ($Answer.Code -eq 61) { return 'the agent''s service is not up yet' }
    if ($Answer.Text -match 'change token') { return 'the agent has no change token yet' }
    if (@(42, 44) -contains $Answer.Code) { return 'a role that was just assigned needs minutes' }
    ''
}

# $Left: what to add to a failure, where the machine has left another resource for this.
function Connect-Agent([string]$Left) {
    $pause = $ConnectPause
    for ($try = 1; ; $try++) {
        $answer = Invoke-WithFile 'connect' $ConnectJson
        $passing = Get-TransientReason $answer
        if ($answer.Code -eq 0 -or -not $passing -or $try -ge $ConnectTries) { break }
        Write-Line ('        azcmagent connect ended with {0}: {1}; trying again in {2} s ({3} tries left)' -f $answer.Code, $passing, ($pause / 1000), ($ConnectTries - $try))
        Start-Sleep -Milliseconds $pause
        $pause *= 2
    }
    $script:Secret = ''
    $script:Certificate = $null
    if ($answer.Code -ne 0) {
        Show-End $answer.Text
        Stop-Here $answer.Code ('azcmagent connect ended with ' + $answer.Code + $Left)
    }
}

function Step-Connect {
    Start-Step 'connect'
    if ($script:State -eq 'wanted') { Complete-Step 'skip' ('already connected as ' + $script:AgentResource) 0; return }
    $leave = ''
    if (@('elsewhere', 'expired') -contains $script:State) { $leave = 'disconnected ' + $script:AgentResource + ', ' }
    if ($WhatIf) {
        if ($leave) { $leave = 'disconnect ' + $script:AgentResource + ', then ' }
        Complete-Step 'would' ($leave + 'connect to ' + (Get-WantedResource) + ' with ' + $Authentication.Replace('-', ' ')) 0
        return
    }
    Confirm-Network
    $left = ''
    if ($script:State -eq 'elsewhere') { $left = '; this machine is no longer ' + $script:AgentResource + ', and connected to nothing' }
    if ($leave) { Disconnect-Agent }
    Connect-Agent $left
    Complete-Step 'ok' ($leave + 'connected to ' + (Get-WantedResource)) 0
}
