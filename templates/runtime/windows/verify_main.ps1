# verify.ps1: asks for the fingerprint, checks files and seal, and shows the seal where the fingerprint matches.

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

# Only when the fingerprint that was given has matched; before, it is the bundle's own claim.
function Show-Seal {
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
    if (-not $Sealer -or -not [Environment]::UserInteractive -or [Console]::IsInputRedirected) { return '' }
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

function Show-HashesOnly {
    Write-Host 'THE SIGNATURE WAS NOT CHECKED (-InsecureNoSeal): the files are intact, but anyone may have made this bundle.'
    Write-Host 'Compare the digest with the one that the maker gave you through a separate channel.'
}

function Show-CannotCheck {
    foreach ($reason in $script:SealUnchecked) { Write-Host ('CANNOT BE CHECKED: ' + $reason) }
    Write-Host 'The signature of this bundle CANNOT BE CHECKED on this machine. Nothing is known to be wrong with it. Do not install from it yet:'
    Write-Host 'correct what is named above, or verify the bundle on another machine and compare the digest above.'
}

# The seal itself, then whether it is by the signer that was named. What is wrong is graver than what cannot be checked.
function Test-SealBy([string]$Given) {
    if (-not $Sealer) {
        $advice = 'Compare the digest with the one that the maker gave you through a separate channel; then use -InsecureNoSeal.'
        Show-Refusal $advice @('this bundle is not sealed: its origin cannot be verified')
        return 201
    }
    Test-Seal
    if ($Given) { [void](Test-GivenFingerprint $Given) }
    if ($script:SealFaults.Count -gt 0) {
        Show-Refusal 'This bundle''s signature is NOT VERIFIED. Do not install from it. Ask its maker.' $script:SealFaults
        return 201
    }
    if ($script:SealUnchecked.Count -gt 0) { Show-CannotCheck; return 213 }
    if (-not $Given) {
        $reason = 'the seal was NOT TIED TO A FINGERPRINT: none was given. The seal is valid in itself, but anyone can make such a seal'
        $advice = 'Get the fingerprint of the signer through a separate channel (telephone, ticket, paper); then: verify.ps1 -Signer FINGERPRINT'
        Show-Refusal $advice @($reason)
        return 201
    }
    0
}

# The script asks before anything of the seal is shown, so that the bundle's own fingerprint is not compared with itself.
function Invoke-Verification {
    if ($Lab) { Write-Host 'LAB bundle: its packages are stand-ins.' }
    foreach ($text in @(Get-BesideTexts)) { Write-Host ('WARNING: ' + $text + '.') }
    $given = ''
    if (-not $InsecureNoSeal) { $given = [string](Read-Signer) }
    if ($given -and @(Read-Fingerprint $given).Count -eq 0) { Write-Host 'a fingerprint has 64 hex digits or 24 words'; return 205 }
    Test-Files
    if ($script:Damage.Count -gt 0) {
        Show-Refusal 'This bundle is DAMAGED. Do not install from it. Copy it again.' $script:Damage
        return 200
    }
    Write-Host ('All ' + $script:ListedCount + ' files match SHA256SUMS.')
    Write-Host ('Digest of this bundle: ' + (Get-FileSha256 'SHA256SUMS'))
    if ($InsecureNoSeal) { Show-HashesOnly; return 0 }
    $code = Test-SealBy $given
    if ($code -ne 0) { return $code }
    Show-Seal
    Write-Host 'The signature matches the fingerprint you gave.'
    0
}

if ($Help) { Show-Usage; exit 0 }
if ($null -ne $Unknown) { Write-Host (Get-UnknownText $Unknown); Show-Usage; exit 205 }
exit (Invoke-Verification)
