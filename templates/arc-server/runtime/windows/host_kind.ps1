# What kind of host this is: containers and Azure VMs are not for Azure Arc-enabled servers; what its name and SQL Server lead to.

# Windows sets it in its containers (microsoft/hcsshim).
function Test-Container {
    if (-not (Get-RegistryText 'HKLM:\SYSTEM\CurrentControlSet\Control' 'ContainerType')) { return }
    Add-ProblemUnlessLab 202 'this is a container; connect the machine that runs it: the agent needs a Windows with its own services' -Reason 'container'
}

# The tag of the chassis of a virtual machine in Azure, and in Azure Stack Hub, where Arc is allowed. Where the metadata service is
# silent as well, it may be blocked, as Microsoft's test instructions say.
function Test-Chassis {
    try { $tag = [string](Get-CimInstance -ClassName Win32_SystemEnclosure).SMBIOSAssetTag } catch { return }
    if (-not (Test-Same $tag.Trim() '7783-7084-3265-9085-8269-3286-77') -or (Test-ArcTest)) { return }
    Add-Warning ('the firmware says that this is a virtual machine in Azure, but its metadata service does not answer; ' +
        'Azure VMs need no Azure Arc')
}

# The DNS name's first part, of which NetBIOS has 15 letters.
function Get-OwnName {
    $name = Get-RegistryText 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters' 'Hostname'
    if ($name) { return $name }
    $HostName
}

# What the agent would name the resource, where the bundle gives no name.
function Test-HostName {
    if ($WantedName -or (Test-Same $script:State 'wanted')) { return }
    $name = Get-OwnName
    $word = Get-ReservedWord $name
    $text = ''
    if ($name.Length -gt 54) {
        $text = [string]$name.Length + ' characters long; Azure takes 54'
    } elseif ($name -cnotmatch '\A[A-Za-z0-9._-]*[A-Za-z0-9]\z') {
        $text = 'not one that Azure takes: letters, digits, -, _ and ., with a letter or digit at the end'
    } elseif ($word) {
        $text = 'refused by Azure, which reserves the word ' + $word
    }
    if (-not $text) { return }
    Add-Warning ('the resource gets this machine''s name, and ' + $name + ' is ' + $text +
        ': connecting would end with 42 or 102; give resource_name in the definition')
}

# The names of SQL Server's instances (and of its services, where that part of the registry is not there).
function Get-SqlInstances {
    $key = 'HKLM:\SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL'
    try { return @((Get-Item -Path $key -ErrorAction Stop).Property) } catch { Add-LogLine 'the registry has no instance of SQL Server' }
    try {
        @(Get-Service | Where-Object { $_.Name -cmatch '^MSSQL(SERVER$|\$)' } | ForEach-Object { $_.Name -creplace '^MSSQL\$', '' })
    } catch { @() }
}

# Azure deploys its extension for SQL Server to every connected server that has one, unless this tag came with the connection
# (azure-docs, sql-server/azure-arc/manage-autodeploy).
function Test-SqlServer {
    if ((Test-Same $script:State 'wanted') -or (Test-Pattern $ConnectJson 'ArcSQLServerExtensionDeployment')) { return }
    $names = @(Get-SqlInstances | Where-Object { $_ })
    if ($names.Count -eq 0) { return }
    Add-Warning ('SQL Server (' + ($names -join ', ') + ') runs here: once connected, Azure installs its extension for SQL Server and ' +
        'grants roles in every database; the tag ArcSQLServerExtensionDeployment: Disabled in the definition''s tags keeps it away')
}
