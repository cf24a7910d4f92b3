# What azcmagent check says of the network.

$script:CheckNames = @('endpoint', 'url', 'host', 'hostname', 'fqdn', 'address', 'uri', 'name')
$script:CheckDoubt = ''       # what makes the step a warning

# A name alone: without scheme, port and path.
function Get-BareHost([string]$Address) {
    $name = [regex]::Replace((Get-Bare $Address), '^[A-Za-z][A-Za-z0-9+.-]*://', '', $OwnCase)
    [regex]::Replace($name, '[:/?#].*$', '', $OverLines).ToLowerInvariant().TrimEnd('.')
}

# Nothing where the facts are no row: they do not say of an endpoint whether it was reached.
function Get-CheckRow($Facts, [string]$Outer) {
    $reached = Read-Switch (Get-Fact $Facts @('reachable', 'isreachable'))
    $form = '^[a-z0-9*_-]+(\.[a-z0-9_-]+)+$'
    $name = Get-BareHost ([string](Get-Fact $Facts $CheckNames))
    # None, or a name for people beside the address that the row is under.
    if ($name -cnotmatch $form) { $name = Get-BareHost $Outer }
    if ($null -eq $reached -or $name -cnotmatch $form) { return $null }
    @{ Host = $name; Reachable = $reached; Required = (Read-Switch (Get-Fact $Facts @('required', 'isrequired', 'mandatory'))) }
}

# Rows by name, rows in a list, and either of them inside another value.
function Get-JsonRows($Value, [string]$Outer, [int]$Depth) {
    if ($Depth -gt 4 -or -not (Test-OneOf $Value.Kind @('object', 'list'))) { return }
    if (Test-Same $Value.Kind 'object') {
        $row = Get-CheckRow (Get-ObjectFacts $Value) $Outer
        if ($null -ne $row) { return $row }
    }
    for ($at = 0; $at -lt $Value.Values.Count; $at++) {
        $name = ''
        if (Test-Same $Value.Kind 'object') { $name = $Value.Names[$at] }
        Get-JsonRows -Value $Value.Values[$at] -Outer $name -Depth ($Depth + 1)
    }
}

# The table that "check" prints without -j: columns between "|" or two blanks, named by the line that begins with ENDPOINT.
function Get-TableRows([string]$Text) {
    $columns = $null
    foreach ($line in $Text -csplit "`n") {
        $cells = @($line.Replace('|', '  ') -csplit '\s{2,}' | Where-Object { $_ })
        if ($cells.Count -lt 2) { continue }
        $folded = @($cells | ForEach-Object { Get-FoldedKey $_ })
        if (Test-OneOf $folded[0] @('endpoint', 'endpoints', 'url', 'host')) { $columns = @('endpoint') + @($folded | Select-Object -Skip 1); continue }
        if ($null -eq $columns) { $columns = @('endpoint', 'reachable') }
        $facts = New-Table
        for ($at = 0; $at -lt $cells.Count -and $at -lt $columns.Count; $at++) { Add-Fact -Facts $facts -Key $columns[$at] -Text $cells[$at] }
        $row = Get-CheckRow $facts ''
        if ($null -ne $row) { $row }
    }
}

# Each endpoint of an answer: Host, Reachable, and Required where the answer says so.
function Get-CheckRows([string]$Output) {
    $plain = Get-PlainAnswer $Output
    foreach ($value in @(Read-JsonAnswers $plain)) {
        $rows = @(Get-JsonRows -Value $value -Outer '' -Depth 0)
        if ($rows.Count -gt 0) { return $rows }
    }
    Get-TableRows $plain
}

# The endpoints that were not reached: Required ones, which stop the run; those that only the gateway reaches, which the agent does
# not know before it is connected; and Others.
function Get-CheckFindings($Rows) {
    $found = @{ Required = @(); Gateway = @(); Others = @() }
    foreach ($row in $Rows) {
        if ($row.Reachable) { continue }
        $ours = @($EndpointChecks | Where-Object { Test-SameAnyCase $_.Host $row.Host })
        $required = $row.Required -eq $true -or @($ours | Where-Object { $_.Required }).Count -gt 0
        $direct = @($ours | Where-Object { -not (Test-Same $_.Way 'gateway') })
        $kind = 'Others'
        if ($required) { $kind = 'Required' }
        if ($required -and $Gateway -and $direct.Count -eq 0) { $kind = 'Gateway' }
        $found[$kind] += $row.Host
    }
    $found
}

# What a check means that did not end well and names no endpoint that failed; empty where it is understood.
function Get-CheckDoubt([int]$Code, $Rows) {
    if ($Code -eq 0 -or @($Rows | Where-Object { -not $_.Reachable }).Count -gt 0) { return '' }
    $text = 'the agent''s own check ended with ' + $Code
    if (@($Rows).Count -eq 0) { return ($text + ', and its answer is not understood') }
    $text + ', and names no address that it does not reach'
}

function Show-Differences($Rows) {
    foreach ($row in $Rows) {
        $ours = @($script:Network | Where-Object { Test-SameAnyCase $_.Host $row.Host })
        if ($ours.Count -eq 0 -or [bool]$row.Reachable -eq (Test-OneOf $ours[0].Verdict @('ok', 'untested'))) { continue }
        Add-Note ('azcmagent check sees ' + $row.Host + ' differently: reachable ' + $row.Reachable)
    }
}

# The installed agent's own network check, which knows endpoints that this bundle's table does not have.
function Confirm-Network {
    if ($SkipNetworkCheck -or $EndpointChecks.Count -eq 0) { return }
    $words = @('check', '-j', '--location', $Location, '--cloud', $Cloud)
    if ($PrivateLinkScope) { $words += '--enable-pls-check' }
    $answer = Invoke-Program $Agent $words
    $rows = @(Get-CheckRows $answer.Output)
    Show-Differences $rows
    $found = Get-CheckFindings $rows
    if ($found.Required.Count -gt 0) { $script:Reason = 'network'; Stop-Here 26 ('azcmagent check does not reach ' + ($found.Required -join ', ')) }
    if ($found.Gateway.Count -gt 0) { Add-Note ('before it knows the gateway, the agent itself does not reach ' + ($found.Gateway -join ', ')) }
    if ($found.Others.Count -gt 0) {
        $script:CheckDoubt = 'the agent''s own check does not reach ' + ($found.Others -join ', ') + ' (not required)'
    } else {
        $script:CheckDoubt = Get-CheckDoubt $answer.Code $rows
        if ($script:CheckDoubt) { Show-End $answer.Text }
    }
    if ($script:CheckDoubt) { Add-Warning $script:CheckDoubt }
}
