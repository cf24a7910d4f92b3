# Why azcmagent failed: its exit codes alone do not tell, its messages do.

$script:PolicyNames = @('policyDefinitionDisplayName', 'policyAssignmentDisplayName', 'policyDefinitionName', 'policyAssignmentName')

# The row of the table of reasons that fits a message; nothing where none does.
function Find-Reason([string]$Text) {
    $parts = Get-MessageParts (Get-PlainAnswer $Text)
    foreach ($part in @($parts.Grave, $parts.Other)) {
        $message = [regex]::Replace($part, '\s+', ' ', $OwnCase).ToLowerInvariant()
        if (-not $message.Trim()) { continue }
        foreach ($row in $Reasons) {
            if (-not [regex]::IsMatch($message, $row[1], $OwnCase)) { continue }
            $name = ''
            if (Test-Same $row[0] 'policy') { $name = Get-PolicyName $Text }
            $quoted = ''
            if ($name) { $quoted = ' "' + $name + '"' }
            return @{ Word = $row[0]; Retry = $row[2]; Means = $row[3]; Advice = $row[4].Replace('@NAME@', $quoted); Name = $name }
        }
    }
    $null
}

# The lines that say why the program ended, and the others; without details, where an agent that is told to be verbose writes failures
# that it has overcome. A line without a level belongs to the one before it.
function Get-MessageParts([string]$Text) {
    $parts = @{ Grave = ''; Other = '' }
    $level = 'Other'
    # The end says why.
    foreach ($line in $Text.Substring([Math]::Max(0, $Text.Length - 40000)) -csplit "`n") {
        if (Test-Pattern $line 'level=(fatal|error)|^(fatal|error)') {
            $level = 'Grave'
        } elseif (Test-Pattern $line 'level=(debug|trace)|^(debug|trace)') {
            $level = 'None'
        } elseif (Test-Pattern $line 'level=|^(info|warn)') {
            $level = 'Other'
        }
        if (-not (Test-Same $level 'None')) { $parts[$level] += $line + "`n" }
    }
    $parts
}

# The name of the policy that Azure Resource Manager reports, as JSON or as JSON within a text.
function Get-PolicyName([string]$Text) {
    foreach ($name in $PolicyNames + 'name') {
        $found = [regex]::Match($Text, '[\\"'']' + $name + '\\*["'']\s*:\s*\\*["'']([^"''\\]+)', $AnyCase)
        if ($found.Success) { return (Get-Printable $found.Groups[1].Value.Trim()) }
    }
    ''
}

# The run ends because of this answer: its reason for the receipt, and its advice in place of the exit code's.
function Set-Reason($Answer) {
    $found = Find-Reason $Answer.Text
    if ($null -eq $found) { return }
    $script:Reason = $found.Word
    $script:Advice = $found.Advice
}

# Why another attempt may help; empty where none does. Without a known reason the exit code decides: a new role assignment takes
# minutes (42, 44), and a service that has just started does not answer yet (61).
function Get-TransientReason($Answer) {
    $found = Find-Reason $Answer.Text
    if ($null -ne $found -and (Test-Same $found.Retry 'yes')) { return $found.Means }
    if ($null -ne $found -and (Test-Same $found.Retry 'no')) { return '' }
    if ($Answer.Code -eq 61) { return 'the agent''s service is not up yet' }
    if (@(42, 44) -contains $Answer.Code) { return 'a new role assignment takes some minutes' }
    ''
}

# ---- The error that the agent itself reports ----

$script:ErrorCodeKeys = @('agenterrorcode', 'errorcode')
$script:ErrorTextKeys = @('agenterrordetails', 'errordetails', 'agenterrormessage', 'errormessage')

# Its code and details; empty where it reports none.
function Get-AgentError {
    $code = Get-FactText $script:Shown $ErrorCodeKeys
    if (Test-Same $code '0') { $code = '' }
    $details = Get-FactText $script:Shown $ErrorTextKeys
    @(@($code, $details) | Where-Object { $_ }) -join ': '
}

# What to do about it: by its message, otherwise by its code, which is the exit code with leading zeros.
function Set-ErrorReason {
    $text = Get-AgentError
    $found = Find-Reason $text
    if ($null -ne $found) { $script:Reason = $found.Word; $script:Advice = $found.Advice; return }
    $state = $script:ShownState
    if (-not $state) { $state = 'silent' }
    $script:Reason = 'agent-' + $state.Replace('_', '-')
    if (Test-Same $state 'connected') { return }
    $number = 0
    if ($text -cmatch '[Aa][Zz][Cc][Mm]0*(\d{1,4})|^(\d{1,3})(:|$)') { $number = [int](@($Matches[1], $Matches[2]) -join '') }
    $script:Advice = 'Run azcmagent check, and read himds.log on this machine.'
    if ($Codes.ContainsKey($number)) { $script:Advice = $Codes[$number][1] }
}

# This script connects anew, as before the agent could restore a connection (azcmagent-reconnect.md).
function Get-ExpiredText {
    $problem = Get-AgentError
    if ($problem) { $problem = ' (' + $problem + ')' }
    $text = 'the agent''s identity has expired' + $problem + ': this run connects it as the same resource with a new identity; its ' +
        'role assignments must be made again'
    $versions = @([string](Get-Fact $script:Shown @('agentversion')))
    if ($script:Target) { $versions += $script:Target.PackageVersion }
    if (@($versions | Where-Object { (Compare-Version $_ '1.70') -ge 0 }).Count -eq 0) { return $text }
    $text + '; azcmagent reconnect (preview, from 1.70) keeps identity and roles where the key is in a TPM' +
        '; with keys in files it needs --reset-identity, which loses the role assignments'
}

# The agent knows its resource, and reports that something is wrong.
function Add-ContactWarning {
    if ((Test-Same $script:State 'expired')) { Add-Warning (Get-ExpiredText); return }
    if (-not (Test-Same $script:State 'wanted') -or (Test-Same $script:ShownState 'connected')) { return }
    $problem = Get-AgentError
    if ($problem) { $problem = ' (' + $problem + ')' }
    Set-ErrorReason
    Add-Warning ('the agent reports ' + $script:AgentStatus + $problem + ': ' + $script:Advice)
    $script:Reason = ''
    $script:Advice = ''
}
