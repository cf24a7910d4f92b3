# Computes SHA-256 digests, also where a FIPS policy is set.

# The kind of SHA-256 that a FIPS policy lets run. Get-FileHash of PowerShell 4.0 takes another, and 3.0 has none.
function Get-BytesSha256([byte[]]$Bytes, [int]$Count) {
    $hasher = New-Object System.Security.Cryptography.SHA256CryptoServiceProvider
    try { [BitConverter]::ToString($hasher.ComputeHash($Bytes, 0, $Count)).Replace('-', '').ToLowerInvariant() } finally { $hasher.Dispose() }
}

function Get-Sha256([string]$File) {
    $hasher = New-Object System.Security.Cryptography.SHA256CryptoServiceProvider
    try {
        $stream = [IO.File]::OpenRead($File)
        try { [BitConverter]::ToString($hasher.ComputeHash($stream)).Replace('-', '').ToLowerInvariant() } finally { $stream.Dispose() }
    } finally { $hasher.Dispose() }
}

function Get-FileSha256([string]$Path) { Get-Sha256 (Get-BundlePath $Path) }
