# Refuses a bundle that is older than one that ran on this machine.

function Get-SerialsFile { Join-Path $Own 'serials' }

# Serial by name; names of bundles differ in case.
function Read-Serials {
    $held = New-Object 'System.Collections.Generic.SortedDictionary[string,long]' -ArgumentList ([StringComparer]::Ordinal)
    $file = Get-SerialsFile
    if ([IO.File]::Exists($file)) {
        foreach ($line in [IO.File]::ReadAllLines($file)) {
            if ($line -cnotmatch '\A([0-9]{1,18}) (\S+)\z') { Stop-Here 202 ($file + ' cannot be read; repair it by hand') }
            $serial = [long]$Matches[1]
            $name = $Matches[2]
            if (-not $held.ContainsKey($name) -or $held[$name] -lt $serial) { $held[$name] = $serial }
        }
    }
    , $held
}

function Confirm-Serial {
    if ($Serial -eq 0) { return }
    if (-not (Test-Elevated)) {
        Write-Line '        ~ not tested: whether a newer bundle ran here, which only administrators can read'
        return
    }
    $held = Read-Serials
    if (-not $held.ContainsKey($BundleName) -or $held[$BundleName] -le $Serial) { return }
    $text = 'this bundle is older ({0}) than one of {1} that ran here ({2}); -AllowOlder continues' -f $Serial, $BundleName, $held[$BundleName]
    if (-not $AllowOlder) { Stop-Here 201 $text }
    Write-Line ('        ~ ' + $text)
}

function Save-Serial {
    if ($Serial -eq 0) { return }
    $held = Read-Serials
    if ($held.ContainsKey($BundleName) -and $held[$BundleName] -ge $Serial) { return }
    $held[$BundleName] = $Serial
    $lines = @($held.Keys | ForEach-Object { '{0} {1}' -f $held[$_], $_ })
    $text = ($lines -join [Environment]::NewLine) + [Environment]::NewLine
    try {
        Save-Whole (Get-SerialsFile) $text
    } catch {
        Stop-Here 202 ((Get-SerialsFile) + ' cannot be written: ' + (Get-Reason $_.Exception))
    }
}
