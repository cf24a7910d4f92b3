# Step 1, verify: is this the bundle that was built, and is its signature valid?

# What this script uses besides the package.
function Get-UsedFiles {
    $BundleFiles
    foreach ($one in $CarriedCertificates) { @{ Path = $one.Path; Sha256 = $one.FileSha256 } }
}

function Confirm-File([string]$Path, [string]$Sha256) {
    $file = Get-BundlePath $Path
    if (-not (Test-Path -LiteralPath $file -PathType Leaf)) { Stop-Here 200 ($Path + ' is missing from the bundle') }
    if (-not (Test-Same (Get-Sha256 $file) $Sha256)) { Stop-Here 200 ($Path + ' has changed: its SHA-256 differs from the packed file''s') }
}

# One reason in the step's line, several above it.
function Stop-WithReasons([int]$Code, $Reasons) {
    $reasons = @($Reasons)
    if ($reasons.Count -eq 1) { Stop-Here $Code $reasons[0] }
    foreach ($reason in $reasons) { Write-Line ('        ! ' + $reason) }
    Stop-Here $Code ([string]$reasons.Count + ' problems found in this bundle, see above')
}

# No fault of the bundle's.
function Stop-Unchecked {
    foreach ($reason in @($script:SealUnchecked | Select-Object -Skip 1)) { Write-Line ('        ! ' + $reason) }
    Stop-Here 213 ('the seal cannot be checked: ' + $script:SealUnchecked[0])
}

# A bundle that was built with a seal is never used without it, whatever files are beside this script.
function Confirm-Seal([string]$Given) {
    Test-Files
    if ($script:Damage.Count -gt 0) { Stop-WithReasons 200 $script:Damage }
    $script:CheckedWith = 'SignedCms'
    Test-Seal
    if ($Given -and -not (Test-GivenFingerprint $Given)) {
        Stop-Here 205 '-Signer and ARC_BUNDLER_SIGNER need a fingerprint, 64 hex digits or 24 words'
    }
    if ($script:SealFaults.Count -gt 0) { Stop-WithReasons 201 $script:SealFaults }
    if ($script:SealUnchecked.Count -gt 0) { Stop-Unchecked }
    $script:SealVerified = $true
}

# The fingerprint only where one was given, and so has matched.
function Get-SealText([string]$Given) {
    $shown = '(not compared: no -Signer given)'
    if ($Given) { $shown = '(' + $Sealer.Substring(0, 16) + '...)' }
    $text = ', signed by ' + (Get-Printable $SealSigners[0].Name) + ' ' + $shown
    if ($script:ApprovedBy.Count -gt 0) { $text += ', approved by ' + ($script:ApprovedBy -join ', ') }
    $text
}

function Step-Verify {
    Start-Step 'verify'
    Test-Place
    $given = $Signer
    if (-not $given) { $given = [string]$env:ARC_BUNDLER_SIGNER }
    if ($Sealer) {
        foreach ($text in @(Get-BesideTexts)) { Add-Warning $text }
        Confirm-Seal $given
        foreach ($file in @(Get-UsedFiles)) { Confirm-File $file.Path $file.Sha256 }
        Confirm-Serial
        Complete-Step 'ok' ('all ' + $script:ListedCount + ' files match SHA256SUMS' + (Get-SealText $given))
        return
    }
    if ($given) { Stop-Here 201 'this bundle is not sealed, but a signer is required (-Signer, ARC_BUNDLER_SIGNER)' }
    $count = 0
    foreach ($file in @(Get-UsedFiles)) {
        Confirm-File $file.Path $file.Sha256
        $count++
    }
    if ($script:Target) {
        Confirm-File $script:Target.Path $script:Target.Sha256
        $count++
    }
    Confirm-Serial
    Write-Line '        ~ this bundle is not sealed: its files are intact, its origin is not verified'
    Complete-Step 'ok' ('all ' + $count + ' files match this script''s list')
}
