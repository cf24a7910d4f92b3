# Writes, replaces and removes files.

# The whole file or none of it, also at a power failure. Created in its folder under a random name, where no other user can have
# put a link, and written through one stream.
function Save-Whole([string]$File, [string]$Text) { Save-WholeBytes -File $File -Bytes ($script:Utf8.GetBytes($Text)) }

function Save-WholeBytes([string]$File, [byte[]]$Bytes) {
    $new = Get-RandomName $File
    try {
        Write-NewFile -File $new -Bytes $Bytes
        Move-Over $new $File
    } catch { [IO.File]::Delete($new); throw }
}

function Get-RandomName([string]$File) { $File + '.' + [Guid]::NewGuid().ToString('N') + '.part' }

# A link of that name is removed, not its target.
function Remove-Link([string]$File) {
    try { $attributes = [IO.File]::GetAttributes($File) } catch { return }
    if (-not ($attributes -band [IO.FileAttributes]::ReparsePoint)) { return }
    if ($attributes -band [IO.FileAttributes]::Directory) { [IO.Directory]::Delete($File) } else { [IO.File]::Delete($File) }
}

function Move-Over([string]$From, [string]$To) {
    Remove-Link $To
    Invoke-WithRetry {
        # Replace keeps the rights of the old file.
        if ([IO.File]::Exists($To)) { [IO.File]::Replace($From, $To, [NullString]::Value) } else { [IO.File]::Move($From, $To) }
    }
}

# Virus scanners and indexers open new files, and lock them for a moment.
function Invoke-WithRetry([scriptblock]$Action) {
    for ($try = 1; ; $try++) {
        try { return (& $Action) } catch { if ($try -ge 6) { throw } }
        Start-Sleep -Milliseconds 200
    }
}

function Write-NewFile([string]$File, [byte[]]$Bytes) {
    $stream = New-Object System.IO.FileStream $File, ([IO.FileMode]::CreateNew), ([IO.FileAccess]::Write), ([IO.FileShare]::None)
    try {
        $stream.Write($Bytes, 0, $Bytes.Length)
        $stream.Flush($true)
    } finally { $stream.Dispose() }
}

# Overwritten, then removed. On most disks that helps little; it costs nothing.
function Remove-Overwritten([string]$File) {
    if (-not [IO.File]::Exists($File)) { return }
    try {
        # A copy from a disc may be read-only.
        [IO.File]::SetAttributes($File, [IO.FileAttributes]::Normal)
        $stream = Invoke-WithRetry { New-Object System.IO.FileStream $File, ([IO.FileMode]::Open), ([IO.FileAccess]::Write), ([IO.FileShare]::None) }
        try {
            $blank = New-Object byte[] ([int]$stream.Length)
            $stream.Write($blank, 0, $blank.Length)
            $stream.Flush($true)
        } finally { $stream.Dispose() }
    } catch { Add-LogLine ('not overwritten: ' + $File) }
    try { Invoke-WithRetry { [IO.File]::Delete($File) } } catch { Add-LogLine ('left behind: ' + $File) }
}
