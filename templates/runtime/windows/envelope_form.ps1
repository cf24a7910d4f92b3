# Checks the form of an envelope (CMS EnvelopedData) byte by byte, so that no changed byte goes unnoticed.

$script:Hex = ''              # what is read, in hex digits
$script:At = 0                # where
$script:DerEnd = 0            # and where the element ends that was entered last

function ConvertTo-Hex([byte[]]$Bytes) { [BitConverter]::ToString($Bytes).Replace('-', '').ToLowerInvariant() }

# Into the element at $At; false where there is none with that tag, or not a whole one.
function Enter-Der([string]$Tag) {
    $next = $script:Hex.Substring($script:At, [Math]::Min(10, $script:Hex.Length - $script:At))
    $found = [regex]::Match($next, ('\A' + $Tag + '([0-7].|81..|82....|83......)'))
    if (-not $found.Success) { return $false }
    $size = $found.Groups[1].Value
    if ($size.Length -gt 2) { $size = $size.Substring(2) }
    $script:At += $found.Length
    $script:DerEnd = $script:At + 2 * [Convert]::ToInt32($size, 16)
    $script:DerEnd -le $script:Hex.Length
}

# Into the element at $At, behind which nothing comes.
function Enter-LastDer([string]$Tag) { (Enter-Der $Tag) -and $script:DerEnd -eq $script:Hex.Length }

function Skip-Der([string]$Tag) {
    if (-not (Enter-Der $Tag)) { return $false }
    $script:At = $script:DerEnd
    $true
}

# Over these very digits.
function Skip-Digits([string]$Digits) {
    if ([string]::CompareOrdinal($script:Hex, $script:At, $Digits, 0, $Digits.Length) -ne 0) { return $false }
    $script:At += $Digits.Length
    $true
}

function Test-Recipient {
    (Enter-Der '30') -and (Skip-Digits '020100') -and (Skip-Der '30') -and (Skip-Digits '300d06092a864886f70d0101010500') -and (Skip-Der '04')
}

# EnvelopedData (RFC 5652 section 6.1) for recipients by RSA with PKCS #1 v1.5, AES-256-CBC: what seal-secret writes.
function Test-Envelope([string]$Digits) {
    $script:Hex = $Digits
    $script:At = 0
    $begins = (Enter-LastDer '30') -and (Skip-Digits '06092a864886f70d010703') -and (Enter-LastDer 'a0') -and
        (Enter-LastDer '30') -and (Skip-Digits '020100') -and (Enter-Der '31')
    if (-not $begins) { return $false }
    $recipients = $script:DerEnd
    while ($script:At -lt $recipients) { if (-not (Test-Recipient)) { return $false } }
    if (-not ((Enter-LastDer '30') -and (Skip-Digits '06092a864886f70d010701301d060960864801650304012a0410'))) { return $false }
    $script:At = [Math]::Min($script:At + 32, $script:Hex.Length)
    Enter-LastDer '80'
}

# A certificate's issuer and serial number, as an envelope names its recipients; in hex digits, empty where there are none.
function Get-IssuerAndSerial([byte[]]$Der) {
    $script:Hex = ConvertTo-Hex $Der
    $script:At = 0
    if (-not ((Enter-Der '30') -and (Enter-Der '30'))) { return '' }
    [void](Skip-Der 'a0')
    $from = $script:At
    if (-not (Skip-Der '02')) { return '' }
    $serial = $script:Hex.Substring($from, $script:At - $from)
    if (-not (Skip-Der '30')) { return '' }
    $from = $script:At
    if (-not (Skip-Der '30')) { return '' }
    $script:Hex.Substring($from, $script:At - $from) + $serial
}
