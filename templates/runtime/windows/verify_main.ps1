# verify.ps1: checks files and seal, shows both, and asks for the fingerprint.

function Show-Usage {
    Write-Host ('verify.ps1 of the bundle ' + $BundleName + ' ' + $BundleVersion + ': is it the one that was packed, and who says so?')
    Write-Host ''
    Write-Host '  -Signer FINGERPRINT   believe this sealer: the SHA-256 of the certificate, as it reached you on another way'
    Write-Host '                        than the bundle, in digits or "in 24 words" (also from ARC_BUNDLER_SIGNER, or asked for)'
    Write-Host '  -InsecureNoSeal       check the hashes alone: whether it is whole, not whose it is'
}

# The fingerprint as it is read over a telephone: digits in fours, eight to a line.
function Get-DigitLines([string]$Digits) {
    foreach ($half in @($Digits.Substring(0, 32), $Digits.Substring(32))) { ($half -replace '(.{4})(?!$)', '$1 ') }
}

function Show-Lines([string]$Title, $Lines) {
    foreach ($line in $Lines) { Write-Host ($Title.PadRight(14) + ($line -replace '[\x00-\x1f\x7f-\x9f]', '?')); $Title = '' }
}

function Show-Seal {
    if (-not $Sealer) { Write-Host 'Sealed by:    nobody'; return }
    # What does not hold is only what the bundle says of itself.
    if ($script:SealFaults.Count -gt 0) { Write-Host 'It says that it is' }
    Show-Lines 'Sealed by:' @($SealSigners[0].Name, ('certificate valid until ' + (Get-TimeText $SealSigners[0].Until)))
    Show-Lines 'Fingerprint:' (Get-DigitLines $Sealer)
    Show-Lines 'In words:' $SealerWords
    if ($RequiredApprovals -gt 0) {
        Show-Lines 'Approved by:' (($script:ApprovedBy -join ', ') + ' (' + $script:Approved.Count + ' of the ' + $RequiredApprovals + ' that it needs)')
    }
    if ($Serial -gt 0) { Show-Lines 'Serial:' ([string]$Serial) }
    if ($NotAfter -gt 0) { Show-Lines 'Use until:' (Get-TimeText $NotAfter) }
}

function Show-Refusal([string]$Text, $Reasons) {
    foreach ($reason in $Reasons) { Write-Host ('WRONG: ' + $reason) }
    Write-Host $Text
}

function Read-Signer {
    if ($Signer) { return $Signer }
    if ($env:ARC_BUNDLER_SIGNER) { return $env:ARC_BUNDLER_SIGNER }
    if (-not [Environment]::UserInteractive -or [Console]::IsInputRedirected) { return '' }
    # powershell.exe -NonInteractive: nobody is there.
    try {
        $given = [string](Read-Host 'Fingerprint of the sealer (digits, or its 24 words), as it reached you on another way than this bundle')
        # Words are written in several lines.
        while ($given -match '\A\s*([a-z]+\s+){1,22}[a-z]+\s*\z') {
            $next = [string](Read-Host ('the next words, from word ' + (@($given.Trim() -split '\s+').Count + 1)))
            if (-not $next) { break }
            $given += ' ' + $next
        }
        $given
    } catch { '' }
}

# Everything is checked and shown before anybody is asked whom they believe.
function Invoke-Verification {
    $disbelieved = 'This bundle''s seal is NOT BELIEVED. Install nothing from it; ask its maker.'
    Test-Files
    if ($script:Damage.Count -gt 0) {
        Show-Refusal 'This bundle is DAMAGED. Install nothing from it; copy it again.' $script:Damage
        return 200
    }
    Write-Host ([string]$script:ListedCount + ' files are the ones that were packed.')
    Write-Host ('Digest of this bundle: ' + (Get-FileSha256 'SHA256SUMS'))
    if ($InsecureNoSeal) {
        Write-Host 'THE SEAL WAS NOT CHECKED (-InsecureNoSeal): this bundle is whole, but anybody may have made it.'
        Write-Host 'Compare the digest with the one that the bundle''s maker gave you on another way: only then is it theirs.'
        return 0
    }
    if ($Sealer) { Test-Seal }
    Show-Seal
    if (-not $Sealer) {
        Show-Refusal 'Compare the digest with the one that its maker gave you on another way; then -InsecureNoSeal says that this will do.' @('nobody sealed this bundle: its maker cannot be told from whoever changed it')
        return 201
    }
    if ($script:SealFaults.Count -gt 0) { Show-Refusal $disbelieved $script:SealFaults; return 201 }
    $given = [string](Read-Signer)
    if (-not $given) {
        Show-Refusal 'Get the fingerprint of the sealer on another way than this bundle (a telephone, a ticket, paper); then: verify.ps1 -Signer FINGERPRINT' @('you did not say whose seal you believe: the one above is only what this bundle says of itself')
        return 201
    }
    if (-not (Test-GivenFingerprint $given)) { Write-Host 'a fingerprint has 64 hex digits or 24 words'; return 205 }
    if ($script:SealFaults.Count -gt 0) { Show-Refusal $disbelieved $script:SealFaults; return 201 }
    Write-Host 'The seal is by the one whom you named.'
    0
}

if ($Help) { Show-Usage; exit 0 }
if ($null -ne $Unknown) { Write-Host ('unknown argument: ' + @($Unknown)[0]); Show-Usage; exit 205 }
if ($Lab) { Write-Host 'LAB: a practice bundle. Its agent is a stand-in.' }
exit (Invoke-Verification)
