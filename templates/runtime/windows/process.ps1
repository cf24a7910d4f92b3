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

# Starts reading one stream of a program; its bytes are in Held when Task has ended.
function Start-Reading($Reader) {
    $held = New-Object System.IO.MemoryStream
    @{ Held = $held; Task = $Reader.BaseStream.CopyToAsync($held) }
}

# What was read, as Latin-1 text: a character a byte.
function Get-BytesRead($Reading) {
    [void]$Reading.Task.Wait()
    $Latin.GetString($Reading.Held.ToArray())
}

# Runs a program and returns its Code, its Text (both streams) and its Output (standard output alone), both without the values of
# secrets; Output is for the script to read, so that short ones remain in it. With -Visible it uses the console itself, and Text
# stays empty; otherwise its standard input is empty, so that it cannot ask.
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
            $problems = Start-Reading $process.StandardError
            $said = Get-BytesRead (Start-Reading $process.StandardOutput)
            $output = Hide-LongValues $said
            $text = Hide-Bytes ($said + (Get-BytesRead $problems))
        }
        $process.WaitForExit()
        $code = $process.ExitCode
    } finally {
        $process.Dispose()
    }
    if ($text) { Add-LogLine $text.TrimEnd() }
    New-Object PSObject -Property @{ Code = $code; Text = $text; Output = $output }
}
