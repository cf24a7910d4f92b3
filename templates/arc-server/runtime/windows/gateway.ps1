# Whether the agent uses the Arc gateway (arc-gateway.md): its proxy is then its own, with the definition's proxy behind it.

$script:GatewayForm = Get-ProxyForm 'http://localhost:40343'

$script:ProxyKeys = @('httpsproxy', 'usinghttpsproxy')
$script:UpstreamKeys = @('upstreamproxy', 'upstreamproxyurl')

# proven, contradicts or not_said, by the answer of "azcmagent show" alone. A contradiction outweighs a proof.
function Get-GatewaySign($Facts) {
    $proxy = Get-FactText $Facts $ProxyKeys
    $type = Get-FactText $Facts @('connectiontype')
    if (Test-SameAnyCase $type 'direct') { return 'contradicts' }
    if ($proxy -and -not (Test-Same (Get-ProxyForm $proxy) $GatewayForm)) { return 'contradicts' }
    if ($proxy -or (Test-SameAnyCase $type 'gateway')) { return 'proven' }
    'not_said'
}

# The same, with the agent's setting where the answer is silent. An HTTPS proxy that is reported as empty is how an agent without the
# gateway looks.
function Get-GatewayProof($Facts, [string]$Type) {
    $sign = Get-GatewaySign $Facts
    if (-not (Test-Same $sign 'not_said')) { return $sign }
    if (Test-SameAnyCase $Type 'gateway') { return 'proven' }
    if (Test-SameAnyCase $Type 'direct') { return 'contradicts' }
    if (Get-FactText $Facts @('gatewayurl')) { return 'proven' }
    if ($null -ne (Get-Fact $Facts $ProxyKeys)) { return 'contradicts' }
    'not_said'
}

# Whether the proxy behind the gateway is the definition's: same, contradicts or not_said.
function Get-UpstreamProof($Facts) {
    $upstream = Get-FactText $Facts $UpstreamKeys
    if (-not $ProxyUrl) { return 'same' }
    if (-not $upstream) { return 'not_said' }
    if (Test-Same (Get-ProxyForm $upstream) (Get-ProxyForm $ProxyUrl)) { return 'same' }
    'contradicts'
}

# What contradicts the gateway, and what the agent does not say of it; both empty where it is proven.
function Get-GatewayFindings {
    $found = @{ Problem = ''; Warning = ''; Proven = $false }
    if (-not $Gateway) { return $found }
    $type = ''
    if (Test-Same (Get-GatewaySign $script:Shown) 'not_said') { $type = [string](Get-Setting 'connection.type') }
    $proof = Get-GatewayProof $script:Shown $type
    $upstream = Get-UpstreamProof $script:Shown
    if (Test-Same $proof 'contradicts') {
        $found.Problem = 'not through the Arc gateway: the agent''s HTTPS proxy is "' + (Get-Fact $script:Shown $ProxyKeys) + '"'
    } elseif (Test-Same $upstream 'contradicts') {
        $found.Problem = 'through the gateway, but not with the proxy ' + $ProxyUrl + ' behind it: the agent reports ' +
            (Get-Fact $script:Shown $UpstreamKeys)
    } elseif (Test-Same $proof 'not_said') {
        $found.Warning = 'azcmagent does not say whether it goes through the gateway: look for localhost:40343 in azcmagent show'
    } elseif (Test-Same $upstream 'not_said') {
        $found.Warning = 'azcmagent does not say which proxy is behind the gateway; the bundle wants ' + $ProxyUrl
    }
    $found.Proven = Test-Same $proof 'proven'
    $found
}
