# Computes SHA-256 digests, also where a FIPS policy is set.

# The SHA-256 class that a FIPS policy allows. Get-FileHash of PowerShell 4.0 uses another one.
function Get-BytesSha256([byte[]]$Bytes, [int]$Count) {
    $hasher = New-Object System.Security.Cryptography.SHA256CryptoServiceProvider
    try {
        [BitConverter]::ToString($hasher.ComputeHash($Bytes, 0, $Count)).Replace('-', '').ToLowerInvariant()
    } finally {
        $hasher.Dispose()
    }
}

function Get-Sha256([string]$File) {
    $hasher = New-Object System.Security.Cryptography.SHA256CryptoServiceProvider
    try {
        $stream = [IO.File]::OpenRead($File)
        try { [BitConverter]::ToString($hasher.ComputeHash($stream)).Replace('-', '').ToLowerInvariant() } finally { $stream.Dispose() }
    } finally { $hasher.Dispose() }
}

function Get-FileSha256([string]$Path) { Get-Sha256 (Get-BundlePath $Path) }
