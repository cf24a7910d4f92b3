# Keeps secrets and terminal control characters off the screen and out of log and receipt.
#
# No text that may hold a secret is given to a cmdlet: a policy (module logging, event 4103) has that written into the event log.

$script:HeldValues = @()      # the secrets that this run has read
$script:Held = @()            # the expressions that find them
$script:HeldWords = @()       # and those of values that are hidden only as a whole word
$script:MatchLimit = [TimeSpan]::FromSeconds(60)
$script:LeftOut = '*** (left out: it could not be searched for secrets)'
$script:ShapeNeedles = $null

function New-Expression([string]$Pattern, $Options) {
    # Not by New-Object: see above.
    [Activator]::CreateInstance([regex], [object[]]@($Pattern, $Options, $MatchLimit))
}

# What steers a terminal (ECMA-48) may stand within a secret that is shown in colours.
$script:Colours = New-Expression '\x1b\[[0-9;?]*[ -/]*[@-~]' $OwnCase
# Of this many no spelling needs more; a longer run would take time without end.
$script:Backslashes = New-Expression '\\{33,}' $OwnCase

# From now on the value is hidden in all that this run shows or writes, in every spelling.
function Add-Secret([string]$Value) {
    if (-not $Value.Trim() -or (Test-OneOf $Value $script:HeldValues)) { return }
    $script:HeldValues += $Value
    $explicit = $OwnCase -bor [Text.RegularExpressions.RegexOptions]::ExplicitCapture
    $short = $false
    foreach ($part in @(Get-SecretParts $Value)) { if ((Get-CharacterCount $part) -lt $SecretForms.WholeWord) { $short = $true } }
    foreach ($pattern in @(Get-SecretPatterns $Value)) {
        if ($short) {
            # Letters are ASCII's here, as its bytes are.
            $script:HeldWords += New-Expression $pattern ([Text.RegularExpressions.RegexOptions]::ECMAScript)
        } else {
            $script:Held += New-Expression $pattern $explicit
        }
    }
}

# Whether a secret is hidden only where it stands alone.
function Test-ShortSecret { $script:HeldWords.Count -gt 0 }

# Bytes as Latin-1 text, without what may stand between the letters of a secret: zeros (UTF-16) and colours.
function Get-Searchable([string]$Bytes) {
    $text = $Bytes.Replace([string][char]0, '')
    if ($text.IndexOf([char]27) -ge 0) { $text = $Colours.Replace($text, '') }
    if ($text.IndexOf([char]92) -ge 0) { $text = $Backslashes.Replace($text, ('\' * 32)) }
    $text
}

# The same text with *** for each secret. $Expressions are tried in turn.
function Hide-Matches([string]$Text, $Expressions) {
    try {
        foreach ($one in $Expressions) { $Text = $one.Replace($Text, '***') }
        $Text
    } catch { $LeftOut }
}

# Secrets by their value, in bytes as Latin-1 text.
function Hide-HeldBytes([string]$Bytes) { Hide-Matches (Get-Searchable $Bytes) ($script:Held + $script:HeldWords) }

function ConvertTo-Bytes([string]$Text) { $Latin.GetString($Utf8.GetBytes($Text)) }

# What the bytes say in UTF-8.
function ConvertTo-Text([string]$Bytes) { $Utf8.GetString($Latin.GetBytes($Bytes)).TrimStart([char]0xfeff) }

function Hide-Bytes([string]$Bytes) { ConvertTo-Text (Hide-HeldBytes $Bytes) }

# Without short secrets, which may be ordinary words.
function Hide-LongValues([string]$Bytes) { ConvertTo-Text (Hide-Matches (Get-Searchable $Bytes) $script:Held) }

# What looks like a secret or an address with a password, in bytes as Latin-1 text.
function Hide-Shapes([string]$Bytes) {
    if ($null -eq $script:ShapeNeedles) {
        $script:ShapeNeedles = @()
        foreach ($shape in $SecretShapes) {
            $script:ShapeNeedles += , @((New-Expression $shape[0].Replace('@N', $SecretNames) $shape[2]), $shape[1])
        }
    }
    try {
        foreach ($shape in $script:ShapeNeedles) { $Bytes = $shape[0].Replace($Bytes, $shape[1]) }
        $Bytes
    } catch { $LeftOut }
}

function Hide-SecretBytes([string]$Bytes) { ConvertTo-Text (Hide-Shapes (Hide-HeldBytes $Bytes)) }

# Everything that this run shows or writes passes here.
function Hide-Secrets([string]$Text) { Hide-SecretBytes (ConvertTo-Bytes $Text) }

# Whether bytes as Latin-1 text hold a secret.
function Test-Held([string]$Bytes) {
    $text = Get-Searchable $Bytes
    foreach ($one in $script:Held + $script:HeldWords) { if ($one.IsMatch($text)) { return $true } }
    $false
}

# What a proxy, a server or a program answers may hold what steers a terminal (ECMA-48).
function Hide-Controls([string]$Text) { [regex]::Replace($Text, ('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f' + $Marks + ']'), '?') }
