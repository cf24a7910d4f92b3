# Records what this script changes on the machine, so that -Uninstall undoes that and nothing else.

$script:Changes = @()

function Get-ChangesFile { Join-Path $Own 'changes.json' }

function Read-Changes {
    $script:Changes = @()
    $file = Get-ChangesFile
    if (-not [IO.File]::Exists($file)) { return }
    try {
        $held = [IO.File]::ReadAllText($file) | ConvertFrom-Json
        foreach ($one in @($held.changes)) {
            $script:Changes += @{ Kind = Get-PropertyText $one 'kind'; Name = Get-PropertyText $one 'name'; Value = Get-PropertyText $one 'value' }
        }
    } catch { Stop-Here 202 ($file + ' cannot be read: ' + (Get-Reason $_.Exception)) }
}

function Save-Changes {
    $lines = @($script:Changes | ForEach-Object {
        '    ' + (ConvertTo-JsonObject @(@('kind', $_.Kind), @('name', $_.Name), @('value', $_.Value)))
    })
    $end = [Environment]::NewLine
    Save-Whole (Get-ChangesFile) ('{' + $end + '  "schema": "arc-bundler/changes/1",' + $end + '  "changes": [' + $end +
        ($lines -join (',' + $end)) + $end + '  ]' + $end + '}' + $end)
}

function Get-Changes([string]$Kind) {
    foreach ($one in $script:Changes) { if (Test-Same $one.Kind $Kind) { $one } }
}

# Recorded before the change: a run that is killed in between leaves at most a record of a change that was not made.
function Add-Change([string]$Kind, [string]$Name, [string]$Value) {
    Remove-Change -Kind $Kind -Name $Name -Value $Value
    $script:Changes += @{ Kind = $Kind; Name = $Name; Value = $Value }
    Save-Changes
}

function Remove-Change([string]$Kind, [string]$Name, [string]$Value) {
    $script:Changes = @($script:Changes | Where-Object {
        -not ((Test-Same $_.Kind $Kind) -and (Test-SameAnyCase $_.Name $Name) -and ((Test-SameAnyCase $_.Value $Value) -or (Test-Same $Kind 'setting')))
    })
}
