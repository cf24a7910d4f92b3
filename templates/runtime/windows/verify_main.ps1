# verify.ps1: checks files and seal, shows both, and asks for the fingerprint.

function Show-Usage {
    Write-Host ('verify.ps1 of the bundle ' + $BundleName + ' ' + $BundleVersion + ': checks its files and its signature.')
    Write-Host ''
    Write-Host '  -Signer FINGERPRINT   the SHA-256 fingerprint of the signer''s certificate, received through a separate channel,'
    Write-Host '                        as digits or "as 24 words" (also from ARC_BUNDLER_SIGNER, or by a prompt)'
    Write-Host '  -InsecureNoSeal       check only that the files are unchanged, not who made the bundle'
}

# The fingerprint as it is read over a telephone: digits in fours, eight to a line.
function Get-DigitLines([string]$Digits) {
    foreach ($half in @($Digits.Substring(0, 32), $Digits.Substring(32))) { ($half -creplace '(.{4})(?!$)', '$1 ') }
}

function Show-Lines([string]$Title, $Lines) {
    foreach ($line in $Lines) { Write-Host ($Title.PadRight(14) + (Get-Printable $line)); $Title = '' }
}

function Show-Seal {
    if (-not $Sealer) { Write-Host 'Signed by:    not sealed'; return }
    if ($script:SealFaults.Count -gt 0) { Write-Host 'Not verified; the bundle claims:' }
    Show-Lines 'Signed by:' @($SealSigners[0].Name, ('certificate valid until ' + (Get-TimeText $SealSigners[0].Until)))
    Show-Lines 'Fingerprint:' (Get-DigitLines $Sealer)
    Show-Lines 'In words:' $SealerWords
    if ($RequiredApprovals -gt 0) {
        $count = ' (' + $script:Approved.Count + ' of ' + $RequiredApprovals + ' required)'
        Show-Lines 'Approved by:' (($script:ApprovedBy -join ', ') + $count)
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
    # powershell.exe -NonInteractive: there is no user to ask.
    try {
        $given = [string](Read-Host 'Fingerprint of the signer (digits, or its 24 words), received through a separate channel')
        # The words may come in several lines.
        while ($given -cmatch '\A\s*([A-Za-z]+\s+){1,22}[A-Za-z]+\s*\z') {
            $next = [string](Read-Host ('next words, from word ' + (@($given.Trim() -csplit '\s+').Count + 1)))
            if (-not $next) { break }
            $given += ' ' + $next
        }
        $given
    } catch { '' }
}

# Everything is checked and shown before the script asks for the fingerprint.
function Invoke-Verification {
    $refused = 'This bundle''s signature is NOT VERIFIED. Do not install from it. Ask its maker.'
    Test-Files
    if ($script:Damage.Count -gt 0) {
        Show-Refusal 'This bundle is DAMAGED. Do not install from it. Copy it again.' $script:Damage
        return 200
    }
    Write-Host ('All ' + $script:ListedCount + ' files match SHA256SUMS.')
    Write-Host ('Digest of this bundle: ' + (Get-FileSha256 'SHA256SUMS'))
    if ($InsecureNoSeal) {
        Write-Host 'THE SIGNATURE WAS NOT CHECKED (-InsecureNoSeal): the files are intact, but anyone may have made this bundle.'
        Write-Host 'Compare the digest with the one that the maker gave you through a separate channel.'
        return 0
    }
    if ($Sealer) { Test-Seal }
    Show-Seal
    if (-not $Sealer) {
        $advice = 'Compare the digest with the one that the maker gave you through a separate channel; then use -InsecureNoSeal.'
        Show-Refusal $advice @('this bundle is not sealed: its origin cannot be verified')
        return 201
    }
    if ($script:SealFaults.Count -gt 0) { Show-Refusal $refused $script:SealFaults; return 201 }
    $given = [string](Read-Signer)
    if (-not $given) {
        $advice = 'Get the fingerprint of the signer through a separate channel (telephone, ticket, paper); then: verify.ps1 -Signer FINGERPRINT'
        Show-Refusal $advice @('no fingerprint was given: the one above is only the bundle''s own claim')
        return 201
    }
    if (-not (Test-GivenFingerprint $given)) { Write-Host 'a fingerprint has 64 hex digits or 24 words'; return 205 }
    if ($script:SealFaults.Count -gt 0) { Show-Refusal $refused $script:SealFaults; return 201 }
    Write-Host 'The signature matches the fingerprint you gave.'
    0
}

if ($Help) { Show-Usage; exit 0 }
if ($null -ne $Unknown) { Write-Host (Get-UnknownText $Unknown); Show-Usage; exit 205 }
if ($Lab) { Write-Host 'LAB bundle: its packages are stand-ins.' }
exit (Invoke-Verification)
