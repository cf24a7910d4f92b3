# Whether another user can exchange files of the bundle while an administrator uses them, by Windows' rights.

# SYSTEM, Administrators and TrustedInstaller; CREATOR OWNER and OWNER RIGHTS stand for the owner, who is looked at alone
# (well-known SIDs, [MS-DTYP] 2.4.2.4).
$script:OwnSids = @(
    'S-1-5-18', 'S-1-5-32-544', 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464', 'S-1-3-0', 'S-1-3-4'
)
# The built-in Administrator, Domain Admins and Enterprise Admins ([MS-DTYP] 2.4.2.4).
$script:OwnAccounts = '\AS-1-5-21-.*-(500|512|519)\z'
$script:EverySids = @('S-1-1-0', 'S-1-5-11', 'S-1-5-32-545')
# Access masks (winnt.h): DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_ALL and FILE_DELETE_CHILD exchange what is there;
# FILE_ADD_FILE, FILE_ADD_SUBDIRECTORY and GENERIC_WRITE write to it.
$script:ExchangeMask = 0x100d0040
$script:WriteMask = 0x500d0046

# Get-Acl's module does not load in a Windows PowerShell that inherits PowerShell 7's list of module folders.
function Get-Rights([string]$Path, [string]$Sections = 'Owner, Access') {
    try { return (Get-Acl -LiteralPath $Path) } catch {
        if ([IO.File]::Exists($Path)) { return (New-Object System.Security.AccessControl.FileSecurity $Path, $Sections) }
    }
    New-Object System.Security.AccessControl.DirectorySecurity $Path, $Sections
}

function Get-OwnerSid([string]$Path) {
    (Get-Rights $Path 'Owner').GetOwner([Security.Principal.SecurityIdentifier]).Value
}

function Test-OwnSid([string]$Sid) {
    if ((Test-OneOf $Sid $OwnSids) -or $Sid -cmatch $OwnAccounts) { return $true }
    try { Test-Same $Sid ([Security.Principal.WindowsIdentity]::GetCurrent().User.Value) } catch { $false }
}

function Get-AccountText([string]$Sid) {
    if (Test-OneOf $Sid $EverySids) { return 'every user' }
    try {
        (New-Object System.Security.Principal.SecurityIdentifier $Sid).Translate([Security.Principal.NTAccount]).Value
    } catch { $Sid }
}

# Which others have one of these rights; empty where there are none. A denial is not subtracted.
function Get-Others([string]$Path, [int]$Mask) {
    $rights = Get-Rights $Path
    $owner = $rights.GetOwner([Security.Principal.SecurityIdentifier]).Value
    if (-not (Test-OwnSid $owner)) { return 'its owner ' + (Get-AccountText $owner) }
    foreach ($rule in @($rights.GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier]))) {
        # 2: for what is made in it only (PropagationFlags.InheritOnly).
        if (-not (Test-Same ([string]$rule.AccessControlType) 'Allow') -or ([int]$rule.PropagationFlags -band 2)) { continue }
        if (-not ([int]$rule.FileSystemRights -band $Mask)) { continue }
        $sid = [string]$rule.IdentityReference.Value
        if (-not (Test-OwnSid $sid)) { return (Get-AccountText $sid) }
    }
    ''
}

function Get-SharedText([string]$Path, [int]$Mask) {
    # A disc, or a share, may have no rights to read.
    try { $others = Get-Others $Path $Mask } catch { return '' }
    if ($others) { return $Path + ' can be written by ' + $others }
    ''
}

# The first place with others: a folder above the bundle, the bundle's own, or a file in it; empty where there is none.
function Get-SharedPlace {
    for ($path = [IO.Path]::GetDirectoryName($Bundle); $path; $path = [IO.Path]::GetDirectoryName($path)) {
        $text = Get-SharedText $path $ExchangeMask
        if ($text) { return $text }
    }
    $text = Get-SharedText $Bundle $WriteMask
    if ($text) { return $text }
    foreach ($item in @(Get-ChildItem -LiteralPath $Bundle -Recurse -Force)) {
        $text = Get-SharedText $item.FullName $WriteMask
        if ($text) { return $text }
    }
    ''
}

function Test-Place {
    $text = Get-SharedPlace
    if (-not $text) { return }
    Add-Warning ((Get-Printable $text) + ', who can exchange files of this bundle while it is used: ' +
        'copy it into a folder that only administrators can write (icacls shows the rights)')
}
