# Checks that the bundle holds exactly the files that SHA256SUMS lists.

$script:Damage = @()          # how the files differ from the bundle that was built
$script:SealFaults = @()          # why its signature is not verified
$script:SealUnchecked = @()       # why it cannot be checked on this machine; a fault is graver
$script:PresentFiles = $null         # the bundle's files
$script:ListedCount = 0            # files that SHA256SUMS names
$script:ListedSums = New-Table     # their digests by path
$script:SumsHeld = [byte[]]@()     # SHA256SUMS as it was read: its signature is checked over these bytes
$script:Approved = @()        # fingerprints of those who approved
$script:ApprovedBy = @()      # and their names

function Add-Damage([string]$Text) { $script:Damage += (Get-Printable $Text) }

# Windows ignores the case of names; a bundle does not.
function New-NameSet {
    , (New-Object 'System.Collections.Generic.HashSet[string]' -ArgumentList ([StringComparer]::Ordinal))
}

# A deduplicated file is a reparse point like a link, but a file; PowerShell 4 cannot distinguish them, and refuses it.
function Test-Link($Item) {
    if (-not ($Item.Attributes -band [IO.FileAttributes]::ReparsePoint)) { return $false }
    $kind = $Item.PSObject.Properties['LinkType']
    $null -eq $kind -or $null -ne $kind.Value
}

# Fills $PresentFiles. Links, devices and folders without files are in no bundle; what a link points to is not read.
function Read-Folder([string]$Folder, [string]$Prefix) {
    $held = $false
    foreach ($item in @(Get-ChildItem -LiteralPath $Folder -Force)) {
        $path = $Prefix + $item.Name
        if (Test-Link $item) {
            Add-Damage ($path + ' is not a regular file')
        } elseif ($item.PSIsContainer) {
            if (-not (Read-Folder $item.FullName ($path + '/'))) { Add-Damage ('the folder ' + $path + ' does not belong to the bundle') }
        } elseif ($item.Attributes -band [IO.FileAttributes]::Device) {
            Add-Damage ($path + ' is not a regular file')
        } else {
            [void]$script:PresentFiles.Add($path)
        }
        $held = $true
    }
    $held
}

$script:SignaturePlace = '^((SHA256SUMS|manifest\.json)\.(p7s|asc|asc\.p7s)|approvals/[0-9a-f]{16}\.p7s)\z'

# Whether this is the path of a signature of this bundle; the signature itself is checked later.
function Test-SignaturePlace([string]$Path) {
    if ($Path -cnotmatch $SignaturePlace) { return $false }
    if ($Path.StartsWith('approvals/', [StringComparison]::Ordinal)) { return $RequiredApprovals -gt 0 }
    if ($Path -cmatch '\.asc') { return [bool]$OpenPgp }
    [bool]$Sealer
}

# The lines of SHA256SUMS; nothing where it is not UTF-8 with a line feed at the end of each line.
function Get-SumLines {
    $utf8 = New-Object System.Text.UTF8Encoding $false, $true
    $script:SumsHeld = [IO.File]::ReadAllBytes((Get-BundlePath 'SHA256SUMS'))
    try { $text = $utf8.GetString($script:SumsHeld) } catch { $text = '' }
    if (-not $text.EndsWith("`n", [StringComparison]::Ordinal)) { Add-Damage 'SHA256SUMS is not UTF-8 text with line feeds, or lists nothing'; return }
    $text.Substring(0, $text.Length - 1).Split("`n")
}

# SHA256SUMS lists digests and paths, sorted by the bytes of the paths; each file must be present.
function Read-Sums($Named) {
    $last = ''
    foreach ($line in @(Get-SumLines)) {
        if ($line -cnotmatch '\A[0-9a-f]{64}  [^\n]') { Add-Damage ('not a valid line of SHA256SUMS: ' + $line); continue }
        $hash = $line.Substring(0, 64)
        $path = $line.Substring(66)
        $order = [BitConverter]::ToString([Text.Encoding]::UTF8.GetBytes($path))
        if ([string]::CompareOrdinal($order, $last) -le 0) { Add-Damage ('SHA256SUMS is not sorted at ' + $path) }
        $last = $order
        if ((Test-Same $path 'SHA256SUMS') -or $path -cmatch $SignaturePlace) { Add-Damage ('SHA256SUMS names ' + $path) }
        [void]$Named.Add($path)
        $script:ListedSums[$path] = $hash
        $script:ListedCount++
        if (-not $script:PresentFiles.Contains($path)) {
            Add-Damage ($path + ' is missing')
        } elseif (-not (Test-Same (Get-FileSha256 $path) $hash)) {
            Add-Damage ($path + ' has changed')
        }
    }
}

# Fills $Damage.
function Test-Files {
    $script:Damage = @()
    $script:ListedCount = 0
    $script:PresentFiles = New-NameSet
    $named = New-NameSet
    try {
        [void](Read-Folder $Bundle '')
        if (-not $script:PresentFiles.Contains('SHA256SUMS')) { Add-Damage 'SHA256SUMS is missing'; return }
        Read-Sums $named
    } catch { Add-Damage ('the bundle cannot be read: ' + $_.Exception.Message) }
    foreach ($path in $script:PresentFiles) {
        if (-not (Test-Same $path 'SHA256SUMS') -and -not $named.Contains($path) -and -not (Test-SignaturePlace $path)) {
            Add-Damage ($path + ' does not belong to the bundle')
        }
    }
}
