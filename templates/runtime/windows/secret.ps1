# Reads the secret: from a file, standard input, the environment, the bundle or a prompt.

$script:Secret = ''
$script:SecretEmbedded = $false   # whether it was taken from the bundle
# Only where it was asked for: otherwise a pipe that stays open would block this script for ever.
$script:PipedLines = @()
if ($SecretStdin -or $PassphraseStdin) { $script:PipedLines = @($input) }

# Out of the environment at once, before the first child is started.
$script:SecretFromEnvironment = [Environment]::GetEnvironmentVariable('ARC_BUNDLER_SECRET')
if (Test-Path -LiteralPath 'Env:\ARC_BUNDLER_SECRET') { Remove-Item -LiteralPath 'Env:\ARC_BUNDLER_SECRET' }
Add-Secret $script:SecretFromEnvironment

# Everything from standard input, or from a PowerShell pipe. powershell.exe -File reads its standard input itself and passes the
# lines on; where it does not, they are read here.
function Read-StandardInput {
    if ($script:PipedLines.Count -gt 0) { return $script:PipedLines -join "`r`n" }
    $reader = New-Object System.IO.StreamReader ([Console]::OpenStandardInput()), $script:Utf8, $true
    $reader.ReadToEnd()
}

function Test-Prompt {
    if (-not [Environment]::UserInteractive -or [Console]::IsInputRedirected) { return $false }
    # powershell.exe -NonInteractive: Read-Host would end with an error.
    @([Environment]::GetCommandLineArgs() | Where-Object { Test-Pattern $_ '^[-/]noni' }).Count -eq 0
}

function Test-Embedded { $EmbeddedSecret -and [IO.File]::Exists((Get-BundlePath $EmbeddedSecret)) }

function Get-SecretSource {
    if ($Envelope) { return 'the envelope ' + $Envelope }
    if ($SecretFile) { return 'the file ' + $SecretFile }
    if ($SecretStdin) { return 'standard input' }
    if ($script:SecretFromEnvironment) { return 'ARC_BUNDLER_SECRET' }
    if (Test-Embedded) { return 'the bundle' }
    if (Test-Prompt) { return 'a prompt' }
    ''
}

# A file that is not there is not named: its name may be the secret itself.
function Get-MissingText([string]$What, [string]$Switch) {
    $What + ' does not exist: give the path of a file with ' + $Switch + ' (what was given is not shown: it may be the secret)'
}

function Get-UnreadableText([string]$What, [string]$Switch, [string]$Given) {
    if ([IO.File]::Exists((Get-FullPath $Given))) { return $What + ' ' + $Given + ' cannot be read' }
    Get-MissingText $What $Switch
}

function Read-SecretText([string]$Name) {
    if ($SecretFile) {
        $path = Get-FullPath $SecretFile
        # Reads a byte order mark: PowerShell 5.1's ">" writes UTF-16.
        try { return [IO.File]::ReadAllText($path) } catch {
            Stop-Here 203 (Get-UnreadableText -What 'the secret''s file' -Switch '-SecretFile' -Given $SecretFile)
        }
    }
    if ($SecretStdin) { return Read-StandardInput }
    if ($script:SecretFromEnvironment) { return $script:SecretFromEnvironment }
    if (Test-Embedded) {
        $script:SecretEmbedded = $true
        try {
            $held = Read-Checked $EmbeddedSecret ([string]$script:ListedSums[$EmbeddedSecret])
            return $script:Utf8.GetString($held).TrimStart([char]0xfeff)
        } catch {
            if ($script:Stopped) { throw }
            Stop-Here 203 ('the secret''s file ' + $EmbeddedSecret + ' cannot be read')
        }
    }
    $secure = Read-Host -AsSecureString ($Name + ' (not shown)')
    (New-Object System.Management.Automation.PSCredential 'x', $secure).GetNetworkCredential().Password
}

# One line, without its line end.
function Get-Secret([string]$Name) {
    $text = [string](Read-SecretText $Name)
    $script:SecretFromEnvironment = ''
    Add-Secret $text
    $text = $text -creplace '\r?\n\z', ''
    Confirm-Secret $text
    $text
}

# After a secret was read. Elsewhere a short one would hide ordinary words.
function Show-ShortSecret {
    if (Test-ShortSecret) {
        Add-Warning ('a secret of under 6 characters is left out of the log only where it stands as a word of its own: ' +
            'use a longer one')
    }
}

function Confirm-Secret([string]$Text) {
    if (-not $Text) { Stop-Here 203 'the secret is empty' }
    if ($Text -cmatch '[\r\n]') { Stop-Here 203 'the secret has more than one line' }
    if ($Text -cmatch '[\x00-\x1f\x7f]') { Stop-Here 203 'the secret holds a control character' }
}
