# Which Windows this is, and which package of the bundle is for it.

$script:Machine = @{ Product = 'an unknown system'; Version = ''; Build = 0; Architecture = '' }

# Windows 11 still has the name Windows 10, so the build number decides (Microsoft's release information pages).
function Get-WindowsVersion([int]$Build, [bool]$Server, [string]$Product) {
    if (Test-Pattern $Product 'Azure Stack HCI|Azure Local') { return 'azure-local' }
    $table = @(@(22000, '11'), @(10240, '10'))
    if ($Server) {
        $table = @(@(26100, '2025'), @(20348, '2022'), @(17763, '2019'), @(14393, '2016'), @(9600, '2012r2'), @(9200, '2012'))
    }
    foreach ($row in $table) { if ($Build -ge $row[0]) { return $row[1] } }
    ''
}

function Find-Machine {
    $Machine.Architecture = [string]$env:PROCESSOR_ARCHITEW6432
    if (-not $Machine.Architecture) { $Machine.Architecture = [string]$env:PROCESSOR_ARCHITECTURE }
    try { $facts = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' } catch { return }
    $build = 0
    [void][int]::TryParse((Get-PropertyText $facts 'CurrentBuildNumber'), [ref]$build)
    $Machine.Product = Get-PropertyText $facts 'ProductName'
    $Machine.Build = $build
    $server = -not (Test-SameAnyCase (Get-PropertyText $facts 'InstallationType') 'Client')
    $Machine.Version = Get-WindowsVersion -Build $build -Server $server -Product $Machine.Product
}

function Get-MachineText {
    '{0} (windows {1}, build {2}, {3})' -f $Machine.Product, $Machine.Version, $Machine.Build, $Machine.Architecture
}

function Find-Target {
    if (-not $Machine.Version) { return $null }
    foreach ($row in $BundleTargets) {
        if ((Test-SameAnyCase $row.Machine $Machine.Architecture) -and (-not $row.Version -or (Test-Same $row.Version $Machine.Version))) { return $row }
    }
    $null
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
