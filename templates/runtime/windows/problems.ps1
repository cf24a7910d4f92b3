# Collects what the preflight finds, so that all of it is shown at once.

$script:Problems = @()
$script:ProblemCode = 0
$script:ProblemReason = ''
$script:ProblemText = ''

# A code's place in $CodeOrder, the gravest first; behind all of them where it is not there.
function Get-CodeRank([int]$Code) {
    $at = [Array]::IndexOf($CodeOrder, $Code)
    if ($at -lt 0) { return 999 }
    $at
}

# The gravest decides how the run ends; of two alike, the first.
function Add-Problem([int]$Code, [string]$Text, [string]$Reason) {
    $script:Problems += $Text
    if ($script:ProblemCode -ne 0 -and (Get-CodeRank $Code) -ge (Get-CodeRank $script:ProblemCode)) { return }
    $script:ProblemCode = $Code
    $script:ProblemReason = $Reason
    $script:ProblemText = $Text
}

# A problem of the real service: a lab's stand-in works without it.
function Add-ProblemUnlessLab([int]$Code, [string]$Text, [string]$Reason) {
    if ($Lab) { Add-Note ($Text + ' (a LAB bundle continues; otherwise exit code ' + $Code + ')'); return }
    Add-Problem -Code $Code -Text $Text -Reason $Reason
}

# Information that does not stop the run.
function Add-Note([string]$Text) {
    Write-Line ('        ~ ' + $Text)
}

# Does not stop the run; recorded in the receipt.
function Add-Warning([string]$Text) {
    $script:Warnings += (Hide-Controls (Hide-Secrets $Text)) -creplace '[\r\n]+', ' '
    Add-Note ('WARNING: ' + $Text)
}

$script:Warnings = @()
