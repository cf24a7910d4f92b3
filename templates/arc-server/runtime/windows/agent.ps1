# Where the Azure Connected Machine agent is, and which version is installed.

# ProgramW6432 is the 64-bit folder for every process; a 64-bit process of an old system may have only ProgramFiles.
$script:Programs = $env:ProgramW6432
if (-not $Programs) { $script:Programs = $env:ProgramFiles }
$script:Agent = [IO.Path]::Combine([string]$Programs, 'AzureConnectedMachineAgent', 'azcmagent.exe')

$script:UninstallKey = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall'

# The agent in Windows' list of programs. A LAB bundle's stand-in has a name that tells it from Microsoft's.
function Get-AgentPrograms {
    $names = @('Azure Connected Machine Agent')
    if ($Lab) { $names += 'Azure Connected Machine Agent (LAB)' }
    foreach ($key in @(Get-ChildItem -Path $UninstallKey -ErrorAction SilentlyContinue)) {
        # One by one: other products have values that cannot be read.
        try { $program = Get-ItemProperty -Path $key.PSPath -Name 'DisplayName', 'DisplayVersion' } catch { continue }
        if (Test-OneOfAnyCase (Get-PropertyText $program 'DisplayName') $names) {
            @{ Key = $key.PSChildName; Version = Get-PropertyText $program 'DisplayVersion' }
        }
    }
}

# A program that Windows does not start (a policy, a damaged file) is an answer too: 6 is azcmagent's own number for that.
function Invoke-Agent([string[]]$Words) {
    try { Invoke-Program $Agent $Words } catch {
        $text = 'azcmagent cannot be started: ' + (Get-Reason $_.Exception)
        Add-LogLine $text
        New-Object PSObject -Property @{ Code = 6; Text = $text; Output = '' }
    }
}

# The installed version, from Windows' list of programs or the agent itself; empty where there is none.
function Get-InstalledVersion {
    foreach ($program in @(Get-AgentPrograms)) { return $program.Version }
    if (Test-Path -LiteralPath $Agent -PathType Leaf) {
        $answer = Invoke-Agent @('version')
        if ($answer.Text -cmatch '\d+(\.\d+){2,3}') { return $Matches[0] }
    }
    ''
}
