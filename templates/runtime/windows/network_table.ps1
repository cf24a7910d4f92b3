# Shows the endpoint tests as a table, and as JSON for the receipt.

function Get-VerdictText([string]$Verdict) {
    $words = @{ ok = 'true'; failed = 'false'; 'optional-failed' = 'false'; untested = '?' }
    $words[$Verdict]
}

# REQUIRED: whether the run stops where the endpoint fails. ISSUED BY: the issuer of its certificate.
function Show-Network {
    if ($script:Network.Count -eq 0) { return }
    $width = 8
    foreach ($row in $script:Network) { $width = [Math]::Max($width, $row.Host.Length + 8) }
    $form = '        {0,-' + $width + '} |{1,-10}|{2,-8}|{3,-8}|{4,-9}|{5,-9}|{6}'
    Write-Line ($form -f 'ENDPOINT', 'REACHABLE', 'PRIVATE', 'TLS', 'PROXY', 'REQUIRED', 'ISSUED BY')
    foreach ($row in $script:Network) {
        $private = @{ private = 'true'; public = 'false'; none = '-'; untested = '?' }[$row.Kind]
        $proxy = 'not used'
        if (Test-Same $row.Way 'proxy') { $proxy = 'set' }
        if (Test-Same $row.Way 'gateway') { $proxy = 'gateway' }
        $required = 'optional'
        if ($row.Required) { $required = 'required' }
        $name = 'https://' + $row.Host
        if ($row.Port -eq 80) { $name = 'http://' + $row.Host } elseif ($row.Port -ne 443) { $name += ':' + $row.Port }
        Write-Line ($form -f $name, (Get-VerdictText $row.Verdict), $private, $row.Tls.Replace('TLSv', 'TLS '), $proxy, $required, (Get-SimpleName $row.Issuer))
    }
    $ciphers = @()
    foreach ($row in $script:Network) {
        if ($row.Cipher -and -not (Test-OneOf $row.Cipher $ciphers)) { $ciphers += $row.Cipher }
    }
    if ($ciphers.Count -gt 0) {
        Write-Line ('        ~ TLS uses ' + ((Get-Sorted $ciphers) -join ', ') + '; .NET does not report the cipher suite''s name' + $CipherAdvice)
    }
    foreach ($row in @($script:Network | Where-Object { $_.Message -and -not ($_.Required -and (Test-Same $_.Verdict 'failed')) })) {
        Write-Line ('        ~ ' + $row.Host + ': ' + $row.Message)
    }
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
