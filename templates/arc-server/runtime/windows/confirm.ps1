# Step 6, confirm: asks the agent whether it is connected as the bundle wants.

# With a gateway the agent talks to its own proxy, and the definition's is the one behind it (arc-gateway.md). Returns
# nothing where that is so, otherwise what azcmagent show has.
function Get-GatewayProblem {
    if (-not $Gateway) { return '' }
    $shown = Get-AgentStatus
    $proxy = Get-PropertyText $shown 'httpsProxy'
    $upstream = Get-PropertyText $shown 'upstreamProxy'
    if ($proxy -match '^http://(localhost|127\.0\.0\.1):40343/?$' -and (-not $ProxyUrl -or $upstream.TrimEnd('/') -eq $ProxyUrl.TrimEnd('/'))) { return '' }
    'azcmagent show has the proxy "' + $proxy + '", and behind it "' + $upstream + '"'
}

$script:ConfirmPause = 3000          # milliseconds between two questions

function Step-Confirm {
    Start-Step 'confirm'
    if ($WhatIf) { Complete-Step 'would' ('ask azcmagent show for ' + (Get-WantedResource)) 0; return }
    $problem = ''
    for ($try = 0; $try -lt 10; $try++) {
        Read-State
        $connected = $script:State -eq 'wanted' -and $script:AgentStatus -eq 'Connected'
        if ($connected) { $problem = Get-GatewayProblem }
        if ($connected -and -not $problem) {
            $text = 'Connected as ' + $script:AgentResource
            if ($Gateway) { $text += ', by the gateway' }
            if ($IdentityProof) {
                $problem = Get-TokenProblem
                if ($problem) { Stop-Here 206 ('connected, but the managed identity gives no token: ' + $problem) }
                $text += '; its identity gives tokens'
            }
            Complete-Step 'ok' $text 0
            return
        }
        if ($script:State -eq 'elsewhere') { break }
        Start-Sleep -Milliseconds $ConfirmPause
    }
    if ($connected) { Stop-Here 206 ('connected, but not through the Arc gateway: ' + $problem) }
    Stop-Here 206 ('the agent says "' + $script:AgentStatus + '" ' + $script:AgentResource + '; wanted is Connected, ' + (Get-WantedResource))
}
