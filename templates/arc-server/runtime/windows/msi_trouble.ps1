# What msiexec's own log says of an installation that ended with 1603, and what may hold an upgrade up.

# Bytes of the log's end that are read: behind the failed action follow its rollback and the table of properties.
$script:MsiLogEnd = 16777216

# By what the failed action says: the cause, and what to do. The first that matches counts.
$script:MsiCauses = @(
    , @('azcmagent\.log', 'azcmagent.log is held by another program: stop what collects logs, then run this script again')
    , @('Cannot start service|Error 1920\b|service .{0,80} failed to start|StartService',
        'a service of the agent did not start: see the event log (System), the policy "Log on as a service" and security software')
    , @('execution of scripts is disabled|ExecutionPolicy|ConstrainedLanguage|not digitally signed|AppLocker',
        'a policy keeps the installer from running PowerShell: allow it by its publisher, Microsoft Corporation')
    , @('Error 1723\b|A DLL required for this install|Error 1721\b|virus|0x800700e1',
        'security software or a policy keeps the installer''s own library from running: allow it by its publisher, Microsoft Corporation')
    , @('Error 1925\b|sufficient privileges|Error 1303\b|Access is denied|Access to the path|0x80070005|Error 1402\b|Error 1406\b',
        'access is denied: check the rights of SYSTEM and Administrators on what is named above')
    , @('Error 130[46]\b|Error 1310\b|being used by another process|0x80070020',
        'a file is in use: end the program that holds it, or restart this machine')
    , @('not enough (disk )?space|disk is full|Error 1601\b|0x80070070', 'the disk is full: make room on the system drive')
    , @('pending (reboot|restart)|Error 1604\b|MsiSystemRebootPending = 1', 'a restart of this machine is pending')
    , @('Error 1612\b|Error 1714\b|older version of .{0,80} cannot be removed|Error 1706\b',
        'the earlier version cannot be removed: its package is missing from this machine (%WINDIR%\Installer)')
)

# The log's lines: msiexec writes UTF-16 with a byte order mark, or the ANSI code page (Windows Installer, Logging Options).
function Read-MsiLines([string]$File) {
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    $stream = New-Object System.IO.FileStream $File, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), $share
    try {
        $mark = New-Object byte[] 2
        $wide = $stream.Read($mark, 0, 2) -eq 2 -and $mark[0] -eq 0xff -and $mark[1] -eq 0xfe
        $from = [Math]::Max(0, $stream.Length - $MsiLogEnd)
        # A letter has two bytes there.
        if ($wide) { $from -= $from % 2 }
        [void]$stream.Seek($from, [IO.SeekOrigin]::Begin)
        $bytes = New-Object byte[] ([int]($stream.Length - $from))
        $got = 0
        while ($got -lt $bytes.Length -and ($more = $stream.Read($bytes, $got, $bytes.Length - $got)) -gt 0) { $got += $more }
    } finally { $stream.Dispose() }
    $encoding = [Text.Encoding]::Default
    if ($wide) { $encoding = [Text.Encoding]::Unicode }
    $encoding.GetString($bytes, 0, $got).TrimStart([char]0xfeff) -csplit "\r?\n"
}

# Whether a line says that an action failed: "Action ended 13:50:58: InstallFinalize. Return value 3.". Other languages keep
# the time, the action's name and the number at the end, some with U+3002 behind it.
function Test-ReturnThree([string]$Line) {
    if ($Line.Length -gt 300) { return $false }
    if ($Line -cmatch 'Return value 3\.?\s*\z') { return $true }
    $Line -cnotmatch '\AMSI \(|=' -and $Line -cmatch '\d{1,2}[:.]\d{2}[:.]\d{2}.*[^\d\s]\D*[\s\u00a0:\uff1a]3\s*[.\u3002]?\s*\z'
}

# The lines around the first action that failed: what comes later is its rollback. Nothing where there is none.
function Get-FailedLines($Lines) {
    $held = New-Object System.Collections.Generic.List[string]
    foreach ($line in $Lines) {
        # Notes of missing tables, and blank lines, say nothing.
        if (-not $line.Trim() -or $line -cmatch 'Note: 1: (2205|2228|2262|2715|1402) ') { continue }
        $held.Add($line.TrimEnd())
        if (Test-ReturnThree $line) {
            $from = [Math]::Max(0, $held.Count - 13)
            return $held.GetRange($from, $held.Count - $from)
        }
        if ($held.Count -gt 64) { $held.RemoveAt(0) }
    }
}

function Get-MsiCause([string]$Text) {
    foreach ($cause in $MsiCauses) { if (Test-Pattern $Text $cause[0]) { return $cause[1] } }
    ''
}

# Shows what failed; returns the cause, empty where it is not known.
function Show-MsiTrouble([string]$LogFile) {
    try { $lines = @(Get-FailedLines (Read-MsiLines $LogFile)) } catch {
        Add-Note ('msiexec''s log cannot be read: ' + (Get-Reason $_.Exception))
        return ''
    }
    if ($lines.Count -eq 0) { Add-Note 'msiexec''s log has no action with "Return value 3"'; return '' }
    Write-Line '        msiexec''s log, up to the first action that failed:'
    foreach ($line in $lines) {
        $text = $line
        if ($text.Length -gt 200) { $text = $text.Substring(0, 197) + '...' }
        Write-Line ('        | ' + $text)
    }
    Get-MsiCause ($lines -join "`n")
}

function Get-AgentLogFile { [IO.Path]::Combine([string]$env:ProgramData, 'AzureConnectedMachineAgent', 'Log', 'azcmagent.log') }

# The agent's own programs that run; which one holds a file cannot be asked without a driver or a tool.
function Get-AgentProcesses {
    @(Get-Process -ErrorAction SilentlyContinue | Where-Object { Test-Pattern $_.ProcessName '\A(azcmagent|himds|arcproxy|gc_)' } |
        ForEach-Object { $_.ProcessName + ' (' + $_.Id + ')' })
}

# Upgrading from a version below 1.62 ends with 1603 where azcmagent.log is held (agent-release-notes.md, 1.62).
function Test-AgentLogFree([string]$Present) {
    if (-not $Present -or (Compare-Version $Present '1.62') -ge 0) { return }
    $file = Get-AgentLogFile
    if (-not [IO.File]::Exists($file)) { return }
    try {
        $stream = New-Object System.IO.FileStream $file, ([IO.FileMode]::Open), ([IO.FileAccess]::ReadWrite), ([IO.FileShare]::None)
        $stream.Dispose()
        return
    } catch { $why = Get-Reason $_.Exception }
    $running = @(Get-AgentProcesses)
    $text = 'upgrading from ' + $Present + ' fails (1603) while another program holds ' + $file + ' (' + $why + '): stop what collects logs'
    if ($running.Count -gt 0) { $text += '; of the agent run ' + ($running -join ', ') }
    Add-Warning $text
}
