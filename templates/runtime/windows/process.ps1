# Runs other programs.

function Get-SystemTool([string]$Name) {
    [IO.Path]::Combine([string]$env:SystemRoot, 'System32', $Name)
}

# One argument as CommandLineToArgvW reads it back. PowerShell's own passing of quotes differs between its versions.
function ConvertTo-Argument([string]$Value) {
    if ($Value -and $Value -cnotmatch '[\s"]') { return $Value }
    $text = [regex]::Replace($Value, '(\\*)"', '$1$1\"')
    $text = [regex]::Replace($text, '(\\+)$', '$1$1')
    '"' + $text + '"'
}

# Runs a program and returns its Code, its Text (both streams) and its Output (standard output alone). With -Visible it uses the
# console itself, and Text stays empty; otherwise its standard input is empty, so that it cannot ask.
function Invoke-Program([string]$Path, [string[]]$Arguments, [switch]$Visible) {
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = $Path
    $start.Arguments = (@($Arguments | ForEach-Object { ConvertTo-Argument $_ }) -join ' ')
    $start.UseShellExecute = $false
    if (-not $Visible) {
        $start.CreateNoWindow = $true
        $start.RedirectStandardInput = $true
        $start.RedirectStandardOutput = $true
        $start.RedirectStandardError = $true
        $start.StandardOutputEncoding = $script:Utf8
        $start.StandardErrorEncoding = $script:Utf8
    }
    Add-LogLine ('+ ' + $Path + ' ' + $start.Arguments)
    $process = New-Object System.Diagnostics.Process
    $process.StartInfo = $start
    $text = ''
    $output = ''
    try {
        [void]$process.Start()
        if (-not $Visible) {
            $process.StandardInput.Close()
            # Both streams at once: a program that fills one while the other is read would wait for ever.
            $problems = $process.StandardError.ReadToEndAsync()
            $output = $process.StandardOutput.ReadToEnd()
            $text = $output + $problems.Result
        }
        $process.WaitForExit()
        $code = $process.ExitCode
    } finally {
        $process.Dispose()
    }
    if ($text) { Add-LogLine $text.TrimEnd() }
    New-Object PSObject -Property @{ Code = $code; Text = $text; Output = $output }
}
