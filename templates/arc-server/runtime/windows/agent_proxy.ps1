# Which way the agent goes to the network: proxy.url, or else the variable HTTPS_PROXY of the machine; never WinHTTP's proxy
# (manage-agent-proxy-settings.md).

$script:WayUrl = $ProxyUrl    # the proxy that the endpoints are tested through
$script:WayBypass = ''        # what goes past the variable's
$script:ByVariable = $false

# Host and port, without what comes before (up to the last @) and after them: there may be a password.
function Get-ProxyPlace([string]$Value) {
    $rest = $Value.Trim() -creplace '^[A-Za-z][A-Za-z0-9+.-]*://', ''
    $rest = $rest.Substring($rest.LastIndexOf([char]64) + 1)
    $rest.Split('/')[0].Trim()
}

function Get-ServiceVariable([string]$Name) {
    try { $lines = @((Get-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Services\himds').Environment) } catch { return '' }
    foreach ($line in $lines) {
        $parts = ([string]$line) -csplit '=', 2
        if ($parts.Count -eq 2 -and (Test-SameAnyCase $parts[0].Trim() $Name)) { return $parts[1].Trim() }
    }
    ''
}

# The variable as the agent's services get it, or as this session has it, and where it is.
function Find-Variable([string]$Name) {
    $value = Get-ServiceVariable $Name
    if ($value) { return @{ Value = $value; Place = 'the service himds'; Session = $false } }
    $value = Get-RegistryText 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment' $Name
    if ($value) { return @{ Value = $value; Place = 'the machine''s environment'; Session = $false } }
    foreach ($one in @($Name, $Name.ToLowerInvariant())) {
        $value = [Environment]::GetEnvironmentVariable($one)
        if ($value) { return @{ Value = $value; Place = 'this session'; Session = $true } }
    }
    $null
}

function Get-VariableText($Found) {
    $text = 'HTTPS_PROXY (' + (Get-ProxyPlace $Found.Value) + ', in ' + $Found.Place + ')'
    if ($Found.Value.Contains('@')) { $text += ', with a user name, which the agent does not support' }
    $text
}

# The proxy in WinHTTP's own setting: four numbers of four bytes (version, counter, flags: 2 for a proxy, its length), then its name.
function Get-WinHttpProxy {
    $key = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections'
    try { $bytes = [byte[]](Get-ItemProperty -Path $key).WinHttpSettings } catch { return '' }
    if ($null -eq $bytes -or $bytes.Length -lt 16 -or -not ($bytes[8] -band 2)) { return '' }
    $length = [BitConverter]::ToInt32($bytes, 12)
    if ($length -le 0 -or $length -gt $bytes.Length - 16) { return '' }
    [Text.Encoding]::ASCII.GetString($bytes, 16, $length)
}

# Empty where it takes a connection, otherwise why not.
function Get-ProxySilence([string]$Place) {
    $client = $null
    try {
        $uri = [Uri]('http://' + $Place)
        $client = New-Object System.Net.Sockets.TcpClient
        if (-not $client.ConnectAsync($uri.DnsSafeHost, $uri.Port).Wait(3000)) { return 'no answer' }
        return ''
    } catch { return (Get-Reason $_.Exception) } finally { if ($client) { $client.Close() } }
}

# Says which way the agent takes, and has the endpoints tested that way where that proxy answers.
function Test-AgentProxy {
    $silent = Get-WinHttpProxy
    if ($silent -and -not $ProxyUrl) {
        Add-Note ('WinHTTP has the proxy ' + (Get-ProxyPlace $silent) + ', which the agent ignores; to use it, set network.proxy in the definition')
    }
    $found = Find-Variable 'HTTPS_PROXY'
    if ($null -eq $found -or -not (Get-ProxyPlace $found.Value)) { return }
    $text = Get-VariableText $found
    if ($ProxyUrl) { Add-Note ($text + ' is not used: this bundle sets proxy.url, which goes before it'); return }
    if ($found.Session) {
        Add-Note ($text + ': azcmagent goes through it, the agent''s services do not; set network.proxy in the definition')
    } else {
        Add-Note ('the agent goes through the proxy of ' + $text + '; to choose the way, set network.proxy in the definition, which becomes proxy.url')
    }
    if ($WhatIf -or $SkipNetworkCheck) { return }
    $why = Get-ProxySilence (Get-ProxyPlace $found.Value)
    if ($why) {
        Add-Warning ('the proxy of ' + $text + ' does not answer: ' + $why + '; set network.proxy in the definition, or correct the variable')
    } elseif (-not $found.Session) {
        $script:WayUrl = 'http://' + (Get-ProxyPlace $found.Value)
        $script:ByVariable = $true
        $past = Find-Variable 'NO_PROXY'
        if ($null -ne $past) { $script:WayBypass = $past.Value }
    }
}

# Whether NO_PROXY has this name: a name stands for what is below it, too (Go's net/http, ProxyFromEnvironment).
function Test-PastVariable([string]$Name) {
    foreach ($one in $script:WayBypass.Split(',')) {
        $one = $one.Trim().Split(':')[0]
        if (Test-Same $one '*') { return $true }
        $one = $one.TrimStart('*').TrimStart('.')
        if ($one -and ((Test-SameAnyCase $Name $one) -or $Name.EndsWith('.' + $one, [StringComparison]::OrdinalIgnoreCase))) { return $true }
    }
    $false
}

# The checks, by the variable's proxy where the definition has them go directly.
function Get-ChecksByWay($Checks) {
    foreach ($check in $Checks) {
        if (-not $script:ByVariable -or -not (Test-Same $check.Way 'direct') -or (Test-PastVariable $check.Host)) { $check; continue }
        $copy = $check.Clone()
        $copy.Way = 'proxy'
        $copy.Expects = 'any'
        $copy
    }
}
