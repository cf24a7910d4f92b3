# Tests endpoints from this machine: name resolution, TCP, the proxy, TLS. Uses .NET alone.

$script:NetworkWait = 5000           # milliseconds for one answer
$script:NetworkLimit = 90            # seconds for all of them: what is not tried by then is said to be untested
$script:Network = @()         # one row an endpoint, for screen and receipt
$script:Seen = $null          # what the last server showed of itself
$script:Skew = $null          # seconds that this clock is ahead of the first server that told its time

# Private: RFC 1918, RFC 4193, and what never leaves a network (RFC 1122, 3927, 4291, 6598).
function Get-AddressKind([System.Net.IPAddress]$Address) {
    if ($Address.AddressFamily -eq [System.Net.Sockets.AddressFamily]::InterNetworkV6) {
        if ($Address.IsIPv4MappedToIPv6) { return (Get-AddressKind $Address.MapToIPv4()) }
        $first = $Address.GetAddressBytes()[0]
        if ([System.Net.IPAddress]::IsLoopback($Address) -or $Address.IsIPv6LinkLocal -or ($first -band 254) -eq 252) { return 'private' }
        return 'public'
    }
    $b = $Address.GetAddressBytes()
    if ($b[0] -eq 10 -or $b[0] -eq 127) { return 'private' }
    if (($b[0] -eq 172 -and ($b[1] -band 240) -eq 16) -or ($b[0] -eq 192 -and $b[1] -eq 168)) { return 'private' }
    if (($b[0] -eq 169 -and $b[1] -eq 254) -or ($b[0] -eq 100 -and ($b[1] -band 192) -eq 64)) { return 'private' }
    'public'
}

# The innermost exception's message: the cause.
function Get-Reason($Problem) {
    while ($null -ne $Problem.InnerException) { $Problem = $Problem.InnerException }
    $Problem.Message.Trim()
}

function New-NetworkRow($Check) {
    @{
        Host = $Check.Host; Port = $Check.Port; Required = $Check.Required; Expects = $Check.Expects; Way = $Check.Way
        Feature = $Check.Feature; Resolved = @(); Addresses = @(); Kind = 'untested'; Tcp = 'untested'; Tls = ''; Cipher = ''; Issuer = ''
        Verdict = ''; Message = ''; Client = $null; Task = $null; Code = 208; AbsentRoot = ''; Negative = ''
    }
}

function Set-Verdict($Row, [string]$Message) {
    $Row.Message = $Message
    $Row.Verdict = 'optional-failed'
    if ($Row.Required) { $Row.Verdict = 'failed' }
}

function Set-Untested($Row, [string]$Message) {
    $Row.Message = $Message
    $Row.Verdict = 'untested'
}

# Resolves all names at once. Behind a proxy the proxy resolves the name; this machine's answer is only shown.
function Resolve-Rows($Rows, $Records) {
    foreach ($row in $Rows) {
        if ($Records.ContainsKey($row.Host)) { continue }
        try { $row.Task = [System.Net.Dns]::GetHostAddressesAsync($row.Host) } catch { $row.Task = $null }
    }
    $until = [DateTime]::UtcNow.AddMilliseconds($NetworkWait)
    foreach ($row in $Rows) {
        $row.Addresses = @()
        if ($Records.ContainsKey($row.Host)) {
            $row.Addresses = @($Records[$row.Host] | ForEach-Object { [System.Net.IPAddress]::Parse($_) })
        } elseif ($row.Task) {
            $left = [Math]::Max(1, [int]($until - [DateTime]::UtcNow).TotalMilliseconds)
            try { if ($row.Task.Wait($left)) { $row.Addresses = @($row.Task.Result) } } catch { $row.Addresses = @() }
        }
        $row.Task = $null
        $row.Resolved = @($row.Addresses | ForEach-Object { $_.ToString() })
        $kinds = @($row.Addresses | ForEach-Object { Get-AddressKind $_ })
        $row.Kind = 'none'
        # Where the addresses are of several kinds: the unexpected one.
        foreach ($kind in $kinds) { $row.Kind = $kind; if (-not (Test-Same $kind $row.Expects)) { break } }
    }
}

# IPv4 where the name has it: a machine without IPv6 would wait in vain.
function Get-Family($Addresses) {
    $first = @($Addresses | Where-Object { $_.AddressFamily -eq [System.Net.Sockets.AddressFamily]::InterNetwork })
    if ($first.Count -gt 0) { return $first }
    $Addresses
}

function Connect-Rows($Rows, $Proxy) {
    foreach ($row in $Rows) {
        $to = @(Get-Family $row.Addresses)
        $port = $row.Port
        if (Test-Same $row.Way 'proxy') {
            $to = @(Get-Family $Proxy.Addresses)
            $port = $Proxy.Port
        }
        $row.Tcp = 'failed'
        if ($to.Count -eq 0) { continue }
        try {
            $row.Client = New-Object System.Net.Sockets.TcpClient $to[0].AddressFamily
            $row.Task = $row.Client.ConnectAsync([System.Net.IPAddress[]]$to, [int]$port)
        } catch { Set-Verdict $row ('TCP connection failed: ' + (Get-Reason $_.Exception)) }
    }
    $until = [DateTime]::UtcNow.AddMilliseconds($NetworkWait)
    foreach ($row in @($Rows | Where-Object { $_.Task })) {
        $left = [Math]::Max(1, [int]($until - [DateTime]::UtcNow).TotalMilliseconds)
        try {
            if ($row.Task.Wait($left)) { $row.Tcp = 'ok' } else { Set-Verdict $row 'TCP connection failed: no answer, a firewall drops it' }
        } catch { Set-Verdict $row ('TCP connection failed: ' + (Get-Reason $_.Exception)) }
    }
}

# RFC 9110 section 9.3.6. Empty where the tunnel is open, otherwise the problem.
function Open-Tunnel($Stream, [string]$Name, [int]$Port) {
    $to = $Name + ':' + $Port
    $ask = [Text.Encoding]::ASCII.GetBytes("CONNECT $to HTTP/1.1`r`nHost: $to`r`n`r`n")
    $Stream.Write($ask, 0, $ask.Length)
    $answer = New-Object System.Text.StringBuilder
    # Byte by byte: what follows the empty line belongs to TLS.
    while ($answer.Length -lt 8192 -and -not $answer.ToString().EndsWith("`r`n`r`n", [StringComparison]::Ordinal)) {
        $byte = $Stream.ReadByte()
        if ($byte -lt 0) { return 'the proxy closes the connection' }
        [void]$answer.Append([char]$byte)
    }
    $first = ($answer.ToString() -csplit "`r`n")[0]
    if ($first -cmatch '^HTTP/1\.[01] 2\d\d') { return '' }
    if ($first -cmatch '^HTTP/1\.[01] 407') { return 'the proxy requires a password, which is not supported' }
    'the proxy refuses it: ' + $first
}

# TLS 1.3 is requested only where Windows has it (Windows Server 2022, Windows 11). .NET before 4.8 has no name for it.
$script:Tls13 = $true         # until .NET refuses it

function Get-TlsVersions {
    $wanted = 3072
    if ($script:Tls13 -and $Machine.Build -ge 20348) { $wanted = 15360 }
    [Enum]::ToObject([System.Security.Authentication.SslProtocols], $wanted)
}

function Get-TlsText($Protocol) {
    switch ([int]$Protocol) { 12288 { return 'TLSv1.3' } 3072 { return 'TLSv1.2' } 768 { return 'TLSv1.1' } 192 { return 'TLSv1' } }
    'TLS'
}

function Get-SimpleName([string]$Name) {
    foreach ($part in @('CN', 'OU', 'O')) { if ($Name -cmatch ('(?:^|,\s*)' + $part + '=("[^"]*"|[^,]*)')) { return $Matches[1].Trim('"') } }
    $Name
}

# "The client and server cannot communicate, because they do not possess a common algorithm" (winerror.h,
# SEC_E_ALGORITHM_MISMATCH).
function Test-NoAlgorithm($Problem) {
    while ($null -ne $Problem) {
        if ($Problem -is [System.ComponentModel.Win32Exception] -and $Problem.NativeErrorCode -eq -2146893007) { return $true }
        $Problem = $Problem.InnerException
    }
    $false
}

# Some builds of .NET Framework refuse TLS 1.3 although Windows has it, before they send anything: the same connection serves for
# TLS 1.2.
function Open-Tls($Row, $Stream) {
    try { Start-Tls $Row $Stream } catch {
        if (-not $script:Tls13 -or -not (Test-NoAlgorithm $_.Exception)) { throw }
        $script:Tls13 = $false
        Add-LogLine 'this .NET refuses TLS 1.3; trying TLS 1.2'
        Start-Tls $Row $Stream
    }
}

# Accepts any certificate, to report it: nothing is sent but a HEAD request for "/".
function Start-Tls($Row, $Stream) {
    $script:Seen = @{ Errors = ''; Status = ''; Issuer = ''; SelfSigned = $false; End = ''; Negative = '' }
    $look = [System.Net.Security.RemoteCertificateValidationCallback] {
        param($from, $certificate, $chain, $errors)
        [void]$from
        $script:Seen.Errors = [string]$errors
        if ($null -ne $certificate) { Read-PresentedChain $certificate $chain }
        if ($null -ne $chain) { $script:Seen.Status = (@($chain.ChainStatus | ForEach-Object { [string]$_.Status }) -join ',') }
        $true
    }
    $tls = New-Object System.Net.Security.SslStream $Stream, $true, $look
    try {
        $tls.AuthenticateAsClient($Row.Host, $null, (Get-TlsVersions), $false)
        $Row.Tls = Get-TlsText $tls.SslProtocol
        $Row.Issuer = $script:Seen.Issuer
        # .NET Framework reports the algorithm and its strength, not the suite's name.
        $Row.Cipher = [string]$tls.CipherAlgorithm
        if ($null -eq $script:Skew) { Read-Skew $tls $Row.Host }
    } finally { $tls.Dispose() }
}

# The server's time (RFC 9110 section 6.6.1); no answer is no problem.
function Read-Skew($Stream, [string]$Name) {
    try {
        $ask = [Text.Encoding]::ASCII.GetBytes("HEAD / HTTP/1.1`r`nHost: $Name`r`nConnection: close`r`n`r`n")
        $Stream.Write($ask, 0, $ask.Length)
        $bytes = New-Object byte[] 4096
        $got = $Stream.Read($bytes, 0, $bytes.Length)
        $text = [Text.Encoding]::ASCII.GetString($bytes, 0, $got)
        if ($text -cmatch '(?m)^[Dd][Aa][Tt][Ee]: *([^\r\n]+)') {
            $said = [DateTime]::ParseExact($Matches[1].Trim(), 'r', [Globalization.CultureInfo]::InvariantCulture)
            $script:Skew = [int]([DateTime]::UtcNow - $said).TotalSeconds
        }
    } catch { Add-LogLine ('no time from ' + $Name) }
}

function Test-Row($Row) {
    try {
        $stream = $Row.Client.GetStream()
        $stream.ReadTimeout = $NetworkWait
        $stream.WriteTimeout = $NetworkWait
        if (Test-Same $Row.Way 'proxy') {
            $problem = Open-Tunnel -Stream $stream -Name $Row.Host -Port $Row.Port
            if ($problem) { Set-Verdict $Row $problem; return }
        }
        # Port 80 serves certificates and revocation lists, without TLS.
        if ($Row.Port -eq 80) { $Row.Verdict = 'ok'; return }
        Open-Tls $Row $stream
    } catch {
        Set-Verdict $Row ('TLS handshake failed: ' + (Get-Reason $_.Exception))
        return
    }
    Confirm-Certificate $Row
}

function Confirm-Certificate($Row) {
    $by = Get-SimpleName $Row.Issuer
    $Row.Verdict = 'ok'
    if ($script:Seen.Errors -cmatch 'NameMismatch') {
        Set-Verdict $Row ('answers with a certificate for another name, issued by ' + $by)
    } elseif ($script:Seen.Status -cmatch 'NotTimeValid') {
        Set-Verdict $Row ('its certificate from ' + $by + ' is not valid at this machine''s time; look at the clock')
    } elseif ($script:Seen.Errors -cmatch 'Chain|NotAvailable') {
        Set-UntrustedVerdict $Row
    } elseif ((Test-Same $Row.Tls 'TLSv1.2') -and $Row.Cipher -cnotmatch 'Aes') {
        Set-Verdict $Row ('only the cipher ' + $Row.Cipher + ' is available, which is not accepted')
    } elseif ($Row.Issuer -cnotmatch $UsualIssuers) {
        $Row.Message = 'TLS is inspected: the certificate is from ' + $by
    }
    Set-SerialVerdict $Row
}

# The kind of address is checked before anything is sent. True where the endpoint is to be tested.
function Test-AddressKind($Row, [bool]$Scoped) {
    if (-not (Test-Same $Row.Kind 'none') -and -not (Test-Same $Row.Expects 'any') -and -not (Test-Same $Row.Kind $Row.Expects)) {
        if ((Test-Same $Row.Kind 'private') -and -not $Scoped -and (Test-Pattern $Row.Host $PrivateLinkHosts)) { $Row.Code = 209 }
        Set-Verdict $Row ('resolves to ' + ($Row.Resolved -join ' ') + ', which is ' + $Row.Kind + '; expected ' + $Row.Expects)
        return $false
    }
    if (Test-Same $Row.Way 'gateway') { Set-Untested $Row 'goes through the gateway, which works after connecting'; return $false }
    if ((Test-Same $Row.Kind 'none') -and -not (Test-Same $Row.Way 'proxy')) { Set-Verdict $Row 'the name does not resolve'; return $false }
    $true
}

function Get-Proxy([string]$Url) {
    $proxy = @{ Host = ''; Port = 0; Addresses = @(); Resolved = @(); Kind = ''; Expects = 'any'; Task = $null }
    if ($Url) {
        $uri = [Uri]$Url
        $proxy.Host = $uri.DnsSafeHost
        $proxy.Port = $uri.Port
        Resolve-Rows @($proxy) @{}
    }
    $proxy
}

# $Records: addresses by name that will be written into the hosts file.
function Test-Network($Checks, [string]$ProxyUrl, $Records, [bool]$Scoped) {
    $until = [DateTime]::UtcNow.AddSeconds($NetworkLimit)
    $rows = @($Checks | ForEach-Object { New-NetworkRow $_ })
    $script:Network = $rows
    if ($rows.Count -eq 0) { return }
    $proxy = Get-Proxy $ProxyUrl
    Resolve-Rows $rows $Records
    $tried = @($rows | Where-Object { Test-AddressKind $_ $Scoped })
    foreach ($row in $tried) {
        if ((Test-Same $row.Way 'proxy') -and $proxy.Addresses.Count -eq 0) {
            Set-Verdict $row ('the proxy''s name ' + $proxy.Host + ' does not resolve')
        }
    }
    $tried = @($tried | Where-Object { -not $_.Verdict })
    try {
        Connect-Rows $tried $proxy
        foreach ($row in @($tried | Where-Object { -not $_.Verdict })) {
            if ([DateTime]::UtcNow -gt $until) { Set-Untested $row 'no time left' } else { Test-Row $row }
        }
    } finally {
        foreach ($row in $tried) { if ($row.Client) { $row.Client.Close() }; $row.Client = $null; $row.Task = $null }
    }
}
