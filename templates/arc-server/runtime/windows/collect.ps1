# -CollectLogs: packs logs and receipts into a zip file, without secrets.

$script:CollectLimit = 8388608       # bytes of one file, from its end

# As bytes, a character of Latin-1 each.
function Read-LogEnd([string]$File) {
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    $stream = New-Object System.IO.FileStream $File, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), $share
    try {
        $wide = $stream.ReadByte() -eq 0xff -and $stream.ReadByte() -eq 0xfe
        $from = [Math]::Max([long]0, $stream.Length - $CollectLimit)
        # UTF-16 (Windows Installer's logs) has two bytes a letter.
        [void]$stream.Seek(($from - $from % 2), [IO.SeekOrigin]::Begin)
        $held = New-Object System.IO.MemoryStream
        $stream.CopyTo($held)
        $text = $Latin.GetString($held.ToArray())
        if ($wide) { $text = ConvertTo-Bytes ([Text.Encoding]::Unicode.GetString($held.ToArray())) }
        # Not half a line: it may be half a secret.
        if ($from -gt 0) { $text = $text.Substring($text.IndexOf([char]10) + 1) }
        $text
    } finally { $stream.Dispose() }
}

function Get-LogFiles {
    $data = [string]$env:ProgramData
    foreach ($place in @(
        @('agent', 'AzureConnectedMachineAgent', 'Log'), @('guest-configuration', 'GuestConfig', 'arc_policy_logs'),
        @('extensions', 'GuestConfig', 'ext_mgr_logs'), @('extension-logs', 'GuestConfig', 'extension_logs'), @('arc-bundler', 'arc-bundler')
    )) {
        $folder = $data
        foreach ($part in @($place | Select-Object -Skip 1)) { $folder = Join-Path $folder $part }
        if (-not (Test-Path -LiteralPath $folder -PathType Container)) { continue }
        foreach ($file in @(Get-ChildItem -LiteralPath $folder -Recurse -ErrorAction SilentlyContinue | Where-Object { -not $_.PSIsContainer })) {
            $inside = $file.FullName.Substring($folder.Length).TrimStart('\', '/').Replace('\', '/')
            if (-not (Test-Pattern $inside '\.(log|txt|json)$') -or (Test-Pattern $inside '^work-')) { continue }
            if (Test-SameAnyCase $file.FullName $script:LogFile) { continue }
            @{ File = $file.FullName; Name = $place[0] + '/' + $inside }
        }
    }
}

function Add-Entry($Archive, [string]$Name, [string]$Text) {
    Add-EntryBytes -Archive $Archive -Name $Name -Content (ConvertTo-Bytes $Text)
}

function Add-EntryBytes($Archive, [string]$Name, [string]$Content) {
    $stream = $Archive.CreateEntry($Name).Open()
    try {
        $bytes = $script:Utf8.GetBytes((Hide-SecretBytes $Content))
        $stream.Write($bytes, 0, $bytes.Length)
    } finally { $stream.Dispose() }
}

function Write-Collection($Archive) {
    $count = 0
    foreach ($file in @(Get-LogFiles)) {
        try { Add-EntryBytes -Archive $Archive -Name $file.Name -Content (Read-LogEnd $file.File) ; $count++ } catch {
            Add-LogLine ('left out: ' + $file.File + ': ' + (Get-Reason $_.Exception))
            Add-Entry -Archive $Archive -Name ($file.Name + '.unreadable') -Text (Get-Reason $_.Exception)
        }
    }
    if (Test-Path -LiteralPath $Agent -PathType Leaf) {
        foreach ($words in @(@('show'), @('config', 'list'), @('version'))) {
            Add-Entry -Archive $Archive -Name ('azcmagent-' + ($words -join '-') + '.txt') -Text (Invoke-Agent $words).Text
            $count++
        }
    }
    Test-Network -Checks $EndpointChecks -ProxyUrl $ProxyUrl -Records @{} -Scoped ([bool]$PrivateLinkScope)
    Show-Network
    $end = [Environment]::NewLine
    Add-Entry -Archive $Archive -Name 'preflight.json' -Text ('[' + $end + (Get-NetworkJson) + $end + ']' + $end)
    Add-Entry -Archive $Archive -Name 'receipt.json' -Text (Get-ReceiptText 0 'collected')
    $count + 2
}

function Step-Collect {
    Start-Step 'collect'
    Add-GivenSecret
    Add-Type -AssemblyName System.IO.Compression
    $folder = New-NamedFolder $CollectLogs
    try {
        $file = Join-Path $folder ((Get-RecordName 'arc-bundler-logs') + (Get-Stamp) + '.zip')
        $new = Get-RandomName $file
        $stream = New-Object System.IO.FileStream $new, ([IO.FileMode]::CreateNew)
    } catch { Stop-Here 202 ('nothing can be written to ' + $folder + ': ' + (Get-Reason $_.Exception)) }
    try {
        $archive = New-Object System.IO.Compression.ZipArchive $stream, ([System.IO.Compression.ZipArchiveMode]::Create)
        try { $count = Write-Collection $archive } finally { $archive.Dispose() }
    } catch {
        $stream.Dispose()
        [IO.File]::Delete($new)
        throw
    } finally { $stream.Dispose() }
    try { Move-Over $new $file } catch {
        [IO.File]::Delete($new)
        Stop-Here 202 ($file + ' cannot be written: ' + (Get-Reason $_.Exception))
    }
    Complete-Step 'ok' ([string]$count + ' files in ' + $file)
}
