# Checks arguments by hand: PowerShell's own refusals repeat a value, which may be a secret in the wrong place.

# What to say of arguments that are not known. Only a name is shown, without a value that is joined to it.
function Get-UnknownText($Given) {
    $first = [string]@($Given)[0]
    if ($first -cmatch '\A--?[A-Za-z][A-Za-z-]{0,30}(?=[:=]|\z)') { return 'unknown option: ' + $Matches[0] }
    'unknown argument (it is not shown: it may be a secret)'
}

# A number that was given as text; nothing where it is none.
function Read-Number([string]$Text) {
    if ($Text -cmatch '\A[0-9]{1,6}\z') { return [int]$Text }
    $null
}
