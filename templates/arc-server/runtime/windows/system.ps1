# Which Windows this is, and which package of the bundle is for it.

$script:Machine = @{ Product = 'an unknown system'; Version = ''; Build = 0; Architecture = ''; Edition = ''; Exact = $true }

# Windows 11 still has the name Windows 10, so the build number decides (Microsoft's release information pages).
function Get-WindowsVersion([int]$Build, [bool]$Server, [string]$Product) {
    if (Test-Pattern $Product 'Azure Stack HCI|Azure Local') { return 'azure-local' }
    foreach ($row in @(Get-BuildTable $Server)) { if ($Build -ge $row.Build) { return $row.Version } }
    ''
}

function Get-BuildTable([bool]$Server) {
    if (-not $Server) { return @(@{ Build = 22000; Version = '11' }, @{ Build = 10240; Version = '10' }) }
    @(
        @{ Build = 26100; Version = '2025' }, @{ Build = 20348; Version = '2022' }, @{ Build = 17763; Version = '2019' }
        @{ Build = 14393; Version = '2016' }, @{ Build = 9600; Version = '2012r2' }, @{ Build = 9200; Version = '2012' }
    )
}

# Azure Local, once Azure Stack HCI: by its name, its edition, or its SKU 406 (winnt.h, PRODUCT_AZURESTACKHCI_SERVER_CORE).
function Test-AzureLocal([string]$Product, [string]$Edition) {
    if (Test-Pattern ($Product + ' ' + $Edition) 'Azure ?Stack ?HCI|Azure ?Local') { return $true }
    try { [int](Get-CimInstance -ClassName Win32_OperatingSystem).OperatingSystemSKU -eq 406 } catch { $false }
}

function Find-Machine {
    $Machine.Architecture = [string]$env:PROCESSOR_ARCHITEW6432
    if (-not $Machine.Architecture) { $Machine.Architecture = [string]$env:PROCESSOR_ARCHITECTURE }
    try { $facts = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' } catch { return }
    $build = 0
    [void][int]::TryParse((Get-PropertyText $facts 'CurrentBuildNumber'), [ref]$build)
    $Machine.Product = Get-PropertyText $facts 'ProductName'
    $Machine.Build = $build
    $Machine.Edition = Get-PropertyText $facts 'EditionID'
    $kind = Get-PropertyText $facts 'InstallationType'
    if (Test-AzureLocal $Machine.Product $Machine.Edition) { $Machine.Version = 'azure-local'; return }
    # Neither runs Windows Installer's packages.
    if (Test-Pattern $kind 'Nano|IoTUAP') { return }
    $server = -not (Test-SameAnyCase $kind 'Client')
    $Machine.Version = Get-WindowsVersion -Build $build -Server $server -Product $Machine.Product
    # Windows 10 and 11 have many builds, a Windows Server one: others were previews and "Windows Server, version 1903" and its kin.
    if ($server) { $Machine.Exact = @(Get-BuildTable $true | Where-Object { [int]$_.Build -eq [int]$build }).Count -gt 0 }
}

function Get-MachineText {
    '{0} (windows {1}, build {2}, {3})' -f $Machine.Product, $Machine.Version, $Machine.Build, $Machine.Architecture
}

function Find-Target {
    if (-not $Machine.Version) { return $null }
    $rows = @($BundleTargets | Where-Object { Test-SameAnyCase $_.Machine $Machine.Architecture })
    # The most exact one, whatever the order.
    foreach ($row in $rows) { if (Test-Same $row.Version $Machine.Version) { return $row } }
    # Azure Local has to be named: it registers itself.
    if (Test-Same $Machine.Version 'azure-local') { return $null }
    foreach ($row in $rows) { if (-not $row.Version) { return $row } }
    $null
}

# What this Windows is, beside its version.
function Test-System {
    if (Test-Same $Machine.Version 'azure-local') { Test-AzureLocalTarget; return }
    if (-not $script:TargetFits) { Add-Problem 204 ('this is ' + (Get-MachineText) + '; the bundle is for ' + $Targets); return }
    if (-not $Machine.Exact) {
        Add-Warning ('build ' + $Machine.Build + ' is not one of Windows Server ' + $Machine.Version + '; Microsoft supports the agent on those')
    }
}

function Test-AzureLocalTarget {
    $text = 'this machine runs ' + $Machine.Product + ': its nodes connect themselves when Azure Local is deployed'
    if ($script:TargetFits) {
        Add-Warning ($text + '; the bundle names windows/azure-local, so this goes on')
        return
    }
    Add-Problem 204 ($text + ', and this bundle would make a second resource; use that registration. ' +
        'To go on, name the target windows/azure-local in the definition') -Reason 'azure-local'
}

# The names of the bundle's targets, each once.
function Get-TargetNames {
    $names = @()
    foreach ($row in $BundleTargets) { if (-not (Test-OneOf $row.Target $names)) { $names += $row.Target } }
    $names -join ', '
}

$script:Targets = Get-TargetNames
$script:Target = $null
$script:TargetFits = $false
