# The certificates that a server presents: the issuer that the chain ends with, and serial numbers. A server can write any
# name into them: names make a better message, and nothing is trusted because of them.

# Where the contents of the DER element at $At begin (X.690 section 8.1); -1 where there is none with this tag.
function Get-DerStart([byte[]]$Der, [int]$At, [int]$Tag) {
    if ($At -lt 0 -or $At + 1 -ge $Der.Length -or [int]$Der[$At] -ne $Tag) { return -1 }
    if ($Der[$At + 1] -lt 128) { return $At + 2 }
    $At + 2 + ($Der[$At + 1] -band 127)
}

# The first bit of the number is its sign (X.690 section 8.3); RFC 5280 section 4.1.2.2 wants a positive one. Read from the
# bytes: Windows leaves out zeros in front of a serial number (CERT_INFO, wincrypt.h).
function Test-NegativeSerial([byte[]]$Der) {
    $at = Get-DerStart -Der $Der -At 0 -Tag 48
    $at = Get-DerStart -Der $Der -At $at -Tag 48
    # The version, where there is one.
    if ((Get-DerStart -Der $Der -At $at -Tag 160) -ge 0) { $at += 2 + $Der[$at + 1] }
    $at = Get-DerStart -Der $Der -At $at -Tag 2
    $at -ge 0 -and $at -lt $Der.Length -and $Der[$at] -ge 128
}

# What was presented, and what this machine added to it.
function Get-ChainCertificates($Certificate, $Chain) {
    $found = @($Certificate)
    if ($null -ne $Chain) {
        $found += @($Chain.ChainPolicy.ExtraStore | ForEach-Object { $_ })
        $found += @($Chain.ChainElements | ForEach-Object { $_.Certificate })
    }
    $found
}

# The issuer that the chain ends with: there is no certificate of it, or it is its own (RFC 8446 section 4.4.2: servers
# send more than the chain, and not always in order).
function Get-ChainEnd($Certificates) {
    $issuer = [string]$Certificates[0].Issuer
    for ($step = 0; $step -lt $Certificates.Count; $step++) {
        $next = @($Certificates | Where-Object { Test-Same $_.Subject $issuer })
        if ($next.Count -eq 0) { break }
        $issuer = [string]$next[0].Issuer
    }
    $issuer
}

# Fills $script:Seen for the verdicts.
function Read-PresentedChain($Certificate, $Chain) {
    $all = @(Get-ChainCertificates $Certificate $Chain)
    $script:Seen.Issuer = [string]$Certificate.Issuer
    $script:Seen.SelfSigned = Test-Same ([string]$Certificate.Subject) ([string]$Certificate.Issuer)
    $script:Seen.End = Get-ChainEnd $all
    foreach ($one in $all) { if (Test-NegativeSerial $one.GetRawCertData()) { $script:Seen.Negative = [string]$one.Issuer } }
}
