# The copy is what was checked: a user who can write to the bundle's folder can exchange a file at any time. So its bytes are read
# once, hashed and used; or they are copied to where only administrators can write, and the copy is hashed and used.

function Stop-Changed([string]$Path) { Stop-Here 200 ($Path + ' has changed: its SHA-256 differs from the packed file''s') }

# The bytes of the bundle's file. Without a digest nothing was checked.
function Read-Checked([string]$Path, [string]$Sha256) {
    $held = [IO.File]::ReadAllBytes((Get-BundlePath $Path))
    if ($Sha256 -and -not (Test-Same (Get-BytesSha256 $held $held.Length) $Sha256)) { Stop-Changed $Path }
    , $held
}

# Returns the copy, in this run's folder.
function Copy-Checked([string]$Path, [string]$Sha256) {
    $copy = Join-Path $script:Work (Split-Path -Leaf (Get-BundlePath $Path))
    [IO.File]::Copy((Get-BundlePath $Path), $copy)
    # From a disc it is read-only, and .NET Framework would not remove it later.
    [IO.File]::SetAttributes($copy, [IO.FileAttributes]::Normal)
    if (-not (Test-Same (Get-Sha256 $copy) $Sha256)) { Stop-Changed $Path }
    $copy
}
