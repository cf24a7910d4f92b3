# Checks this machine: rights, PowerShell, .NET, pending restarts, running installations, the clock, free space.

function Test-Elevated {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    (New-Object Security.Principal.WindowsPrincipal $identity).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Get-RegistryText([string]$Key, [string]$Name) {
    try { Get-PropertyText (Get-ItemProperty -Path $Key) $Name } catch { '' }
}

# Windows gives a 32-bit process another registry and another System32.
function Test-Wow64 { [Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess }

$script:Wow64Text = 'this is the 32-bit PowerShell; start the 64-bit one (SysNative, not SysWOW64)'

function Test-Versions {
    if ($PSVersionTable.PSVersion.Major -lt 4) {
        Add-Problem 202 ('this is PowerShell ' + $PSVersionTable.PSVersion + '; 4.0 or newer is needed') -Reason 'old-powershell'
    }
    # 393295 is .NET Framework 4.6 (How to determine which versions are installed).
    $release = 0
    [void][int]::TryParse((Get-RegistryText 'HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' 'Release'), [ref]$release)
    if ($release -lt 393295) { Add-Problem 202 '.NET Framework 4.6 or newer is needed' -Reason 'old-framework' }
}

# This script does not need a restart, but later failures are often caused by a pending one.
function Test-Restart {
    $script:RestartDue = Test-RestartPending
    if ($script:RestartDue) { Add-Warning 'a restart of this machine is pending' }
}

function Test-RestartPending {
    $keys = @(
        'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending',
        'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'
    )
    $pending = @($keys | Where-Object { Test-Path -Path $_ }).Count -gt 0
    if (Get-RegistryText 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager' 'PendingFileRenameOperations') { $pending = $true }
    $pending
}

# Windows Installer holds this mutex while it installs (Windows Installer, "_MSIExecute Mutex").
function Test-InstallerBusy {
    $mutex = $null
    try {
        $mutex = [System.Threading.Mutex]::OpenExisting('Global\_MSIExecute')
    } catch {
        return (Test-Same (Get-InnerType $_.Exception) 'UnauthorizedAccessException')
    }
    try {
        $free = $false
        try { $free = $mutex.WaitOne(0) } catch { $free = Test-Same (Get-InnerType $_.Exception) 'AbandonedMutexException' }
        if ($free) { $mutex.ReleaseMutex() }
        -not $free
    } finally { $mutex.Dispose() }
}

function Get-InnerType($Problem) {
    while ($null -ne $Problem.InnerException) { $Problem = $Problem.InnerException }
    $Problem.GetType().Name
}

function Test-Installer {
    if (-not (Test-InstallerBusy)) { return }
    $holders = @(Get-Process | Where-Object { Test-SameAnyCase $_.ProcessName 'msiexec' } | ForEach-Object { 'msiexec ' + $_.Id }) -join ', '
    if (-not $holders) { $holders = 'Windows Installer' }
    $wait = $script:LockSeconds
    if ($CheckOnly -or $WhatIf) { $wait = 0 }
    if ($wait) { Write-Line ('        another installation is running (' + $holders + '); waiting for at most ' + $wait + ' s') }
    $until = [DateTime]::UtcNow.AddSeconds($wait)
    while ([DateTime]::UtcNow -lt $until) {
        Start-Sleep -Milliseconds 500
        if (-not (Test-InstallerBusy)) { return }
    }
    Add-Problem 211 ('another installation is running: ' + $holders)
}

# A warning from 120 seconds on; sign-in fails from five minutes on.
function Test-Clock {
    if ($null -eq $script:Skew) {
        if ($script:Network.Count -gt 0) { Add-Note 'not tested: this machine''s clock, because no endpoint reported the time' }
        return
    }
    if ([Math]::Abs($script:Skew) -le 120) { return }
    $side = 'ahead'
    if ($script:Skew -lt 0) { $side = 'behind' }
    Add-Warning ('this machine''s clock is ' + [Math]::Abs($script:Skew) + ' s ' + $side)
}

# Free space of a folder's volume in KiB; nothing where it is unknown (a share).
function Get-FreeKib([string]$Root) {
    try { (New-Object System.IO.DriveInfo $Root).AvailableFreeSpace / 1024 } catch { $null }
}
