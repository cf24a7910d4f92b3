# Makes the regular expressions that find a secret by its value, in every spelling that secret_forms.ps1 lists.
#
# Here is no cmdlet: a policy (module logging, event 4103) has what cmdlets are given written into the event log.

$script:Spelled = New-Object 'System.Collections.Generic.Dictionary[string,string]'
$script:StrictCount = '[\ud800-\udbff][\udc00-\udfff]'

# The characters of a text, each of which may be two UTF-16 units.
function Get-CharacterCount([string]$Text) { $Text.Length - [regex]::Matches($Text, $StrictCount, $OwnCase).Count }

function Get-Characters([string]$Text) {
    for ($at = 0; $at -lt $Text.Length; $at++) {
        if ($at + 1 -lt $Text.Length -and [char]::IsSurrogatePair($Text[$at], $Text[$at + 1])) {
            $Text.Substring($at, 2)
            $at++
        } else {
            $Text.Substring($at, 1)
        }
    }
}

# What of a value is searched for: the value, or each line of some length of several lines.
function Get-SecretParts([string]$Value) {
    $lines = @()
    foreach ($line in $Value.Split("`n")) {
        $line = $line.Trim(" `t`r".ToCharArray())
        if ($line) { $lines += $line }
    }
    if ($lines.Count -le 1) { return $lines }
    foreach ($line in $lines) {
        if ((Get-CharacterCount $line) -lt $SecretForms.Line) { continue }
        # The first and the last line of a PEM file are no secret.
        if (-not $line.StartsWith($SecretForms.Armor, [StringComparison]::Ordinal)) { $line }
    }
}

function Test-Plain([string]$Character) { $Character -cmatch '\A[0-9A-Za-z]\z' }

function Get-AnyCaseDigits([string]$Digits) {
    foreach ($digit in @('a', 'b', 'c', 'd', 'e', 'f')) { $Digits = $Digits.Replace($digit, '[' + $digit + $digit.ToUpperInvariant() + ']') }
    $Digits
}

# A way with the digits of a number (a byte, a UTF-16 unit, a code point) in the places for them.
function Get-FilledWay([string]$Way, [int]$Number) {
    $hex = [Convert]::ToString($Number, 16)
    $octal = [Convert]::ToString($Number, 8).PadLeft(3, [char]48)
    $Way = $Way.Replace('@H', (Get-AnyCaseDigits $hex.PadLeft(2, [char]48))).Replace('@O', $octal)
    $Way.Replace('@D', [Convert]::ToString($Number, 10)).Replace('@U', (Get-AnyCaseDigits $hex))
}

# One byte that stands for itself: in brackets where it could mean something.
function Get-LiteralByte([int]$Byte) {
    $character = [string][char]$Byte
    if ($Byte -ge 128 -or $Byte -eq 10 -or (Test-Plain $character)) { return $character }
    if ($character -cmatch '\A[\\^\[\]]\z') { return '\' + $character }
    '[' + $character + ']'
}

function Get-LiteralBytes([byte[]]$Bytes) {
    $text = ''
    foreach ($byte in $Bytes) { $text += Get-LiteralByte $byte }
    $text
}

# The same way for each number, one after the other.
function Get-FilledWays([string]$Way, $Numbers) {
    $text = ''
    foreach ($number in $Numbers) { $text += Get-FilledWay $Way $number }
    $text
}

# The bytes of one character outside ASCII as UTF-16 has them, without zeros.
function Get-Utf16Literals([string]$Character) {
    foreach ($encoding in @([Text.Encoding]::Unicode, [Text.Encoding]::BigEndianUnicode)) {
        $bytes = @()
        foreach ($byte in $encoding.GetBytes($Character)) { if ($byte -ne 0) { $bytes += $byte } }
        Get-LiteralBytes $bytes
    }
}

# Every spelling of one character.
function Get-Spelling([string]$Character) {
    $held = $Utf8.GetBytes($Character)
    $ways = @(Get-LiteralBytes $held)
    foreach ($way in $SecretForms.Bytes) { $ways += Get-FilledWays $way $held }
    $units = @()
    foreach ($unit in $Character.ToCharArray()) { $units += [int]$unit }
    $ways += Get-FilledWays $SecretForms.Unit $units
    $point = [char]::ConvertToUtf32($Character, 0)
    if ($units.Count -gt 1) { $ways += Get-FilledWay $SecretForms.Unit $point }
    $ways += Get-FilledWay $SecretForms.Reference $point
    if ($point -gt 127) { $ways += @(Get-Utf16Literals $Character) }
    if ($SecretForms.Named.ContainsKey($point)) { $ways += $SecretForms.Named[$point] }
    $escape = $SecretForms.Escape
    if (Test-Plain $Character) { $escape = '' }
    $escape + '(' + ($ways -join '|') + ')'
}

function Get-CachedSpelling([string]$Character) {
    if (-not $Spelled.ContainsKey($Character)) { $Spelled[$Character] = Get-Spelling $Character }
    $Spelled[$Character]
}

# The characters of base64 that the bytes alone decide, behind 0, 1 and 2 other bytes.
function Get-Base64Patterns([byte[]]$Held) {
    for ($before = 0; $before -lt 3; $before++) {
        $bytes = New-Object byte[] ($before + $Held.Length)
        $Held.CopyTo($bytes, $before)
        $text = [Convert]::ToBase64String($bytes)
        $first = [int][Math]::Ceiling($before * 8 / 6)
        $end = [int][Math]::Floor(($before + $Held.Length) * 8 / 6)
        if ($end - $first -lt $SecretForms.Base64Least) { continue }
        $ways = New-Object 'System.Collections.Generic.List[string]'
        foreach ($character in $text.Substring($first, $end - $first).ToCharArray()) {
            if ([int]$character -eq 43) {
                $ways.Add($SecretForms.Base64Plus)
            } elseif ([int]$character -eq 47) {
                $ways.Add($SecretForms.Base64Slash)
            } else { $ways.Add([string]$character) }
        }
        $ways -join $SecretForms.Gap
    }
}

function Get-PartPatterns([string]$Part, [bool]$Long) {
    $ways = New-Object 'System.Collections.Generic.List[string]'
    foreach ($character in @(Get-Characters $Part)) {
        if ($Long -and (Test-Plain $character)) { $ways.Add($character) } else { $ways.Add((Get-CachedSpelling $character)) }
    }
    if ((Get-CharacterCount $Part) -lt $SecretForms.WholeWord) {
        if (Test-Plain $Part.Substring(0, 1)) { $ways[0] = '(' + $SecretForms.Edge + $ways[0].Substring(1) }
        $last = $ways.Count - 1
        if (Test-Plain $Part.Substring($Part.Length - 1)) { $ways[$last] = $ways[$last].Insert($ways[$last].IndexOf([char]124), $SecretForms.Edge) }
        $ways -join $SecretForms.Gap
        return
    }
    $ways -join $SecretForms.Gap
    $held = $Utf8.GetBytes($Part)
    Get-Base64Patterns $held
    if ($Long) { return }
    Get-Base64Patterns ([Text.Encoding]::Unicode.GetBytes($Part))
    $hex = @()
    foreach ($byte in $held) { $hex += Get-FilledWay '@H' $byte }
    $hex -join $SecretForms.HexGap
    $held -join $SecretForms.DecimalGap
}

# The expressions that find a value, in the order in which they are tried; each is matched against bytes (see Hide-Values).
function Get-SecretPatterns([string]$Value) {
    $long = (Get-CharacterCount $Value) -ge $SecretForms.Long
    foreach ($part in @(Get-SecretParts $Value)) { Get-PartPatterns $part $long }
}
