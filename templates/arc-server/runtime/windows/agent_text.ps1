# Reads what azcmagent prints, in every form that is documented or was seen: JSON, or lines of "Label : value".

# Keys are compared without letter case, blanks, "_", "-", "." and "(preview)": "Agent Status" is agentStatus.
function Get-FoldedKey([string]$Key) { [regex]::Replace($Key, '\(preview\)|[\s_.-]', '', $AnyCase).ToLowerInvariant() }

# Without colours, zeros (UTF-16), byte order marks and the CR of Windows' line ends.
function Get-PlainAnswer([string]$Text) {
    $plain = [regex]::Replace($Text, '\x1b\[[0-9;?]*[A-Za-z]|\x00|\r+(?=\n)', '', $OwnCase)
    $plain.TrimStart([char]0xfeff, [char]0xfffd)
}

# Without blanks and a pair of quotes around it.
function Get-Bare([string]$Text) {
    $bare = $Text.Trim()
    if ($bare -cmatch '^(["''])[\s\S]*\1\z') {
        $bare = $bare.Substring(1, $bare.Length - 2).Trim()
    }
    $bare
}

# What stands for "not said". An empty text is an answer, and so are words for nothing.
$script:Unsaid = @('null', '<nil>', '<null>')
$script:Nothing = @('none', 'n/a', 'unknown', 'not used', 'not set', '[]')

# The first that is said under a key counts: two keys may differ in letter case alone.
function Add-Fact($Facts, [string]$Key, [string]$Text) {
    $folded = Get-FoldedKey $Key
    $bare = Get-Bare $Text
    if (-not $Facts.ContainsKey($folded) -and -not (Test-OneOfAnyCase $bare $Unsaid)) { $Facts[$folded] = $bare }
}

# The values of an object that are texts, numbers, true or false.
function Get-ObjectFacts($Value) {
    $facts = New-Table
    for ($at = 0; $at -lt $Value.Names.Count; $at++) {
        if (Test-OneOf $Value.Values[$at].Kind @('text', 'word')) { Add-Fact -Facts $facts -Key $Value.Names[$at] -Text $Value.Values[$at].Text }
    }
    $facts
}

# What is in one object or in a list of one.
function Get-Wrapped($Value) {
    if ($Value.Values.Count -eq 1) { return $Value.Values[0] }
    foreach ($name in @('result', 'agent', 'data')) {
        $found = Get-JsonValue $Value $name
        if ($null -ne $found) { return $found }
    }
    $null
}

# The facts of an object with one of $Keys; of the one inside it where it has none. Nothing where there is none.
function Get-JsonFacts($Value, [string[]]$Keys) {
    for ($depth = 0; $depth -lt 3 -and $null -ne $Value; $depth++) {
        if (Test-Same $Value.Kind 'object') {
            $facts = Get-ObjectFacts $Value
            foreach ($key in $Keys) { if ($facts.ContainsKey($key)) { return $facts } }
        } elseif (-not (Test-Same $Value.Kind 'list')) { break }
        $Value = Get-Wrapped $Value
    }
    $null
}

# "Label : value" lines; nothing where none has one of $Keys as its label.
function Get-LabelFacts([string]$Text, [string[]]$Keys) {
    $facts = New-Table
    foreach ($line in [regex]::Matches($Text, '(?m)^[ \t]*([A-Za-z][A-Za-z0-9 ()_./-]*?)[ \t]*:(?!//)[ \t]*(.*?)[ \t]*$', $OwnCase)) {
        Add-Fact -Facts $facts -Key $line.Groups[1].Value -Text $line.Groups[2].Value
    }
    foreach ($key in $Keys) { if ($facts.ContainsKey($key)) { return $facts } }
    $null
}

# What a program says, by folded keys; nothing where it is not understood.
function Read-Facts([string]$Output, [string[]]$Keys) {
    $plain = Get-PlainAnswer $Output
    # Log lines before it may be JSON themselves.
    foreach ($value in @(Read-JsonAnswers $plain)) {
        $facts = Get-JsonFacts $value $Keys
        if ($null -ne $facts) { return $facts }
    }
    Get-LabelFacts $plain $Keys
}

# The first of these keys that is said; nothing where none is.
function Get-Fact($Facts, [string[]]$Keys) {
    if ($null -eq $Facts) { return $null }
    foreach ($key in $Keys) { if ($Facts.ContainsKey($key)) { return $Facts[$key] } }
    $null
}

# The same as text; empty for a word that stands for nothing.
function Get-FactText($Facts, [string[]]$Keys) {
    $text = [string](Get-Fact $Facts $Keys)
    if (Test-OneOfAnyCase $text $Nothing) { return '' }
    $text
}

# true and false as versions write them; nothing where it is neither.
function Read-Switch($Text) {
    $bare = Get-Bare ([string]$Text)
    if (Test-OneOfAnyCase $bare @('true', 'yes', '1', 'ok', 'reachable')) { return $true }
    if (Test-OneOfAnyCase $bare @('false', 'no', '0', 'failed', 'unreachable', 'not reachable')) { return $false }
    $null
}

# An address for comparison: its scheme, host and port. localhost is 127.0.0.1; the default port may be missing.
function Get-ProxyForm([string]$Address) {
    $form = (Get-Bare $Address).ToLowerInvariant()
    if (-not $form) { return '' }
    if ($form -cnotmatch '^[a-z]+://') { $form = 'http' + '://' + $form }
    $form = [regex]::Replace($form, '^([a-z]+://)[^/@]*@', '$1', $OwnCase)
    $form = [regex]::Replace($form, '^([a-z]+://[^/?#]*).*$', '$1', $OverLines)
    $form = [regex]::Replace($form, '^([a-z]+://)(localhost|\[(?:::1|0:0:0:0:0:0:0:1)\]|::1)\.?(?=:\d+$|$)', '${1}127.0.0.1', $OwnCase)
    $form = [regex]::Replace($form, '\.(?=:\d+$|$)', '', $OwnCase)
    if ($form.StartsWith('https:', [StringComparison]::Ordinal)) { return ($form -creplace ':443$', '') }
    $form -creplace ':80$', ''
}
