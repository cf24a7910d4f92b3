# Whether this machine is a Hyper-V guest, and whether the connection that it has is its own.

$script:BiosKey = 'HKLM:\HARDWARE\DESCRIPTION\System\BIOS'
$script:NameKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters'

function Get-CimText([string]$Class, [string]$Name) {
    try { Get-PropertyText (Get-CimInstance -ClassName $Class -Property $Name) $Name } catch { '' }
}

# Firmware's own words, from the registry, from Windows' inventory, or from the agent.
function Get-HardwareText([string]$Value, [string]$Name) {
    $text = Get-RegistryText $BiosKey $Value
    if (-not $text) { $text = Get-CimText 'Win32_ComputerSystem' $Name }
    if (-not $text) { $text = [string](Get-Fact $script:Shown @($Name.ToLowerInvariant())) }
    $text.Trim()
}

# A full disconnect inside a VM of Azure Local can delete the VM, on-premises too (azcmagent-disconnect.md). A guest cannot tell
# Azure Local from another Hyper-V host.
function Test-HyperVGuest {
    $cloud = [string](Get-Fact $script:Shown @('cloudprovider'))
    if (Test-OneOfAnyCase $cloud @('AzSHCI', 'HCI', 'AzureStackHCI', 'AzureLocal')) { return $true }
    (Test-SameAnyCase (Get-HardwareText -Value 'SystemManufacturer' -Name 'Manufacturer') 'Microsoft Corporation') -and
        (Test-SameAnyCase (Get-HardwareText -Value 'SystemProductName' -Name 'Model') 'Virtual Machine')
}

# Why the resource in Azure stays where this machine is disconnected; empty where it goes.
function Get-LocalOnlyReason {
    if ($ForceLocalOnly) { return 'as -ForceLocalOnly says' }
    if (Test-Same $script:State 'expired') { return 'its identity has expired' }
    if ($DeleteResource) { return '' }
    if (Test-HyperVGuest) { return 'this is a Hyper-V guest: on Azure Local, deleting the resource can delete the virtual machine' }
    if (((Test-Same $script:State 'wanted') -or (Test-Same $script:State 'elsewhere')) -and (Test-OtherHardware)) {
        return 'the resource was made on other hardware, so that it may be another machine''s'
    }
    ''
}

# ---- A copy of a connected machine ----

function Get-FirstLabel([string]$Name) { ($Name -csplit '\.', 2)[0] }

# The whole name of this host; MachineName is cut after 15 characters.
function Get-HostNames {
    $name = Get-RegistryText $NameKey 'Hostname'
    if (-not $name) { $name = Get-RegistryText $NameKey 'NV Hostname' }
    $domain = Get-RegistryText $NameKey 'Domain'
    if (-not $domain) { $domain = Get-RegistryText $NameKey 'NV Domain' }
    if ($name) { $name }
    if ($name -and $domain) { $name + '.' + $domain }
    $HostName
}

# A resource's name may have "-" for the dots of a host's whole name, and may be cut.
function Test-OwnName([string]$Name) {
    $flat = $Name.Replace('.', '-')
    foreach ($own in @(Get-HostNames)) {
        if (Test-SameAnyCase (Get-FirstLabel $Name) (Get-FirstLabel $own)) { return $true }
        $other = $own.Replace('.', '-')
        if (Test-SameAnyCase $flat $other) { return $true }
        if ($flat.Length -ge 15 -and $other.StartsWith($flat, [StringComparison]::OrdinalIgnoreCase)) { return $true }
        if ($own.Length -eq 15 -and $flat.StartsWith($own, [StringComparison]::OrdinalIgnoreCase)) { return $true }
    }
    $false
}

# The first three fields of a UUID are written in either byte order (SMBIOS, "System - UUID").
function Get-OtherOrder([string]$Uuid) {
    try { $bytes = (New-Object Guid $Uuid).ToByteArray() } catch { return '' }
    -join (@($bytes | ForEach-Object { $_.ToString('x2') }))
}

function Test-SameUuid([string]$Left, [string]$Right) {
    $plain = $Right.Replace('-', '')
    (Test-SameAnyCase $Left.Replace('-', '') $plain) -or (Test-SameAnyCase (Get-OtherOrder $Left) $plain)
}

function Get-MachineUuid { Get-FirmwareId }

# A firmware without a number says one digit, or the number that boards are delivered with.
function Test-Uuid([string]$Text) {
    $plain = $Text.Trim('{', '}').Replace('-', '')
    $plain -cmatch '^[0-9A-Fa-f]{32}$' -and $plain -cnotmatch '^(0+|[Ff]+|03000200040005000006000700080009)$'
}

# Whether the agent names another machine's UUID; vmId is Azure's own number, and says nothing of the hardware.
function Test-OtherHardware {
    $said = [string](Get-Fact $script:Shown @('vmuuid'))
    if (-not (Test-Uuid $said)) { return $false }
    $mine = Get-MachineUuid
    (Test-Uuid $mine) -and -not (Test-SameUuid $said.Trim('{', '}') $mine.Trim('{', '}'))
}

# Whether the resource is named after another host. The definition's own name is compared already; Amazon's instances are named by
# their number (azcmagent-connect.md).
function Test-OtherName {
    $name = $script:AgentResourceName
    -not $WantedName -and $name -and $name -cnotmatch '^i-[0-9a-f]{8,17}$' -and -not (Test-OwnName $name)
}

# The connection may be another machine's: a warning, with the way out. Empty where it is this one's.
function Get-CloneText {
    if (-not (Test-OneOf $script:State @('wanted', 'expired'))) { return '' }
    if (Test-OtherHardware) {
        $text = 'connected as ' + $script:AgentResourceName + ', but on other hardware than this one: a copy of a connected machine?'
    } elseif (Test-OtherName) {
        $text = 'connected as ' + $script:AgentResourceName + ', and this host is ' + $HostName + ': renamed, or a copy of a connected machine?'
    } else { return '' }
    $text + ' A copy must not use the identity of the original: run azcmagent disconnect --force-local-only, then this script again'
}
