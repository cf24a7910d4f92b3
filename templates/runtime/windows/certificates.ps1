# Reads, adds and removes certificates in the machine's trust store.

$script:StoreLocation = 'LocalMachine'
$script:StoreNames = @{ root = 'Root'; ca = 'CertificateAuthority' }

function Open-Store([string]$Store, [string]$How) {
    $opened = New-Object System.Security.Cryptography.X509Certificates.X509Store (
        [System.Security.Cryptography.X509Certificates.StoreName]$StoreNames[$Store]), (
        [System.Security.Cryptography.X509Certificates.StoreLocation]$StoreLocation)
    $opened.Open([System.Security.Cryptography.X509Certificates.OpenFlags]$How)
    $opened
}

function Test-Stored([string]$Store, [string]$Sha1) {
    $opened = Open-Store $Store 'ReadOnly'
    try {
        $found = $opened.Certificates.Find([System.Security.Cryptography.X509Certificates.X509FindType]::FindByThumbprint, $Sha1, $false)
        $found.Count -gt 0
    } finally { $opened.Close() }
}

# The thumbprint is what administrators compare.
function Read-Carried($Carried) {
    $text = $script:Utf8.GetString((Read-Checked $Carried.Path $Carried.FileSha256))
    $bytes = [Convert]::FromBase64String(($text -creplace '-----[A-Z ]+-----', '' -creplace '\s', ''))
    $certificate = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 (, $bytes)
    if (-not (Test-SameAnyCase $certificate.Thumbprint $Carried.Sha1)) { Stop-Here 200 ($Carried.Path + ' is not the certificate ' + $Carried.Name) }
    $certificate
}

# True where the certificate was not in the store before.
function Install-Carried($Carried) {
    if (Test-Stored $Carried.Store $Carried.Sha1) { return $false }
    $certificate = Read-Carried $Carried
    Add-Change -Kind 'certificate' -Name $Carried.Store -Value $Carried.Sha1
    $opened = Open-Store $Carried.Store 'ReadWrite'
    try { $opened.Add($certificate) } finally { $opened.Close() }
    $true
}

function Remove-Stored([string]$Store, [string]$Sha1) {
    $opened = Open-Store $Store 'ReadWrite'
    try {
        $found = $opened.Certificates.Find([System.Security.Cryptography.X509Certificates.X509FindType]::FindByThumbprint, $Sha1, $false)
        foreach ($certificate in $found) { $opened.Remove($certificate) }
    } finally { $opened.Close() }
}
