# Collects what the preflight finds, so that all of it is shown at once.

$script:Problems = @()
$script:ProblemCode = 0

function Add-Problem([int]$Code, [string]$Text) {
    $script:Problems += $Text
    # The wrong machine explains the rest.
    if ($script:ProblemCode -eq 0 -or $Code -eq 204) { $script:ProblemCode = $Code }
}

# What Azure would miss, and a stand-in does not.
function Add-ProblemUnlessLab([int]$Code, [string]$Text) {
    if ($Lab) { Add-Note ($Text + ' (a practice bundle goes on)') } else { Add-Problem $Code $Text }
}

# Worth knowing, and no reason to stop.
function Add-Note([string]$Text) {
    Write-Line ('        ~ ' + $Text)
}

# Nothing stops for it; it stands in the receipt.
function Add-Warning([string]$Text) {
    $script:Warnings += $Text
    Add-Note ('WARNING: ' + $Text)
}

$script:Warnings = @()
