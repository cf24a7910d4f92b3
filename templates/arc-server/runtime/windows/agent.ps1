# Where the Azure Connected Machine agent is, what it reports, and which version is installed.

# ProgramW6432 is the 64-bit folder whatever asks; a 64-bit process of an old system may know only ProgramFiles.
$script:Programs = $env:ProgramW6432
if (-not $Programs) { $script:Programs = $env:ProgramFiles }
$script:Agent = [IO.Path]::Combine([string]$Programs, 'AzureConnectedMachineAgent', 'azcmagent.exe')

function Get-Resource([string]$Subscription, [string]$Group, [string]$Name) {
    '/subscriptions/' + $Subscription + '/resourceGroups/' + $Group + '/providers/Microsoft.HybridCompute/machines/' + $Name
}

function Get-WantedResource {
    $name = $WantedName
    if (-not $name) { $name = '(any name)' }
    Get-Resource $WantedSubscription $WantedGroup $name
}

# What "azcmagent show -j" says; nothing where it says nothing that is JSON.
function Get-AgentStatus {
    $answer = Invoke-Program $Agent @('show', '-j')
    if ($answer.Code -ne 0) { return $null }
    try { $answer.Output | ConvertFrom-Json } catch { $null }
}

$script:State = 'absent'      # absent, disconnected, wanted, expired (its identity) or elsewhere
$script:AgentStatus = ''
$script:AgentResource = ''

# Who this machine is to Azure, by the agent's own word.
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
    # An agent that was never connected has no resource.
    if ($script:AgentStatus -ne 'Connected' -and -not ($subscription + $group)) { return }
    $script:AgentResource = Get-Resource $subscription $group $name
    $script:State = 'elsewhere'
    # -eq pays no regard to case, and neither does Azure.
    if ($subscription -eq $WantedSubscription -and $group -eq $WantedGroup -and (-not $WantedName -or $name -eq $WantedName)) {
        $script:State = 'wanted'
        if ($script:AgentStatus -eq 'Expired') { $script:State = 'expired' }
    }
}

function Get-StateText {
    if ($script:State -eq 'absent') { return 'no agent yet' }
    if ($script:State -eq 'disconnected') { return 'agent there, not connected' }
    if ($script:State -eq 'expired') { return 'agent there, its identity expired' }
    'agent ' + $script:AgentStatus
}

$script:UninstallKey = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall'

# The agent in Windows' list of programs. A practice bundle's own is named so that nobody takes it for Microsoft's.
function Get-AgentPrograms {
    $names = @('Azure Connected Machine Agent')
    if ($Lab) { $names += 'Azure Connected Machine Agent (LAB)' }
    foreach ($key in @(Get-ChildItem -Path $UninstallKey -ErrorAction SilentlyContinue)) {
        # One by one: other vendors leave values there that cannot be read.
        try { $program = Get-ItemProperty -Path $key.PSPath -Name 'DisplayName', 'DisplayVersion' } catch { continue }
        if ($names -contains (Get-PropertyText $program 'DisplayName')) {
            @{ Key = $key.PSChildName; Version = Get-PropertyText $program 'DisplayVersion' }
        }
    }
}

# The version that Windows has, by its list of programs or the agent's own word; empty where there is none.
function Get-InstalledVersion {
    foreach ($program in @(Get-AgentPrograms)) { return $program.Version }
    if (Test-Path -LiteralPath $Agent -PathType Leaf) {
        $answer = Invoke-Program $Agent @('version')
        if ($answer.Text -match '\d+(\.\d+){2,3}') { return $Matches[0] }
    }
    ''
}
