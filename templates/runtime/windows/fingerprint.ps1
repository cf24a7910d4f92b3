# Compares a fingerprint that was typed or pasted with the sealer's. What does not match is named by its place: the right one
# is never shown, because it must come through a separate channel.

# The first four letters identify a word (BIP 39).
function Get-Letters([string]$Word) { $Word.PadRight(4).Substring(0, 4) }

# 24 words, or one text of 40 or 64 digits; nothing where it is not a fingerprint.
function Read-Fingerprint([string]$Text) {
    if ($Text -cmatch '\A\s*([A-Za-z]+\s+){23}[A-Za-z]+\s*\z') { return ($Text.Trim() -csplit '\s+') }
    $given = ($Text -creplace '^.*=', '' -creplace '[\s:-]', '').ToLowerInvariant() -creplace '^sha256', ''
    if ($given -cmatch '\A([0-9a-f]{40}|[0-9a-f]{64})\z') { $given }
}

# Places are counted from 1.
function Add-PartFault([string]$Name, [int]$Total, $Places) {
    $places = @($Places)
    if ($places.Count -eq 0) { return }
    if ($places.Count -eq 1) {
        $text = '{0} {1} of {2} does not match; have it read to you again' -f $Name, $places[0], $Total
    } elseif ($places.Count -le 4) {
        $text = '{0}s {1} of {2} do not match; have them read to you again' -f $Name, ($places -join ', '), $Total
    } else {
        $text = '{0} of its {1} {2}s do not match' -f $places.Count, $Total, $Name
    }
    Add-SealFault ('the fingerprint you gave is not the sealer''s: ' + $text)
}

function Test-Words([string[]]$Given) {
    $wanted = ($SealerWords -join ' ') -csplit ' '
    $wrong = @()
    for ($at = 0; $at -lt $wanted.Count; $at++) {
        if (-not (Test-SameAnyCase (Get-Letters $Given[$at]) (Get-Letters $wanted[$at]))) { $wrong += ($at + 1) }
    }
    Add-PartFault -Name 'word' -Total 24 -Places $wrong
}

# In groups of four digits.
function Test-Digits([string]$Given, [string]$Wanted) {
    $wrong = @()
    for ($at = 0; $at -lt $Wanted.Length; $at += 4) {
        if (-not (Test-Same $Given.Substring($at, 4) $Wanted.Substring($at, 4))) { $wrong += ($at / 4 + 1) }
    }
    Add-PartFault -Name 'group' -Total ($Wanted.Length / 4) -Places $wrong
}

# Adds to $SealFaults and $SealUnchecked. False where the text is not a fingerprint.
function Test-GivenFingerprint([string]$Text) {
    $given = @(Read-Fingerprint $Text)
    if ($given.Count -eq 0) { return $false }
    if (-not $Sealer) {
        Add-SealFault 'this bundle is not sealed'
    } elseif ($given.Count -eq 24) {
        Test-Words $given
    } elseif ($given[0].Length -eq 64) {
        Test-Digits $given[0] $Sealer
    } elseif (-not $OpenPgp) {
        Add-SealFault 'the fingerprint you gave is an OpenPGP key''s, but no OpenPGP key signs this bundle'
    } elseif (Test-Same $given[0] $OpenPgp) {
        Add-SealUnchecked 'an OpenPGP signature cannot be checked on Windows: give the fingerprint of the certificate'
    } else {
        Test-Digits $given[0] $OpenPgp
    }
    $true
}

# Files with a fingerprint beside the bundle. Anyone who exchanges a bundle can exchange what travels with it.
function Get-BesideTexts {
    $text = ' lies beside this bundle: a fingerprint that travels with a bundle proves nothing. Use the one that you received ' +
        'through a separate channel'
    $folder = [IO.Path]::GetDirectoryName($Bundle)
    if (-not $folder) { return }
    # The folder may be unreadable: then nothing is known of it.
    foreach ($item in @(Get-ChildItem -LiteralPath $folder -Force -ErrorAction SilentlyContinue)) {
        if (Test-Pattern $item.Name '\.fingerprint\.txt\z') { (Get-Printable $item.Name) + $text }
    }
}
