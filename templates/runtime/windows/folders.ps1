# Creates the run's protected folders and its lock, and cleans up after a run that was killed.

$script:Work = ''
$script:Lock = $null
$script:Done = $false
$script:Own = [IO.Path]::Combine([string]$env:ProgramData, 'arc-bundler')
$script:Records = $Own
if ($RecordDirectory) { $script:Records = Get-FullPath $RecordDirectory }

# Every user may create folders in ProgramData. Files in a folder that another account created are not trusted: they could make
# this script remove a root certificate from the trust store, or follow a link and remove its target.
function Confirm-Owner([string]$Folder) {
    $owner = Get-OwnerSid $Folder
    if (Test-OneOf $owner @('S-1-5-18', 'S-1-5-32-544')) { return }
    Stop-Here 202 ($Folder + ' belongs to ' + $owner + ', neither to SYSTEM nor to Administrators: another account created it; ' +
        'check its content, remove it, and run this script again')
}

# Creates a folder for SYSTEM (S-1-5-18) and Administrators (S-1-5-32-544) alone; their names differ by language.
function New-ProtectedFolder([string]$Folder) {
    $before = [IO.Directory]::Exists($Folder)
    [void][IO.Directory]::CreateDirectory($Folder)
    if ((Get-Item -LiteralPath $Folder -Force).Attributes -band [IO.FileAttributes]::ReparsePoint) {
        Stop-Here 202 ($Folder + ' is a link; remove it')
    }
    if ($before) { Confirm-Owner $Folder }
    $changes = @(
        @('/setowner', '*S-1-5-32-544'),
        @('/reset'),
        @('/inheritance:r', '/grant:r', '*S-1-5-18:(OI)(CI)F', '*S-1-5-32-544:(OI)(CI)F')
    )
    foreach ($change in $changes) {
        $answer = Invoke-Program (Get-SystemTool 'icacls.exe') (@($Folder) + $change)
        if ($answer.Code -ne 0) { Stop-Here 202 ('the rights of ' + $Folder + ' cannot be set: ' + $answer.Text.Trim()) }
    }
    if ($before -or @([IO.Directory]::GetFileSystemEntries($Folder)).Count -eq 0) { return }
    # Another process wrote into it before icacls ran. The folder is moved away, or the next run would trust it.
    $aside = $Folder + '-' + [Guid]::NewGuid().ToString('N')
    [IO.Directory]::Move($Folder, $aside)
    Stop-Here 202 ('another process wrote into ' + $Folder + ' while it was created; its content is now in ' + $aside +
        ': check it, remove it, and run this script again')
}

# A run that was killed leaves its folder behind; the folder's name has its process id.
function Remove-Leftovers {
    foreach ($folder in @(Get-ChildItem -LiteralPath $Own | Where-Object { $_.Name -cmatch '^work-(\d{1,9})-' })) {
        [void]($folder.Name -cmatch '^work-(\d+)-')
        if (-not (Get-Process | Where-Object { $_.Id -eq [int]$Matches[1] })) {
            try {
                # A link is removed, not its target.
                $link = [bool]($folder.Attributes -band [IO.FileAttributes]::ReparsePoint)
                if (-not $link) { foreach ($file in @([IO.Directory]::GetFiles($folder.FullName))) { Remove-Overwritten $file } }
                [IO.Directory]::Delete($folder.FullName, -not $link)
            } catch { Add-LogLine ('left behind: ' + $folder.FullName) }
        }
    }
}

# Temporary files of a run that was killed. Only with the lock held: no other run on this machine is writing one. In a folder that
# was named, other machines may be writing theirs.
function Remove-PartFiles {
    $end = '(\.[0-9a-f]{32})?\.part\z'
    Remove-Matching $Own ('\A(receipt-.*\.json|changes\.json|install-.*-[0-9]+\.log)' + $end)
    if (-not $RecordDirectory) { return }
    $mine = [regex]::Escape($HostName + '-' + $script:MachineDigits) + '-'
    Remove-Matching $script:Records ('\A(receipt-' + $mine + '.*\.json|install-' + $mine + '.*\.log)' + $end)
}

function Remove-Matching([string]$Folder, [string]$Form) {
    foreach ($file in @(Get-ChildItem -LiteralPath $Folder | Where-Object { $_.Name -cmatch $Form })) {
        try { [IO.File]::Delete($file.FullName) } catch { Add-LogLine ('left behind: ' + $file.FullName) }
    }
}

function Initialize-Folders {
    try {
        New-ProtectedFolder $Own
        Remove-Leftovers
        $script:Work = Join-Path $Own ('work-' + $PID + '-' + [Guid]::NewGuid().ToString('N'))
        New-ProtectedFolder $script:Work
        # A folder that the user named keeps its rights: no secret is written there.
        if ($RecordDirectory) { $script:Records = New-NamedFolder $RecordDirectory }
    } catch {
        if ($script:Stopped) { throw }
        Stop-Here 202 ('no log can be written to ' + $script:Records + ': ' + $_.Exception.Message)
    }
    try {
        $file = Join-Path $Own 'lock'
        $script:Lock = New-Object System.IO.FileStream $file, ([IO.FileMode]::OpenOrCreate), ([IO.FileAccess]::ReadWrite), ([IO.FileShare]::None)
    } catch {
        $script:Records = ''
        Stop-Here 212 ('this script is already running: ' + (Join-Path $Own 'lock') + ' is locked')
    }
    Remove-PartFiles
    Read-Changes
    $script:Receipt = Get-ReceiptFile
    try { Open-Log (Join-Path $script:Records ((Get-RecordName 'install') + (Get-Stamp) + '-' + $PID + '.log')) } catch {
        $script:Receipt = ''
        Stop-Here 202 ('no log can be written to ' + $script:Records + ': ' + (Get-Reason $_.Exception))
    }
    Add-LogLine ($BundleTool + ', bundle ' + $BundleName + ' ' + $BundleVersion + ' ' + $LabText + ', SHA256SUMS ' + (Get-Digest) +
        ', on ' + $HostName + ': ' + (Get-MachineText))
    Save-Progress
}

# A run that changes nothing writes a receipt only with -RecordDirectory.
function Initialize-ReadOnlyRun {
    if ([IO.File]::Exists((Get-ChangesFile)) -and (Test-Elevated)) { Read-Changes }
    if (-not $RecordDirectory) { return }
    $script:Records = New-NamedFolder $RecordDirectory
    $script:Receipt = Get-ReceiptFile
}
