# Checks the signatures over SHA256SUMS and the manifest, and the approvals.

$script:SealEpoch = New-Object System.DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
$script:SealVerified = $false # for the receipt
$script:CheckedWith = ''      # which program or class checked the signatures

function Add-SealFault([string]$Text) { $script:SealFaults += (Get-Printable $Text) }

function Add-SealUnchecked([string]$Text) { $script:SealUnchecked += (Get-Printable $Text) }

# Whether this .NET lacks the algorithm: no fault of the signature's. CRYPT_E_UNKNOWN_ALGO, NTE_BAD_ALGID (winerror.h).
function Test-Unsupported($Exception) {
    $base = $Exception.GetBaseException()
    if ($base -is [NotSupportedException]) { return $true }
    ($base -is [Security.Cryptography.CryptographicException]) -and (@(-2146889726, -2146893816) -contains $base.HResult)
}

# Whether the bytes before the signature's value are the ones that this signer's files begin with: so no byte of the file can
# change unnoticed, and no certificate can be exchanged.
function Test-SealForm([byte[]]$Bytes, [string]$Role, [string]$Signer) {
    foreach ($sealSigner in $SealSigners) {
        if (-not (Test-Same $sealSigner.Role $Role) -or -not (Test-Same $sealSigner.Sha256 $Signer)) { continue }
        foreach ($form in $sealSigner.Forms) {
            $size, $before, $sha256 = $form
            if ($size -eq $Bytes.Length -and (Test-Same (Get-BytesSha256 $Bytes $before) $sha256)) { return $true }
        }
    }
    $false
}

# The fingerprint of the certificate that made the signature; throws where there is not exactly one.
function Get-SignedBy([byte[]]$Signature, [byte[]]$Document) {
    $content = New-Object System.Security.Cryptography.Pkcs.ContentInfo (, $Document)
    $signed = New-Object System.Security.Cryptography.Pkcs.SignedCms $content, $true
    $signed.Decode($Signature)
    if ($signed.SignerInfos.Count -ne 1) { throw 'not one signer' }
    # $true: the signature alone; Windows' trust store does not decide here which signer to trust.
    $signed.CheckSignature($true)
    $der = $signed.SignerInfos[0].Certificate.RawData
    Get-BytesSha256 $der $der.Length
}

# SHA256SUMS is what the files were compared with, whatever has been put in its place since.
function Get-Document([string]$Path) {
    if (Test-Same $Path 'SHA256SUMS') { return , $script:SumsHeld }
    , [IO.File]::ReadAllBytes((Get-BundlePath $Path))
}

# The file has one of the signer's forms, .NET verifies the signature (it accepts any signer), and it is the expected signer.
function Test-Signature([string]$Path, [string]$Document, [string]$Signer, [string]$Role) {
    if (-not $script:PresentFiles.Contains($Path)) { Add-SealFault ($Path + ' is missing'); return $false }
    $bytes = [IO.File]::ReadAllBytes((Get-BundlePath $Path))
    if (-not (Test-SealForm -Bytes $bytes -Role $Role -Signer $Signer)) {
        Add-SealFault ($Path + ' is not a signature by the expected signer')
        return $false
    }
    if (-not $script:SealReader) { return $true }
    try { $seen = Get-SignedBy $bytes (Get-Document $Document) } catch {
        if (Test-Unsupported $_.Exception) {
            Add-SealUnchecked ('this .NET cannot check the kind of signature of ' + $Path + ': ' + $_.Exception.GetBaseException().Message)
            return $false
        }
        Add-SealFault ($Path + ' does not sign ' + $Document + ': ' + $_.Exception.Message)
        return $false
    }
    if (-not (Test-Same $seen $Signer)) { Add-SealFault ($Path + ' is signed by another certificate') }
    Test-Same $seen $Signer
}

function Get-TimeText([double]$Seconds) {
    $SealEpoch.AddSeconds($Seconds).ToString('yyyy-MM-dd HH:mm', [Globalization.CultureInfo]::InvariantCulture) + ' UTC'
}

function Get-Seconds { [Math]::Floor(([DateTime]::UtcNow - $SealEpoch).TotalSeconds) }

# By this machine's clock.
function Test-Validity($SealSigner) {
    $now = Get-Seconds
    if ($now -lt $SealSigner.From) {
        Add-SealFault ('the certificate of ' + $SealSigner.Name + ' is not valid yet, according to this machine''s clock')
    } elseif ($now -gt $SealSigner.Until) {
        Add-SealFault ('the certificate of ' + $SealSigner.Name + ' expired on ' + (Get-TimeText $SealSigner.Until))
    }
}

function Test-Sealer($SealSigner) {
    Test-Validity $SealSigner
    $documents = @('SHA256SUMS', 'manifest.json')
    if ($OpenPgp) { $documents += @('SHA256SUMS.asc', 'manifest.json.asc') }
    foreach ($document in $documents) { [void](Test-Signature -Path ($document + '.p7s') -Document $document -Signer $SealSigner.Sha256 -Role 'sealer') }
}

# An approval that is not valid refuses the bundle; it does not just count as missing.
function Test-Approvals {
    $known = @()
    $missing = @()
    foreach ($sealSigner in $SealSigners) {
        if (-not (Test-Same $sealSigner.Role 'approver')) { continue }
        $file = 'approvals/' + $sealSigner.Sha256.Substring(0, 16) + '.p7s'
        $known += $file
        if (-not $script:PresentFiles.Contains($file)) { $missing += $sealSigner.Name; continue }
        if (-not (Test-Signature -Path $file -Document 'SHA256SUMS' -Signer $sealSigner.Sha256 -Role 'approver')) { continue }
        Test-Validity $sealSigner
        $script:Approved += $sealSigner.Sha256
        $script:ApprovedBy += $sealSigner.Name
    }
    if ($script:Approved.Count -lt $RequiredApprovals) {
        $text = '{0} of {1} required approvals are present; missing: {2}'
        Add-SealFault ($text -f $script:Approved.Count, $RequiredApprovals, ($missing -join ', '))
    }
    foreach ($path in $script:PresentFiles) {
        if ($path.StartsWith('approvals/', [StringComparison]::Ordinal) -and -not (Test-OneOf $path $known)) {
            Add-SealFault ($path + ' is not signed by a listed approver')
        }
    }
}

# Fills $SealReader. Every Windows has it; PowerShell on another system may not.
function Find-SealReader {
    $script:SealReader = $true
    try {
        Add-Type -AssemblyName System.Security
        if ($null -eq ('System.Security.Cryptography.Pkcs.SignedCms' -as [type])) { throw 'no SignedCms' }
    } catch {
        $script:SealReader = $false
        Add-SealUnchecked 'this PowerShell has no SignedCms: start the script with Windows PowerShell (powershell.exe), which has .NET''s System.Security'
    }
}

# Fills $SealFaults and $SealUnchecked; after Test-Files. Without SignedCms it still finds what is missing, has another form
# or has expired.
function Test-Seal {
    $script:SealFaults = @()
    $script:SealUnchecked = @()
    $script:Approved = @()
    $script:ApprovedBy = @()
    Find-SealReader
    try {
        foreach ($sealSigner in $SealSigners) { if (Test-Same $sealSigner.Role 'sealer') { Test-Sealer $sealSigner } }
        Test-Approvals
    } catch { Add-SealFault ('the seal cannot be read: ' + $_.Exception.Message) }
    if ($NotAfter -gt 0 -and (Get-Seconds) -gt $NotAfter) { Add-SealFault ('the bundle expired on ' + (Get-TimeText $NotAfter)) }
}
