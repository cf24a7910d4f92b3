# Writes, replaces and removes files.

# The whole file or none of it, also at a power failure.
function Save-Whole([string]$File, [string]$Text) {
    [IO.File]::WriteAllText($File + '.part', $Text, $script:Utf8)
    Move-Over ($File + '.part') $File
}

function Move-Over([string]$From, [string]$To) {
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
    try { $stream.Write($Bytes, 0, $Bytes.Length) } finally { $stream.Dispose() }
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
