# Eight hex digits that tell this machine from others of its host name, for names of files and for receipts.

$script:MachineDigits = ''
$script:MachineKnown = $true  # false: nothing but the host name tells it apart

# The UUID of the firmware (SMBIOS 3.7, 7.2.1); nothing for a value that many machines share: all of one digit, or the one that
# boards are delivered with.
function Get-FirmwareId {
    try { $id = ([string](Get-CimInstance -ClassName Win32_ComputerSystemProduct).UUID).Trim().ToLowerInvariant() } catch { return '' }
    if ($id -cnotmatch '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') { return '' }
    if ($id -cmatch '^([0-]+|[f-]+|03000200-0400-0500-0006-000700080009)$') { return '' }
    $id
}

# A 32-bit PowerShell is refused, and its receipt is still this machine's: its own registry has no MachineGuid.
function Get-MachineGuid {
    if (-not (Test-Wow64)) { return (Get-RegistryText 'HKLM:\SOFTWARE\Microsoft\Cryptography' 'MachineGuid') }
    try {
        $view = [Microsoft.Win32.RegistryView]::Registry64
        $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey([Microsoft.Win32.RegistryHive]::LocalMachine, $view)
        try { [string]$root.OpenSubKey('SOFTWARE\Microsoft\Cryptography').GetValue('MachineGuid') } finally { $root.Dispose() }
    } catch { '' }
}

# MachineGuid, which Windows makes when it is installed, or the firmware's UUID; empty where there is neither.
function Get-MachineKey {
    $guid = (Get-MachineGuid).Trim().ToLowerInvariant()
    if ($guid -cmatch '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' -and $guid -cnotmatch '^[0-]+$') { return $guid }
    Get-FirmwareId
}

# install.sh hashes the same bytes: our name, a blank, "machine", a blank, the key.
function Find-MachineDigits {
    $key = Get-MachineKey
    if (-not $key) {
        $script:MachineKnown = $false
        $key = $HostName.ToLowerInvariant()
    }
    $bytes = $script:Utf8.GetBytes('arc-bundler machine ' + $key)
    $script:MachineDigits = (Get-BytesSha256 $bytes $bytes.Length).Substring(0, 8)
}
