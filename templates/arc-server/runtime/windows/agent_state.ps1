# What this machine is to Azure, according to the agent. What cannot be read is unknown, never absent.

$script:State = 'absent'      # absent, disconnected (not connected), wanted, expired (its identity), elsewhere or unknown
$script:StateCode = 0         # the exit code where it is unknown
$script:StateProblem = ''     # and why
$script:Shown = $null         # the answer of "azcmagent show", by folded keys
$script:ShownState = ''       # what it says: connected, disconnected, expired, error, not_connected or unknown
$script:AgentStatus = ''
$script:AgentResource = ''
$script:AgentResourceName = ''

$script:StatusKeys = @('status', 'agentstatus')
$script:ResourceForm = '^/?subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.HybridCompute/machines/([^/]+?)/?$'

function Get-Resource([string]$Subscription, [string]$Group, [string]$Name) {
    '/subscriptions/' + $Subscription + '/resourceGroups/' + $Group + '/providers/Microsoft.HybridCompute/machines/' + $Name
}

function Get-WantedResource {
    $name = $WantedName
    if (-not $name) { $name = '(any name)' }
    Get-Resource -Subscription $WantedSubscription -Group $WantedGroup -Name $name
}

# Subscription, group and name of the resource that an answer names; Differs where its id says otherwise than its parts.
function Get-NamedResource($Facts) {
    $parts = @(
        (Get-FactText $Facts @('subscriptionid'))
        (Get-FactText $Facts @('resourcegroup', 'resourcegroupname'))
        (Get-FactText $Facts @('resourcename', 'machinename'))
    )
    $differs = $false
    $id = [regex]::Match([string](Get-Fact $Facts @('resourceid', 'id', 'azureresourceid')), $ResourceForm, $AnyCase)
    for ($at = 0; $id.Success -and $at -lt 3; $at++) {
        $other = $id.Groups[$at + 1].Value
        if (-not $parts[$at]) { $parts[$at] = $other } elseif (-not (Test-SameAnyCase $parts[$at] $other)) { $differs = $true }
    }
    @{ Subscription = $parts[0]; Group = $parts[1]; Name = $parts[2]; Whole = [bool]($parts[0] -and $parts[1] -and $parts[2]); Differs = $differs }
}

# The resource in the agent's own file: it names the machine where the agent does not answer, and proves no connection. The file
# is there after every installation, with empty names (agent-overview.md has its folder).
# Empty where there is no file; nothing where there is one that cannot be read.
function Get-KeptText {
    $file = [IO.Path]::Combine([string]$env:ProgramData, 'AzureConnectedMachineAgent', 'Config', 'agentconfig.json')
    # The agent's service may be writing it.
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    try {
        $stream = New-Object System.IO.FileStream $file, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), $share
        try {
            if ($stream.Length -gt 1048576) { return $null }
            (New-Object System.IO.StreamReader $stream).ReadToEnd()
        } finally { $stream.Dispose() }
    } catch {
        if (Test-OneOf (Get-InnerType $_.Exception) @('FileNotFoundException', 'DirectoryNotFoundException')) { return '' }
        $null
    }
}

function Get-KeptResource {
    $text = Get-KeptText
    if ($null -eq $text) { return 'one that the agent''s file names, which cannot be read' }
    $kept = Get-NamedResource (Read-Facts $text @('resourcename'))
    if (-not $kept.Name) { return '' }
    Get-Resource -Subscription $kept.Subscription -Group $kept.Group -Name $kept.Name
}

# What the agent names, otherwise its file where the answer was not understood.
function Get-LeftResource {
    if ($script:AgentResource -or -not (Test-Unknown)) { return $script:AgentResource }
    Get-KeptResource
}

# The agent's word for its state, and ours; nothing for a word that is not known.
function Get-StateWord([string]$Status) {
    $word = [regex]::Replace($Status, '\([^)]*\)', '', $OwnCase).Trim().ToLowerInvariant()
    $words = @{
        connected = 'connected'; disconnected = 'disconnected'; notconnected = 'disconnected'; 'not connected' = 'disconnected'
        offline = 'disconnected'; expired = 'expired'; error = 'error'; failed = 'error'
    }
    [string]$words[$word]
}

function Reset-State([string]$State) {
    $script:State = $State
    $script:StateCode = 0
    $script:StateProblem = ''
    $script:Shown = $null
    $script:ShownState = ''
    $script:AgentStatus = ''
    $script:AgentResource = ''
    $script:AgentResourceName = ''
}

# azcmagent's own numbers for a service that does not answer pass through (troubleshoot-agent-onboard.md).
function Set-StateUnknown([int]$Ended, [string]$Problem) {
    $code = 220
    if (@(61, 64, 65, 66) -contains $Ended) { $code = $Ended }
    $script:State = 'unknown'
    $script:ShownState = 'unknown'
    $script:StateProblem = $Problem
    $script:StateCode = $code
}

# Takes the exit code and the answer of "azcmagent show".
function Set-ShownState([int]$Code, [string]$Output) {
    Reset-State 'unknown'
    $script:Shown = Read-Facts $Output ($StatusKeys + 'resourcename', 'resourceid')
    $script:AgentStatus = [string](Get-Fact $script:Shown $StatusKeys)
    $held = Get-NamedResource $script:Shown
    if ($held.Whole -and -not $held.Differs) { $script:AgentResource = Get-Resource -Subscription $held.Subscription -Group $held.Group -Name $held.Name }
    $script:AgentResourceName = $held.Name
    if ($Code -ne 0) { Set-StateUnknown $Code ('azcmagent show ended with ' + $Code); return }
    if ($null -eq $script:Shown) { Set-StateUnknown 0 'the answer of azcmagent show is not understood'; return }
    $word = Get-StateWord $script:AgentStatus
    if (-not $word) { Set-StateUnknown 0 ('azcmagent show reports the status "' + $script:AgentStatus + '"'); return }
    $script:AgentStatus = $word.Substring(0, 1).ToUpperInvariant() + $word.Substring(1)
    if ($held.Differs) { Set-StateUnknown 0 'azcmagent show names two resources'; return }
    if (-not $held.Whole) { Set-ResourceUnsaid $word $held; return }
    $script:ShownState = $word
    Set-Place $held
}

# The status is known, the resource is not: an agent that was never connected names none.
function Set-ResourceUnsaid([string]$Word, $Held) {
    $said = $null -ne (Get-Fact $script:Shown @('resourcename', 'machinename', 'resourceid'))
    $none = -not ($Held.Subscription -or $Held.Group -or $Held.Name)
    if ((Test-Same $Word 'disconnected') -and $none -and ($said -or -not (Get-KeptResource))) {
        $script:State = 'disconnected'
        $script:ShownState = 'not_connected'
        return
    }
    Set-StateUnknown 0 ('azcmagent show reports ' + $script:AgentStatus + ', and no resource')
}

# Azure compares names without regard to case. An expired identity is the agent's own matter only where the resource is ours.
function Set-Place($Held) {
    $script:State = 'elsewhere'
    $same = (Test-SameAnyCase $Held.Subscription $WantedSubscription) -and (Test-SameAnyCase $Held.Group $WantedGroup)
    if (-not $same -or ($WantedName -and -not (Test-SameAnyCase $Held.Name $WantedName))) { return }
    $script:State = 'wanted'
    if (Test-Same $script:ShownState 'expired') { $script:State = 'expired' }
}

function Test-Connected { (Test-Same $script:State 'wanted') -and (Test-Same $script:ShownState 'connected') }

# The agent's own report of its state and resource.
function Read-State {
    Reset-State 'absent'
    if (-not (Test-Path -LiteralPath $Agent -PathType Leaf)) { return }
    # A program that cannot be started (a policy, a damaged file) gives no answer, too.
    try { $answer = Invoke-Program $Agent @('show', '-j') } catch {
        Set-StateUnknown 0 ('azcmagent cannot be started: ' + (Get-Reason $_.Exception))
        return
    }
    Set-ShownState $answer.Code $answer.Output
    if ($answer.Code -ne 0 -or $null -ne $script:Shown) { return }
    $answer = Invoke-Program $Agent @('show')
    if ($answer.Code -eq 0) { Set-ShownState 0 $answer.Output }
}

# The same, where the agent's service may need a moment.
function Read-StateAgain {
    for ($try = 0; $try -lt 10; $try++) {
        Read-State
        if (-not (Test-Unknown)) { return }
        Start-Sleep -Milliseconds $ConfirmPause
    }
}

function Test-Unknown { Test-Same $script:State 'unknown' }

# Why a run stops where the state is unknown, and what to do.
function Get-UnknownState {
    $text = 'whether this machine is connected is not known: ' + $script:StateProblem
    $resource = Get-LeftResource
    if ($resource) { $text += '; its resource may be ' + $resource }
    $text += '; start the agent''s service (Start-Service himds)'
    if ($Uninstall) { return ($text + ', or add -ForceLocalOnly: the resource then stays in Azure') }
    $text + ', or remove the agent with -Uninstall -ForceLocalOnly'
}

function Stop-Unknown {
    $script:Reason = 'agent-state-unknown'
    Stop-Here $script:StateCode (Get-UnknownState)
}

function Get-StateText {
    if (Test-Same $script:State 'absent') { return 'no agent yet' }
    if (Test-Same $script:State 'disconnected') { return 'agent installed, not connected' }
    if (Test-Same $script:State 'expired') { return 'agent installed, its identity has expired' }
    if (Test-Unknown) { return 'agent installed, its state is not known' }
    'agent ' + $script:AgentStatus
}
