# The managed identity: who may use it, how programs find it, and whether it returns a token.

$script:IdentityGroup = 'Hybrid agent extension applications'
$script:EnvironmentKey = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
$script:IdentityVariables = @(
    @{ Name = 'IDENTITY_ENDPOINT'; Value = 'http://localhost:40342/metadata/identity/oauth2/token' }
    @{ Name = 'IMDS_ENDPOINT'; Value = 'http://localhost:40342' }
)

$script:IdentityDone = @()
$script:IdentityLacks = @()

# By ADSI's WinNT provider: net.exe takes no group's name of more than 20 characters, and Add-LocalGroupMember came with
# Windows PowerShell 5.1. Accounts go by their SID, which local ones, a domain's and services have alike (IADsGroup::Add).
function Open-IdentityGroup { New-Object System.DirectoryServices.DirectoryEntry ('WinNT://./' + $IdentityGroup + ',group') }

# Nothing where the group does not exist: NERR_GroupNotFound (2220) as an HRESULT.
function Get-GroupMembers($Group) {
    try { $found = @($Group.Invoke('Members')) } catch {
        if ((Get-InnerCode $_.Exception) -eq -2147022676) { return $null }
        throw
    }
    $members = @()
    foreach ($one in $found) {
        $member = New-Object System.DirectoryServices.DirectoryEntry $one
        $sid = New-Object System.Security.Principal.SecurityIdentifier ([byte[]]$member.InvokeGet('objectSid')), 0
        $members += @{ Sid = $sid.Value; Path = [string]$member.InvokeGet('ADsPath') }
    }
    , $members
}

function Get-InnerCode($Problem) {
    while ($null -ne $Problem.InnerException) { $Problem = $Problem.InnerException }
    $Problem.HResult
}

# .\name is a local account; the translation needs the machine's name.
function Get-AccountSid([string]$Name) {
    $account = New-Object System.Security.Principal.NTAccount ($Name -creplace '^\.\\', ($HostName + '\'))
    $account.Translate([System.Security.Principal.SecurityIdentifier]).Value
}

function Add-IdentityMembers {
    if ($IdentityMembers.Count -eq 0) { return }
    if (-not (Test-Path -LiteralPath $Agent -PathType Leaf)) {
        # Only with -WhatIf: the agent's installation creates the group.
        foreach ($name in $IdentityMembers) { $script:IdentityDone += 'add ' + $name + ' to ' + $IdentityGroup }
        return
    }
    try {
        $group = Open-IdentityGroup
        $members = Get-GroupMembers $group
    } catch { $script:IdentityLacks += 'the group ' + $IdentityGroup + ' cannot be read: ' + (Get-Reason $_.Exception); return }
    if ($null -eq $members) { $script:IdentityLacks += 'the group ' + $IdentityGroup + ' does not exist'; return }
    $present = @($members | ForEach-Object { $_.Sid })
    foreach ($name in $IdentityMembers) {
        try { Add-IdentityMember -Group $group -Present $present -Name $name } catch {
            $script:IdentityLacks += $name + ' could not be added to ' + $IdentityGroup + ': ' + (Get-Reason $_.Exception)
        }
    }
}

function Add-IdentityMember($Group, $Present, [string]$Name) {
    $sid = Get-AccountSid $Name
    if (Test-OneOf $sid $Present) { return }
    if ($WhatIf) { $script:IdentityDone += 'add ' + $Name + ' to ' + $IdentityGroup; return }
    Add-Change -Kind 'member' -Name $Name -Value $sid
    try { [void]$Group.Invoke('Add', @('WinNT://' + $sid)) } catch {
        Remove-Change -Kind 'member' -Name $Name -Value $sid
        Save-Changes
        throw
    }
    $script:IdentityDone += $Name + ' is in ' + $IdentityGroup
}

# Uninstalling the agent removes the group; where it remains, the member is removed. True where one was.
function Remove-IdentityMember([string]$Sid) {
    $group = Open-IdentityGroup
    $members = Get-GroupMembers $group
    if ($null -eq $members) { return $false }
    foreach ($member in $members) {
        if (-not (Test-Same $member.Sid $Sid)) { continue }
        [void]$group.Invoke('Remove', @($member.Path))
        return $true
    }
    $false
}

# The machine's environment, for every program that starts from now on. A different value is not changed.
function Set-IdentityEnvironment {
    if (-not $IdentityEnvironment) { return }
    foreach ($one in $IdentityVariables) {
        $held = Get-RegistryText $EnvironmentKey $one.Name
        if (Test-SameAnyCase $held $one.Value) { continue }
        if ($held) { $script:IdentityLacks += 'the machine''s variable ' + $one.Name + ' is ' + $held + ' and was not changed'; continue }
        $script:IdentityDone += $one.Name
        if ($WhatIf) { continue }
        Add-Change -Kind 'environment' -Name $one.Name -Value $one.Value
        Set-ItemProperty -Path $EnvironmentKey -Name $one.Name -Value $one.Value
        # Notifies running programs.
        [Environment]::SetEnvironmentVariable($one.Name, $one.Value, 'Machine')
        if (Test-SameAnyCase (Get-RegistryText $EnvironmentKey $one.Name) $one.Value) { continue }
        $script:IdentityLacks += 'the machine''s variable ' + $one.Name + ' could not be set'
    }
}

# As a program asks for a token (managed-identity-authentication.md): 401 names a file that only members of the group can read.
function Get-TokenProblem {
    $url = [string]$env:IDENTITY_ENDPOINT
    if (-not (Test-Pattern $url '^http://(localhost|127\.0\.0\.1)(:\d+)?/')) { $url = $IdentityVariables[0].Value }
    $url += '?api-version=2020-06-01&resource=' + [Uri]::EscapeDataString($IdentityResource)
    $first = Get-WebAnswer -Url $url -Milliseconds 10000 -Headers @{ Metadata = 'true' }
    if ($null -eq $first) { return 'the local endpoint does not answer' }
    if ($first.Code -ne 401 -or $first.Challenge -cnotmatch '^[Bb][Aa][Ss][Ii][Cc] [Rr][Ee][Aa][Ll][Mm]="?([^"]+)"?$') {
        return ('the local endpoint answers ' + $first.Code + ' without a challenge')
    }
    $file = $Matches[1]
    $tokens = [IO.Path]::Combine([string]$env:ProgramData, 'AzureConnectedMachineAgent', 'Tokens') + [IO.Path]::DirectorySeparatorChar
    # Another program that listens on the agent's port must not get the content of other files.
    $inside = [IO.Path]::GetFullPath($file).StartsWith($tokens, [StringComparison]::OrdinalIgnoreCase)
    if (-not $inside -or -not $file.EndsWith('.key', [StringComparison]::Ordinal)) {
        return 'the local endpoint names a file outside the agent''s folder of tokens'
    }
    try {
        if ((New-Object System.IO.FileInfo $file).Length -gt 4096) { return 'the token file is too large' }
        $proof = [IO.File]::ReadAllText($file)
    } catch { return ('the token file cannot be read: ' + (Get-Reason $_.Exception)) }
    $second = Get-WebAnswer -Url $url -Milliseconds 30000 -Headers @{ Metadata = 'true'; Authorization = 'Basic ' + $proof }
    if ($null -eq $second) { return 'the local endpoint does not answer the proof' }
    if ($second.Code -ne 200 -or $second.Text -cnotmatch '"access_token"\s*:\s*"[^"]') {
        return ('the local endpoint answers ' + $second.Code + ' to the proof')
    }
    ''
}

function Set-Identity {
    $script:IdentityDone = @()
    $script:IdentityLacks = @()
    Add-IdentityMembers
    Set-IdentityEnvironment
}
