# Folders that this run was told to write to, where other users may write too.

# A link is its owner's, and the one's who can write where it stands: Windows may report the rights of what it leads to.
function Test-OwnLink([string]$Link, [string]$Above) {
    try { (Test-OwnSid (Get-OwnerSid $Link)) -and -not (Get-Others $Above $WriteMask) } catch { $false }
}

# The first link (junction, symbolic link, or another reparse point) on the way that another user may have put there; empty where
# there is none. Links of administrators are followed.
function Get-ForeignLink([string]$Folder, [int]$Hops = 0) {
    $path = [IO.Path]::GetPathRoot($Folder)
    foreach ($part in @($Folder.Substring($path.Length) -csplit '[\\/]' | Where-Object { $_ })) {
        $above = $path
        $path = [IO.Path]::Combine($path, $part)
        # What is not there yet is no link.
        try { $attributes = [IO.File]::GetAttributes($path) } catch { return '' }
        if (-not ($attributes -band [IO.FileAttributes]::ReparsePoint)) { continue }
        if ($Hops -ge 40 -or -not (Test-OwnLink $path $above)) { return $path }
        $found = Get-ForeignTarget -Link $path -Above $above -Hops ($Hops + 1)
        if ($found) { return $found }
    }
    ''
}

# PowerShell 4 does not know where a link leads.
function Get-ForeignTarget([string]$Link, [string]$Above, [int]$Hops) {
    $target = (Get-Item -LiteralPath $Link -Force).PSObject.Properties['Target']
    if ($null -eq $target -or -not @($target.Value)[0]) { return '' }
    Get-ForeignLink ([IO.Path]::GetFullPath([IO.Path]::Combine($Above, [string]@($target.Value)[0]))) $Hops
}

# Creates the folder where it is missing, and returns its full path.
function New-NamedFolder([string]$Given) {
    $folder = Get-FullPath $Given
    try {
        $folder = [IO.Path]::GetFullPath($folder)
        $link = Get-ForeignLink $folder
        if (-not $link) { [void][IO.Directory]::CreateDirectory($folder) }
    } catch { Stop-Here 202 ('nothing can be written to ' + $folder + ': ' + (Get-Reason $_.Exception)) }
    if ($link) { Stop-Here 202 ($link + ' is a link of another user, which this script does not follow: name the folder itself') }
    $folder
}
