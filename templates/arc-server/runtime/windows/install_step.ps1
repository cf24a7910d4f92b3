# Step 3, install: runs msiexec with a copy of the package that was hashed.

# msiexec's codes for Microsoft's own numbers (facts of install_windows_azcmagent.ps1).
function Get-InstallCode([int]$Code) {
    $table = @{ 1603 = 156; 1633 = 153; 112 = 158; 1618 = 159; 1622 = 160 }
    if ($table.ContainsKey($Code)) { return $table[$Code] }
    149
}

# What to do with the package, and why. Without a Verb there is nothing to do.
function Get-InstallPlan {
    $wanted = $script:Target.PackageVersion
    $present = Get-InstalledVersion
    $plan = @{ Verb = 'install'; Present = $present; Text = ''; Remove = $false; Repair = $false }
    if (-not $present) { return $plan }
    # Listed, but its program is missing. Installing alone does not help: Windows Installer considers the agent installed,
    # and the agent's package refuses repairs from 1.66 on (agent-release-notes.md).
    if (-not (Test-Path -LiteralPath $Agent -PathType Leaf)) {
        $plan.Verb = 'repair: install'
        $plan.Repair = $true
        $plan.Remove = [bool](Get-ProductCode)
        return $plan
    }
    $order = Compare-Version $present $wanted
    $plan.Verb = 'upgrade from ' + $present + ' to'
    if ($order -eq 0) {
        $plan.Verb = ''
        $plan.Text = 'the agent ' + $present + ' is installed'
    } elseif ($order -gt 0 -and $AllowDowngrade) {
        $plan.Verb = 'downgrade from ' + $present + ' to'
        $plan.Remove = $true
    } elseif ($order -gt 0) {
        $plan.Verb = ''
        $plan.Text = 'the agent ' + $present + ' is installed, newer than the bundle''s ' + $wanted + '; left as it is (-AllowDowngrade)'
    }
    $plan
}

function Step-Install {
    Start-Step 'install'
    $plan = Get-InstallPlan
    if (-not $plan.Verb) { Complete-Step 'skip' $plan.Text; return }
    if ($WhatIf) {
        Complete-Step 'would' ($plan.Verb + ' the agent ' + $script:Target.PackageVersion + ' from ' + $script:Target.Path + ', with msiexec')
        return
    }
    $code = 149
    if ($plan.Repair) { $code = 214 }
    if ($plan.Remove) { Remove-Present $code }
    $note = Install-AgentPackage $plan.Repair
    Reset-ReceiptFacts
    $present = Get-InstalledVersion
    if (-not (Test-Path -LiteralPath $Agent -PathType Leaf)) { Stop-Here $code ('msiexec succeeded, but ' + $Agent + ' is missing') }
    if (Test-Same $script:State 'absent') { Read-StateLeft }
    Complete-Step 'ok' ('the agent ' + $present + $note)
}

# Only the installed agent can report the state that an earlier one left in ProgramData: the machine may be connected already.
# A service that has just started does not answer at once; where nothing was left, the agent is not connected.
function Read-StateLeft {
    Read-StateAgain
    if (Test-Unknown) {
        if (Get-KeptResource) { Stop-Unknown }
        Reset-State 'disconnected'
    }
    if (-not (Test-Same $script:State 'elsewhere') -or $Reconnect) { return }
    Stop-Here 67 ('the agent is installed; an earlier one left this machine connected to ' + $script:AgentResource +
        ', but the bundle is for ' + (Get-WantedResource) + ' (-Reconnect moves it)')
}

# The documented downgrade: uninstall, then install; the connection stays (manage-agent.md). An older agent cannot write its
# state file, which 1.61 made read-only (agent-release-notes.md).
function Remove-Present([int]$Code) {
    Remove-Package $Code
    $file = [IO.Path]::Combine([string]$env:ProgramData, 'AzureConnectedMachineAgent', 'Config', 'agentconfig.json')
    if ([IO.File]::Exists($file)) {
        [IO.File]::SetAttributes($file, ([IO.File]::GetAttributes($file) -band (-bnot [IO.FileAttributes]::ReadOnly)))
    }
}

# Installs the file that was hashed: only administrators can change this copy. Windows Installer, a service of another account,
# cannot read a mapped drive or a share anyway.
function Install-AgentPackage([bool]$Repair) {
    $copy = Copy-Checked $script:Target.Path $script:Target.Sha256
    $msiLog = Join-Path $script:Records ((Get-RecordName 'msiexec') + (Get-Stamp) + '.log')
    $answer = Invoke-Msi -Words @('/i', $copy) -LogFile $msiLog
    # 3010 and 1641: done, after a restart (Windows Installer, "Error Codes").
    if (@(3010, 1641) -contains $answer.Code) { return '; a restart is needed' }
    if ($answer.Code -ne 0) {
        Show-End $answer.Text
        $code = Get-InstallCode $answer.Code
        $cause = Get-FailureText $answer.Code $msiLog
        # A general failure is a failed repair; a full disk or another installation has its own number.
        if ($Repair -and @(149, 156) -contains $code) { $code = 214 }
        Stop-Here $code ('msiexec ended with ' + $answer.Code + $cause + '; its log is ' + $msiLog)
    }
    ''
}

# 1603 alone says nothing: its log is shown, and its cause where that is known.
function Get-FailureText([int]$Code, [string]$LogFile) {
    if ((Get-InstallCode $Code) -ne 156) { return '' }
    $cause = Show-MsiTrouble $LogFile
    if ($cause) { return ': ' + $cause }
    ''
}

# msiexec opens its log by name, and would follow a link in a folder that other users can write: it gets one in the protected
# folder, which is copied.
function Invoke-Msi([string[]]$Words, [string]$LogFile) {
    $log = Join-Path $script:Work (Split-Path -Leaf $LogFile)
    $answer = Invoke-Program (Get-SystemTool 'msiexec.exe') ($Words + @('/qn', '/norestart', '/l*v', $log))
    if ([IO.File]::Exists($log)) {
        try { Save-WholeBytes -File $LogFile -Bytes ([IO.File]::ReadAllBytes($log)) } catch { Add-LogLine ('not copied: ' + $log) }
    }
    $answer
}

# Windows Installer's product code: the key's name, a GUID in braces.
function Get-ProductCode {
    foreach ($program in @(Get-AgentPrograms)) { if ($program.Key -cmatch '^\{[0-9A-Fa-f-]{36}\}$') { return $program.Key } }
    ''
}

function Remove-Package([int]$Code) {
    $product = Get-ProductCode
    if (-not $product) { Stop-Here $Code 'the agent is installed, but not in Windows'' list of programs; msiexec cannot remove it' }
    # Not the name of the installation's log, which may be from the same second.
    $msiLog = Join-Path $script:Records ((Get-RecordName 'msiexec-remove') + (Get-Stamp) + '.log')
    $answer = Invoke-Msi -Words @('/x', $product) -LogFile $msiLog
    # 1605: there is no such product (Windows Installer, "Error Codes").
    if (@(0, 3010, 1641, 1605) -notcontains $answer.Code) {
        Show-End $answer.Text
        $cause = Get-FailureText $answer.Code $msiLog
        Stop-Here $Code ('msiexec ended with ' + $answer.Code + ' while removing' + $cause + '; its log is ' + $msiLog)
    }
}
