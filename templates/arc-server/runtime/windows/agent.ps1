# Where the Azure Connected Machine agent is, what it reports, and which version is installed.

# ProgramW6432 is the 64-bit folder for every process; a 64-bit process of an old system may have only ProgramFiles.
$script:Programs = $env:ProgramW6432
if (-not $Programs) { $script:Programs = $env:ProgramFiles }
$script:Agent = [IO.Path]::Combine([string]$Programs, 'AzureConnectedMachineAgent', 'azcmagent.exe')

function Get-Resource([string]$Subscription, [string]$Group, [string]$Name) {
    '/subscriptions/' + $Subscription + '/resourceGroups/' + $Group + '/providers/Microsoft.HybridCompute/machines/' + $Name
}

function Get-WantedResource {
    $name = $WantedName
    if (-not $name) { $name = '(any name)' }
    Get-Resource -Subscription $WantedSubscription -Group $WantedGroup -Name $name
}

# The output of "azcmagent show -j"; nothing where it is not JSON.
function Get-AgentStatus {
    $answer = Invoke-Program $Agent @('show', '-j')
    if ($answer.Code -ne 0) { return $null }
    try { $answer.Output | ConvertFrom-Json } catch { $null }
}

$script:State = 'absent'      # absent, disconnected, wanted, expired (its identity) or elsewhere
$script:AgentStatus = ''
$script:AgentResource = ''

# The agent's own report of its state and resource.
function Read-State {
    $script:State = 'absent'
    $script:AgentStatus = ''
    $script:AgentResource = ''
    if (-not (Test-Path -LiteralPath $Agent -PathType Leaf)) { return }
    $script:State = 'disconnected'
    $shown = Get-AgentStatus
    $script:AgentStatus = Get-PropertyText $shown 'status'
    $subscription = Get-PropertyText $shown 'subscriptionId'
    $group = Get-PropertyText $shown 'resourceGroup'
    $name = Get-PropertyText $shown 'resourceName'
    # An agent that was never connected reports no resource.
    if (-not (Test-SameAnyCase $script:AgentStatus 'Connected') -and -not ($subscription + $group)) { return }
    $script:AgentResource = Get-Resource -Subscription $subscription -Group $group -Name $name
    $script:State = 'elsewhere'
    $same = (Test-SameAnyCase $subscription $WantedSubscription) -and (Test-SameAnyCase $group $WantedGroup)
    if ($same -and (-not $WantedName -or (Test-SameAnyCase $name $WantedName))) {
        $script:State = 'wanted'
        if (Test-SameAnyCase $script:AgentStatus 'Expired') { $script:State = 'expired' }
    }
}

function Get-StateText {
    if (Test-Same $script:State 'absent') { return 'no agent yet' }
    if (Test-Same $script:State 'disconnected') { return 'agent installed, not connected' }
    if (Test-Same $script:State 'expired') { return 'agent installed, its identity has expired' }
    'agent ' + $script:AgentStatus
}

$script:UninstallKey = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall'

# The agent in Windows' list of programs. A LAB bundle's stand-in has a name that tells it from Microsoft's.
function Get-AgentPrograms {
    $names = @('Azure Connected Machine Agent')
    if ($Lab) { $names += 'Azure Connected Machine Agent (LAB)' }
    foreach ($key in @(Get-ChildItem -Path $UninstallKey -ErrorAction SilentlyContinue)) {
        # One by one: other products have values that cannot be read.
        try { $program = Get-ItemProperty -Path $key.PSPath -Name 'DisplayName', 'DisplayVersion' } catch { continue }
        if (Test-OneOfAnyCase (Get-PropertyText $program 'DisplayName') $names) {
            @{ Key = $key.PSChildName; Version = Get-PropertyText $program 'DisplayVersion' }
        }
    }
}

# The installed version, from Windows' list of programs or the agent itself; empty where there is none.
function Get-InstalledVersion {
    foreach ($program in @(Get-AgentPrograms)) { return $program.Version }
    if (Test-Path -LiteralPath $Agent -PathType Leaf) {
        $answer = Invoke-Program $Agent @('version')
        if ($answer.Text -cmatch '\d+(\.\d+){2,3}') { return $Matches[0] }
    }
    ''
}
