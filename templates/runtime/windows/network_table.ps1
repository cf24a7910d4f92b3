# Shows the endpoint tests: in short on screen, whole in the log, and as JSON for the receipt.

function Get-VerdictText([string]$Verdict) {
    $words = @{ ok = 'true'; failed = 'false'; 'optional-failed' = 'false'; untested = 'untested' }
    $words[$Verdict]
}

$script:TableWidth = 92   # characters of a line behind the eight blanks before it
$script:AddressWidth = 52 # of the longest address that has the other columns beside it
$script:TableHead = '|REACHABLE |PRIVATE |TLS      |PROXY'

function Get-EndpointText($Row) {
    if ($Row.Port -eq 80) { return 'http://' + $Row.Host }
    if ($Row.Port -eq 443) { return 'https://' + $Row.Host }
    'https://' + $Row.Host + ':' + $Row.Port
}

# The columns after the address.
function Get-RowText($Row) {
    $private = @{ private = 'true'; public = 'false'; none = 'unknown'; untested = 'unknown' }[$Row.Kind]
    $proxy = 'not used'
    if (Test-Same $Row.Way 'proxy') { $proxy = 'set' }
    if (Test-Same $Row.Way 'gateway') { $proxy = 'gateway' }
    $tls = $Row.Tls.Replace('TLSv', 'TLS ')
    if (-not $tls) { $tls = 'unknown' }
    '|{0,-9} |{1,-7} |{2,-8} |{3}' -f (Get-VerdictText $Row.Verdict), $private, $tls, $proxy
}

# Why a row is shown; empty where all is well.
function Get-RowReason($Row) {
    if ($Row.Message -and -not $Row.Required) { return $Row.Message + ' (optional)' }
    $Row.Message
}

# In lines of at most $TableWidth, broken at blanks. Secrets are taken out of the whole first.
function Write-Wrapped([string]$Indent, [string]$Text) {
    $room = $TableWidth - $Indent.Length
    $rest = (Hide-Secrets $Text) -creplace '\s+', ' '
    while ($rest.Length -gt $room) {
        $at = $rest.LastIndexOf([char]32, $room)
        if ($at -lt 1) { $at = $room }
        Write-Line ('        ' + $Indent + $rest.Substring(0, $at))
        $rest = $rest.Substring($at).TrimStart(' ')
    }
    if ($rest) { Write-Line ('        ' + $Indent + $rest) }
}

function Show-Rows($Rows) {
    $width = 8
    foreach ($row in $Rows) {
        $length = (Get-EndpointText $row).Length
        if ($length -le $AddressWidth) { $width = [Math]::Max($width, $length) }
    }
    Write-Line ('        ' + 'ENDPOINT'.PadRight($width) + ' ' + $TableHead)
    foreach ($row in $Rows) {
        $name = Get-EndpointText $row
        if ($name.Length -gt $width) { Write-Wrapped '' $name; $name = '' }
        Write-Line ('        ' + $name.PadRight($width) + ' ' + (Get-RowText $row))
        Write-Wrapped '  ' (Get-RowReason $row)
    }
}

# What was not tested, a line for each reason.
function Show-Skipped($Rows) {
    $counts = New-Table
    $reasons = @()
    foreach ($row in $Rows) {
        if (-not $counts.ContainsKey($row.Message)) { $reasons += $row.Message; $counts[$row.Message] = 0 }
        $counts[$row.Message] += 1
    }
    foreach ($reason in $reasons) {
        Write-Wrapped '' ('{0} of {1} endpoints were not tested: {2}' -f $counts[$reason], $script:Network.Count, $reason)
    }
}

function Show-Ciphers {
    $ciphers = @()
    foreach ($row in $script:Network) {
        if ($row.Cipher -and -not (Test-OneOf $row.Cipher $ciphers)) { $ciphers += $row.Cipher }
    }
    if ($ciphers.Count -gt 0) {
        Write-Line ('        ~ TLS uses ' + ((Get-Sorted $ciphers) -join ', ') + '; .NET does not report the cipher suite''s name' + $CipherAdvice)
    }
}

# How many endpoints answer, and the rows that do not, each with its reason; all rows are in the log.
function Show-Network {
    if ($script:Network.Count -eq 0) { return }
    Add-LogLine ('ENDPOINT'.PadRight($AddressWidth) + ' ' + $TableHead)
    foreach ($row in $script:Network) {
        $text = (Get-EndpointText $row).PadRight($AddressWidth) + ' ' + (Get-RowText $row)
        if ($row.Issuer) { $text += '  certificate by ' + (Get-SimpleName $row.Issuer) }
        if ($row.Message) { $text += '  <- ' + (Get-RowReason $row) }
        Add-LogLine (Hide-Controls $text)
    }
    $answer = @($script:Network | Where-Object { Test-Same $_.Verdict 'ok' })
    Write-Line ('        {0} of {1} endpoints answer' -f $answer.Count, $script:Network.Count)
    $skipped = @($script:Network | Where-Object { Test-Same $_.Verdict 'untested' })
    if ($skipped.Count -gt 0) { Show-Skipped $skipped }
    $shown = @($script:Network | Where-Object { $_.Message -and -not (Test-Same $_.Verdict 'untested') })
    if ($shown.Count -gt 0) { Show-Rows $shown }
    Show-Ciphers
}

function Get-NetworkJson {
    $lines = @()
    foreach ($row in $script:Network) {
        $resolved = @($row.Resolved | ForEach-Object { ConvertTo-JsonText $_ }) -join ', '
        $required = 'false'
        if ($row.Required) { $required = 'true' }
        $lines += '    {"host": ' + (ConvertTo-JsonText $row.Host) + ', "port": ' + $row.Port + ', "way": ' + (ConvertTo-JsonText $row.Way) +
            ', "required": ' + $required + ', "resolved": [' + $resolved + '], "kind": ' + (ConvertTo-JsonText $row.Kind) +
            ', "tcp": ' + (ConvertTo-JsonText $row.Tcp) + ', "tls": ' + (ConvertTo-JsonText $row.Tls) +
            ', "issuer": ' + (ConvertTo-JsonText $row.Issuer) + ', "verdict": ' + (ConvertTo-JsonText $row.Verdict) +
            ', "message": ' + (ConvertTo-JsonText $row.Message) + '}'
    }
    $lines -join (',' + [Environment]::NewLine)
}
