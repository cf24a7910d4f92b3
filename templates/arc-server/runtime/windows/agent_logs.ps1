# Whether the agent has just written the secret to one of its own logs: these outlive this run.

$script:LogSizes = $null      # by path: bytes before the agent got the secret
$script:ToldLogs = @()        # those that hold it

# No link is followed.
function Get-AgentLogs {
    foreach ($place in @(@('AzureConnectedMachineAgent', 'Log'), @('GuestConfig', 'arc_policy_logs'), @('GuestConfig', 'ext_mgr_logs'))) {
        $folder = [IO.Path]::Combine([string]$env:ProgramData, $place[0], $place[1])
        if (-not [IO.Directory]::Exists($folder)) { continue }
        foreach ($file in [IO.Directory]::GetFiles($folder)) {
            if (-not ([IO.File]::GetAttributes($file) -band [IO.FileAttributes]::ReparsePoint)) { $file }
        }
    }
}

function Open-AgentLog([string]$File) {
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    New-Object System.IO.FileStream $File, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), $share
}

# Their sizes now, once a run.
function Save-LogSizes {
    if ($null -ne $script:LogSizes) { return }
    $script:LogSizes = New-Object System.Collections.Hashtable ([StringComparer]::OrdinalIgnoreCase)
    foreach ($file in @(Get-AgentLogs)) {
        try {
            $stream = Open-AgentLog $file
            $script:LogSizes[$file] = $stream.Length
            $stream.Dispose()
        } catch { Add-LogLine ($file + ' cannot be read: ' + (Get-Reason $_.Exception)) }
    }
}

# Whether what came since holds a secret; a file that is new, or shorter than it was, is searched from its beginning.
function Test-AgentLog([string]$File) {
    $stream = Open-AgentLog $File
    try {
        if ($script:LogSizes.ContainsKey($File) -and $script:LogSizes[$File] -le $stream.Length) {
            [void]$stream.Seek($script:LogSizes[$File], [IO.SeekOrigin]::Begin)
        }
        $bytes = New-Object byte[] 4194304
        $before = ''
        while (($got = $stream.Read($bytes, 0, $bytes.Length)) -gt 0) {
            $text = $before + $Latin.GetString($bytes, 0, $got)
            if (Test-Held $text) { return $true }
            # A secret may be in two pieces.
            $before = $text.Substring([Math]::Max(0, $text.Length - 65536))
        }
        $false
    } finally { $stream.Dispose() }
}

# After a program had the secret: each log that holds it is a warning.
function Find-ToldLogs {
    $script:ToldLogs = @()
    if ($script:HeldValues.Count -eq 0 -or $null -eq $script:LogSizes) { return }
    foreach ($file in @(Get-AgentLogs)) {
        try { if (Test-AgentLog $file) { $script:ToldLogs += $file } } catch {
            Add-LogLine ($file + ' cannot be read: ' + (Get-Reason $_.Exception))
        }
    }
    foreach ($file in $script:ToldLogs) {
        Add-Warning ('the agent''s log ' + $file + ' holds the secret: change the secret, and clean that file')
    }
}

# For the step's message; empty where no log holds it.
function Get-ToldText {
    if ($script:ToldLogs.Count -eq 0) { return '' }
    $text = '; the agent''s log ' + $script:ToldLogs[0] + ' holds the secret: change it'
    if ($script:ToldLogs.Count -gt 1) { $text += ' (and ' + ($script:ToldLogs.Count - 1) + ' more)' }
    $text
}

# How the step ends that gave the secret to the agent.
function Complete-ToldStep([string]$Text) {
    $outcome = 'ok'
    if ($script:ToldLogs.Count -gt 0) { $outcome = 'warn' }
    Complete-Step $outcome ($Text + (Get-ToldText))
}
