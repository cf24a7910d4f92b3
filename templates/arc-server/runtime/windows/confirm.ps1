# Step 6, confirm: asks the agent whether it is connected as the bundle wants.

# With a gateway the agent uses its own local proxy, with the definition's proxy as upstream (arc-gateway.md). Empty where that
# is so, otherwise what azcmagent show reports.
function Get-GatewayProblem {
    if (-not $Gateway) { return '' }
    $shown = Get-AgentStatus
    $proxy = Get-PropertyText $shown 'httpsProxy'
    $upstream = Get-PropertyText $shown 'upstreamProxy'
    $same = -not $ProxyUrl -or (Test-SameAnyCase $upstream.TrimEnd('/') $ProxyUrl.TrimEnd('/'))
    if ($same -and (Test-Pattern $proxy '^http://(localhost|127\.0\.0\.1):40343/?$')) { return '' }
    'azcmagent show reports the proxy "' + $proxy + '" with the upstream "' + $upstream + '"'
}

$script:ConfirmPause = 3000          # milliseconds between two attempts

function Step-Confirm {
    Start-Step 'confirm'
    if ($WhatIf) { Complete-Step 'would' ('ask azcmagent show for ' + (Get-WantedResource)); return }
    $problem = ''
    for ($try = 0; $try -lt 10; $try++) {
        Read-State
        $connected = (Test-Same $script:State 'wanted') -and (Test-SameAnyCase $script:AgentStatus 'Connected')
        if ($connected) { $problem = Get-GatewayProblem }
        if ($connected -and -not $problem) {
            $text = 'Connected as ' + $script:AgentResource
            if ($Gateway) { $text += ', through the gateway' }
            if ($IdentityProof) {
                $problem = Get-TokenProblem
                if ($problem) { Stop-Here 206 ('connected, but the managed identity returns no token: ' + $problem) }
                $text += '; its identity returns tokens'
            }
            Complete-Step 'ok' $text
            return
        }
        if (Test-Same $script:State 'elsewhere') { break }
        Start-Sleep -Milliseconds $ConfirmPause
    }
    if ($connected) { Stop-Here 206 ('connected, but not through the Arc gateway: ' + $problem) }
    Stop-Here 206 ('the agent reports "' + $script:AgentStatus + '" ' + $script:AgentResource + '; expected: Connected, ' + (Get-WantedResource))
}
