# Writes records into the hosts file, between two marker lines, and removes them.

function Get-HostsFile { Get-SystemTool 'drivers\etc\hosts'.Replace('\', [string][IO.Path]::DirectorySeparatorChar) }

# Nothing where a marker line has no partner: the lines between may belong to other software.
function Get-HostsWithout([string]$Text, [string]$Name) {
    $begin = [regex]::Escape('# BEGIN arc-bundler ' + $Name)
    $end = [regex]::Escape('# END arc-bundler ' + $Name)
    $marker = '(?m)^(?:' + $begin + '|' + $end + ')\r?$'
    $left = [regex]::Replace($Text, '(?m)^' + $begin + '\r?\n(?s:(?:(?!^' + $begin + '\r?$).)*?)^' + $end + '\r?(\n|\z)', '')
    if ($left -cmatch $marker) { return $null }
    $left
}

function Set-HostsFile([string]$Text) {
    $file = Get-HostsFile
    $new = $file + '.arc-bundler.new'
    [IO.File]::WriteAllText($new, $Text, $Latin)
    try { Move-Over $new $file } catch { [IO.File]::Delete($new); throw }
}

# True where the file changed.
function Write-HostsRecords([string]$Name, $Records) {
    $file = Get-HostsFile
    $before = ''
    if ([IO.File]::Exists($file)) { $before = [IO.File]::ReadAllText($file, $Latin) }
    $text = Get-HostsWithout $before $Name
    if ($null -eq $text) { Stop-Here 202 ($file + ' has only one of two arc-bundler markers; repair it by hand') }
    if ($text -and -not $text.EndsWith("`n", [StringComparison]::Ordinal)) { $text += "`r`n" }
    $text += '# BEGIN arc-bundler ' + $Name + "`r`n"
    foreach ($record in $Records) { $text += $record.Address + ' ' + $record.Host + "`r`n" }
    $text += '# END arc-bundler ' + $Name + "`r`n"
    Add-Change -Kind 'hosts' -Name $Name -Value ''
    if (Test-Same $text $before) { return $false }
    # On hardened machines it is read-only, and some virus scanners protect it.
    try {
        if ([IO.File]::Exists($file) -and -not [IO.File]::Exists($file + '.arc-bundler.bak')) {
            [IO.File]::Copy($file, $file + '.arc-bundler.bak')
        }
        Set-HostsFile $text
    } catch {
        Stop-Here 202 ($file + ' cannot be written: ' + (Get-Reason $_.Exception) + ' Is it read-only, or does a virus scanner ' +
            'protect it? Allow the change, or resolve the names by DNS and leave out -WriteHosts')
    }
    $true
}

function Remove-HostsRecords([string]$Name) {
    $file = Get-HostsFile
    if (-not [IO.File]::Exists($file)) { return }
    $before = [IO.File]::ReadAllText($file, $Latin)
    $text = Get-HostsWithout $before $Name
    if ($null -eq $text) { throw ($file + ' has only one of two arc-bundler markers; repair it by hand') }
    if (-not (Test-Same $text $before)) { Set-HostsFile $text }
    $backup = $file + '.arc-bundler.bak'
    # Kept where the file differs from the backup.
    if ([IO.File]::Exists($backup) -and (Test-Same ([IO.File]::ReadAllText($backup, $Latin).TrimEnd()) $text.TrimEnd())) {
        [IO.File]::Delete($backup)
    }
}
