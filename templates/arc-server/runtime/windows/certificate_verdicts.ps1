# What the certificates of the endpoints mean: a root that is missing here, TLS that is inspected, serial numbers.

function Get-NamePart([string]$Name, [string]$Part) {
    if ($Name -cmatch ('(?:^|,\s*)' + $Part + '=("[^"]*"|[^,]*)')) { return $Matches[1].Trim('"') }
    $Name
}

# True where an issuer is not known, and not where the certificate itself is wrong.
function Test-LacksIssuer { $script:Seen.Status -cmatch 'PartialChain|UntrustedRoot' -and -not $script:Seen.SelfSigned }

# An unknown issuer of the vendor's is a missing root; any other is inspection, or a private CA.
function Set-UntrustedVerdict($Row) {
    if (-not (Test-LacksIssuer) -or $Row.Issuer -cnotmatch $UsualIssuers) {
        $by = Get-SimpleName $Row.Issuer
        Set-Verdict $Row ('its certificate is from ' + $by + ', which this machine does not trust: a root is missing, or TLS is inspected')
        return
    }
    $name = Get-NamePart $script:Seen.End 'CN'
    $of = 'says it is of ' + (Get-NamePart $Row.Issuer 'O')
    if (Test-TrustedRoot $name) {
        Set-Verdict $Row ($of + ', but not issued by the root ' + $name + ': TLS is inspected')
        return
    }
    # Where nothing but its own certificate was presented, the root above its issuer is not known.
    $what = '; its root '
    if (Test-Same $script:Seen.End $Row.Issuer) { $what = '; the root of its issuer ' }
    Set-Verdict $Row ($of + $what + $name + ' is missing here')
    $Row.AbsentRoot = $name
}

# Whether this machine trusts the looked-for root of that name.
function Test-TrustedRoot([string]$Name) {
    foreach ($root in $NeededRoots) {
        if (-not (Test-Same $root.Name $Name)) { continue }
        try { if (Test-Stored 'root' $root.Sha1) { return $true } } catch {
            Add-LogLine ('the trust store cannot be read: ' + (Get-Reason $_.Exception))
        }
    }
    $false
}

# Noted whatever else is wrong; a verdict only where the bundle's agent is one that refuses them.
function Set-SerialVerdict($Row) {
    $Row.Negative = $script:Seen.Negative
    if (-not $Row.Negative -or -not (Test-Same $Row.Verdict 'ok') -or -not (Test-RefusesNegative)) { return }
    $by = Get-NamePart $Row.Negative 'CN'
    Set-Verdict $Row ('a negative serial number by ' + $by + ', which agent ' + $script:Target.PackageVersion + ' refuses')
}

function Test-RefusesNegative {
    $NegativeSerialsRefused -and $script:Target -and (Compare-Version $script:Target.PackageVersion $NegativeSerialsRefused) -ge 0
}

# Where an admin gets a root.
function Get-RootSource([string]$Name) {
    foreach ($one in $CarriedCertificates) {
        if (Test-Same $one.Name $Name) { return 'the bundle has it, start with -InstallCertificates' }
    }
    'let the bundle carry it (trust.certificates in the definition), or put it into this machine''s trust store'
}

# What is to be done, once for all endpoints.
function Show-CertificateAdvice {
    $told = @()
    foreach ($row in $script:Network) {
        if (-not $row.AbsentRoot -or (Test-OneOf $row.AbsentRoot $told)) { continue }
        $told += $row.AbsentRoot
        Add-Note ('to add ' + $row.AbsentRoot + ': ' + (Get-RootSource $row.AbsentRoot))
    }
    $found = @($script:Network | Where-Object { $_.Negative } | ForEach-Object { $_.Host + ' (by ' + (Get-NamePart $_.Negative 'CN') + ')' })
    if ($found.Count -eq 0) { return }
    Add-Warning ('certificates with negative serial numbers: ' + ($found -join ', ') + '; agents from ' + $NegativeSerialsRefused +
        ' (February 2027) refuse them: have the proxy that inspects TLS issue positive ones')
}
