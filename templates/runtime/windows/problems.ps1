# Collects what the preflight finds, so that all of it is shown at once.

$script:Problems = @()
$script:ProblemCode = 0

function Add-Problem([int]$Code, [string]$Text) {
    $script:Problems += $Text
    # The wrong machine explains the other problems.
    if ($script:ProblemCode -eq 0 -or $Code -eq 204) { $script:ProblemCode = $Code }
}

# A problem of the real service: a lab's stand-in works without it.
function Add-ProblemUnlessLab([int]$Code, [string]$Text) {
    if ($Lab) { Add-Note ($Text + ' (a LAB bundle continues; otherwise exit code ' + $Code + ')') } else { Add-Problem $Code $Text }
}

# Information that does not stop the run.
function Add-Note([string]$Text) {
    Write-Line ('        ~ ' + $Text)
}

# Does not stop the run; recorded in the receipt.
function Add-Warning([string]$Text) {
    $script:Warnings += $Text
    Add-Note ('WARNING: ' + $Text)
}

$script:Warnings = @()
