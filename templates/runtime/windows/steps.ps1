# Prints one line per step, keeps the log, and ends the run with an exit code.

$script:Steps = @()           # the names of this run's steps
$script:Step = ''             # the current step
$script:StepStarted = $null
$script:Record = @()          # the finished steps as JSON, for the receipt
$script:LogFile = ''          # empty until a run that changes something has opened its log
$script:LogStream = $null     # the log is written through it, and never opened by name again
$script:ExitCode = 0
$script:Stopped = $false
$script:Message = ''          # why the run stopped, for the receipt
$script:Advice = ''           # what to do about it, where more than the exit code is known
$script:LabText = ''
if ($Lab) { $script:LabText = 'LAB' }

function Get-Moment {
    [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
}

function Get-Stamp {
    [DateTime]::UtcNow.ToString('yyyyMMddTHHmmssZ', [Globalization.CultureInfo]::InvariantCulture)
}

# No secret reaches the screen or the log, in any program's output: a password in a proxy's address, or a token.
function Add-LogLine([string]$Text) {
    if ($script:LogFile) {
        $bytes = $script:Utf8.GetBytes((Get-Moment) + ' ' + (Hide-Secrets $Text) + [Environment]::NewLine)
        $script:LogStream.Write($bytes, 0, $bytes.Length)
        $script:LogStream.Flush()
    }
}

# Shared so that it can be renamed and read while it is open.
function Open-Log([string]$File) {
    $new = Get-RandomName $File
    $share = [IO.FileShare]::Read -bor [IO.FileShare]::Delete
    $script:LogStream = New-Object System.IO.FileStream $new, ([IO.FileMode]::CreateNew), ([IO.FileAccess]::Write), $share
    Move-Over $new $File
    $script:LogFile = $File
}

# What it quotes begins no line of its own: another program's words must not look like a step of this script.
function Write-Line([string]$Text) {
    $Text = (Hide-Controls (Hide-Secrets $Text)) -creplace '[\r\n]+', ' '
    Write-Host $Text
    Add-LogLine $Text
}

function Start-Step([string]$Name) {
    $script:Step = $Name
    $script:StepStarted = [DateTime]::UtcNow
    Add-LogLine ('== ' + $Name)
}

# Prints the step's line, and adds it to the receipt.
function Complete-Step([string]$Outcome, [string]$Message, [int]$Code = 0) {
    $colors = @{ ok = 'Green'; skip = 'Cyan'; would = 'Yellow'; warn = 'Yellow'; FAIL = 'Red' }
    # What it quotes begins no line of its own.
    $Message = (Hide-Controls (Hide-Secrets $Message)) -creplace '[\r\n]+', ' '
    $position = [Array]::IndexOf($script:Steps, $script:Step) + 1
    Write-Host ('[{0}/{1}] {2,-10}  ' -f $position, $script:Steps.Count, $script:Step) -NoNewline
    if ($env:NO_COLOR) {
        Write-Host ('{0,-5}' -f $Outcome) -NoNewline
    } else {
        Write-Host ('{0,-5}' -f $Outcome) -NoNewline -ForegroundColor $colors[$Outcome]
    }
    Write-Host ('  ' + $Message)
    Add-LogLine ($script:Step + ': ' + $Outcome + ': ' + $Message)
    $seconds = [Math]::Max(0, [int]([DateTime]::UtcNow - $script:StepStarted).TotalSeconds)
    $words = @{ ok = 'ok'; skip = 'skipped'; would = 'would'; warn = 'warned'; FAIL = 'failed' }
    $script:Record += '    {"name": ' + (ConvertTo-JsonText $script:Step) + ', "outcome": ' + (ConvertTo-JsonText $words[$Outcome]) +
        ', "seconds": ' + $seconds + ', "code": ' + $Code + ', "message": ' + (ConvertTo-JsonText $Message) + '}'
    $script:Step = ''
    Save-Progress
}

function Show-Explanation([int]$Code) {
    $text = 'Stopped with exit code ' + $Code
    if ($Codes.ContainsKey($Code)) { $text += ': ' + $Codes[$Code][0] + '.' }
    Write-Host $text
    if ($script:Advice) {
        Write-Host ('  -> ' + (Hide-Controls (Hide-Secrets $script:Advice)))
    } elseif ($Codes.ContainsKey($Code)) {
        Write-Host ('  -> ' + $Codes[$Code][1])
    }
    if ($script:LogFile) { Write-Host ('  Log: ' + $script:LogFile) }
}

# Ends the script: the exception runs every finally block on the way to the exit statement.
function Stop-Here([int]$Code, [string]$Message) {
    if ($script:Step) { Complete-Step -Outcome 'FAIL' -Message $Message -Code $Code } else { Write-Line $Message }
    $script:ExitCode = $Code
    $script:Message = $Message
    $script:Stopped = $true
    Show-Explanation $Code
    throw 'stopped'
}

# The end of a failed command's output, so that the log need not be opened for it. A CR alone would overwrite its line on screen.
function Show-End([string]$Text) {
    $lines = @((Hide-Controls (Hide-Secrets $Text)) -csplit "[`r`n]+" | Where-Object { $_.Trim() })
    $lines | Select-Object -Last 12 | ForEach-Object { Write-Host ('        | ' + $_) }
}
