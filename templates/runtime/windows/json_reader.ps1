# Reads JSON the same way in every version of PowerShell. ConvertFrom-Json of Windows PowerShell 5.1 throws where two keys
# differ in letter case alone, and turns texts into dates; the one of 4.0 has a limit of size.
#
# A value is a table: Kind (object, list, text or word) with Names and Values, or Text. Numbers stay as they are written.

$script:JsonToken = New-Object regex ('\G[ \t\r\n]*(?:([{}\[\]:,])|"((?:[^"\\]|\\.)*)"|' +
    '(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)(?![A-Za-z0-9_.+-]))'), $OverLines
$script:JsonDeepest = 64
$script:JsonText = ''
$script:JsonAt = 0

# The next token: its sign, or a value of one piece. Whatever is no JSON ends the reading.
function Step-Json {
    $found = $JsonToken.Match($script:JsonText, $script:JsonAt)
    if (-not $found.Success) { throw 'no JSON' }
    $script:JsonAt = $found.Index + $found.Length
    if ($found.Groups[1].Success) { return @{ Kind = $found.Groups[1].Value; Text = '' } }
    if ($found.Groups[2].Success) { return @{ Kind = 'text'; Text = (Get-Unescaped $found.Groups[2].Value) } }
    @{ Kind = 'word'; Text = $found.Groups[3].Value }
}

# RFC 8259, section 7. A pair of surrogates is two escapes, which .NET's text holds as they are.
function Get-Unescaped([string]$Text) {
    if ($Text.IndexOf([char]92) -lt 0) { return $Text }
    [regex]::Replace($Text, '\\(?:u([0-9A-Fa-f]{4})|(.))', {
            param($found)
            if ($found.Groups[1].Success) { return [string][char][Convert]::ToInt32($found.Groups[1].Value, 16) }
            $letter = $found.Groups[2].Value
            $known = 'bfnrt'.IndexOf($letter, [StringComparison]::Ordinal)
            if ($known -lt 0) { return $letter }
            [string][char](8, 12, 10, 13, 9)[$known]
        }, $OverLines)
}

# The value that begins with a token. Names and Values are lists of .NET, which PowerShell does not take apart.
function Read-JsonValue($Token, [int]$Depth) {
    if (Test-OneOf $Token.Kind @('text', 'word')) { return $Token }
    $object = Test-Same $Token.Kind '{'
    if ($Depth -ge $JsonDeepest -or -not ($object -or (Test-Same $Token.Kind '['))) { throw 'no JSON' }
    $kind, $end = 'list', ']'
    if ($object) { $kind, $end = 'object', '}' }
    $value = @{ Kind = $kind; Text = ''; Names = New-Object System.Collections.ArrayList; Values = New-Object System.Collections.ArrayList }
    $next = Step-Json
    while (-not (Test-Same $next.Kind $end)) {
        if ($object) {
            if (-not (Test-Same $next.Kind 'text') -or -not (Test-Same (Step-Json).Kind ':')) { throw 'no JSON' }
            [void]$value.Names.Add($next.Text)
            $next = Step-Json
        }
        [void]$value.Values.Add((Read-JsonValue $next ($Depth + 1)))
        $next = Step-Json
        if (Test-Same $next.Kind ',') { $next = Step-Json } elseif (-not (Test-Same $next.Kind $end)) { throw 'no JSON' }
    }
    $value
}

# Every object and list that begins a line of a program's answer, whatever lines are before, between and after them. A part of one
# that is cut short is not taken for the whole: then there are none.
function Read-JsonAnswers([string]$Text) {
    $script:JsonText = $Text
    $script:JsonAt = 0
    $answers = @()
    $start = New-Object regex '(?m)^[ \t]*(?=[{\[])', $OwnCase
    while (($found = $start.Match($script:JsonText, $script:JsonAt)).Success) {
        $script:JsonAt = $found.Index
        try { $value = Read-JsonValue (Step-Json) 0 } catch { $value = $null }
        $rest = $script:JsonText.Substring($script:JsonAt).TrimStart()
        if ($null -eq $value) {
            if (-not $rest) { return @() }
            $end = $script:JsonText.IndexOf("`n", $found.Index, [StringComparison]::Ordinal)
            if ($end -lt 0) { break }
            $script:JsonAt = $end + 1
        } elseif ($rest -cmatch '^[,:}\]]') {
            continue
        } else {
            $answers += $value
        }
    }
    $answers
}

# The value of a key, whatever the case of its letters; nothing where there is none. Of several the first decides.
function Get-JsonValue($Value, [string]$Name) {
    if ($null -eq $Value -or -not (Test-Same $Value.Kind 'object')) { return $null }
    for ($at = 0; $at -lt $Value.Names.Count; $at++) {
        if (Test-SameAnyCase $Value.Names[$at] $Name) { return $Value.Values[$at] }
    }
    $null
}

# Its text without padding; empty for null, an object, a list, and where there is no such key.
function Get-JsonText($Value, [string]$Name) {
    $found = Get-JsonValue $Value $Name
    if ($null -eq $found -or ((Test-Same $found.Kind 'word') -and (Test-Same $found.Text 'null'))) { return '' }
    $found.Text.Trim()
}
