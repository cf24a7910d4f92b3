# Writes and reads JSON the same way in every version of PowerShell.

# A JSON string in ASCII. ConvertTo-Json differs between PowerShell's versions, this does not.
function ConvertTo-JsonText([string]$Value) {
    $out = New-Object System.Text.StringBuilder
    foreach ($character in $Value.ToCharArray()) {
        $code = [int]$character
        if ($code -eq 34 -or $code -eq 92) {
            [void]$out.Append('\').Append($character)
        } elseif ($code -lt 32 -or $code -gt 126) {
            [void]$out.AppendFormat('\u{0:x4}', $code)
        } else {
            [void]$out.Append($character)
        }
    }
    '"' + $out.ToString() + '"'
}

# The text of a property whatever the case of its name; empty where there is none.
function Get-PropertyText($Value, [string]$Name) {
    if ($null -eq $Value) { return '' }
    $property = $Value.PSObject.Properties[$Name]
    if ($null -eq $property -or $null -eq $property.Value) { return '' }
    [string]$property.Value
}

function ConvertTo-JsonObject($Pairs) {
    '{' + (@($Pairs | ForEach-Object { (ConvertTo-JsonText $_[0]) + ': ' + (ConvertTo-JsonText $_[1]) }) -join ', ') + '}'
}
