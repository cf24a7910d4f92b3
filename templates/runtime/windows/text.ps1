# Compares text by its code units. PowerShell's own operators follow the machine's culture, for which a soft hyphen is nothing,
# and a Turkish I another letter than an English one.

$script:AnyCase = [Text.RegularExpressions.RegexOptions]'IgnoreCase, CultureInvariant'
$script:OwnCase = [Text.RegularExpressions.RegexOptions]'CultureInvariant'
$script:OverLines = [Text.RegularExpressions.RegexOptions]'CultureInvariant, Singleline'
# Keeps each byte in any code page: Latin-1 has a character for each byte.
$script:Latin = [Text.Encoding]::GetEncoding(28591)
$script:Utf8 = New-Object System.Text.UTF8Encoding $false

function Test-Same([string]$Left, [string]$Right) { [string]::Equals($Left, $Right, [StringComparison]::Ordinal) }

# As Windows and DNS compare names.
function Test-SameAnyCase([string]$Left, [string]$Right) { [string]::Equals($Left, $Right, [StringComparison]::OrdinalIgnoreCase) }

function Test-OneOf([string]$Text, [string[]]$List) {
    foreach ($one in $List) { if ([string]::Equals($Text, $one, [StringComparison]::Ordinal)) { return $true } }
    $false
}

function Test-OneOfAnyCase([string]$Text, [string[]]$List) {
    foreach ($one in $List) { if ([string]::Equals($Text, $one, [StringComparison]::OrdinalIgnoreCase)) { return $true } }
    $false
}

function Test-Pattern([string]$Text, [string]$Pattern) { [regex]::IsMatch($Text, $Pattern, $AnyCase) }

# A table that compares its keys by their code units; in Windows PowerShell a @{} compares them by the culture.
function New-Table { New-Object System.Collections.Hashtable ([StringComparer]::Ordinal) }

# What begins a line or turns the order of letters: the separators, and Bidi_Control (Unicode Standard Annex 9).
$script:Marks = '\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069'

# Text of unknown origin on a screen: in one line, and nothing in it steers a terminal.
function Get-Printable([string]$Text) { [regex]::Replace($Text, ('[\x00-\x1f\x7f-\x9f' + $Marks + ']'), '?') }

# Sorted by code units; empty for an empty list.
function Get-Sorted([string[]]$List) {
    $sorted = [string[]]@($List)
    [Array]::Sort($sorted, [StringComparer]::Ordinal)
    $sorted
}
