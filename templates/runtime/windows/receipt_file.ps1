# Writes the receipt: started with the first step, rewritten with each, so that it exists whatever happens.

$script:Receipt = ''          # its file, once the run has a folder for it
$script:Finished = $false
$script:Reason = ''           # a word that tells apart what one exit code can mean; set before Stop-Here
$script:RestartDue = $null    # whether this machine waits for a restart; nothing: unknown
$script:HostName = [Environment]::MachineName
$script:Started = Get-Moment

function Get-Digest {
    $sums = Get-BundlePath 'SHA256SUMS'
    if (Test-Path -LiteralPath $sums -PathType Leaf) { return (Get-Sha256 $sums) }
    ''
}

# Kind, host and the machine's digits: in a folder that many machines write to, no two of them write one file.
function Get-RecordName([string]$Kind) { $Kind + '-' + $HostName + '-' + $script:MachineDigits + '-' }

function Get-ReceiptFile {
    $at = [DateTime]::UtcNow
    while ($true) {
        $stamp = $at.ToString('yyyyMMddTHHmmssZ', [Globalization.CultureInfo]::InvariantCulture)
        $file = Join-Path $script:Records ((Get-RecordName 'receipt') + $stamp + '.json')
        # Another run in the same second keeps its own.
        if (-not [IO.File]::Exists($file) -and -not [IO.Directory]::Exists($file)) { return $file }
        $at = $at.AddSeconds(1)
    }
}

function Write-Receipt([int]$Code, [string]$Outcome) {
    if ($script:Receipt) { Save-Whole $script:Receipt (Hide-LongValues (ConvertTo-Bytes (Get-ReceiptText $Code $Outcome))) }
}

# How the run ends: once more where the first try fails, since a share may be away for a moment.
function Write-LastReceipt([int]$Code, [string]$Outcome) {
    try { Write-Receipt $Code $Outcome } catch {
        Start-Sleep -Seconds 1
        Write-Receipt $Code $Outcome
    }
}

# After each step: a kill leaves a correct receipt up to that step.
function Save-Progress {
    if (-not $script:Receipt -or $script:Finished) { return }
    try { Write-Receipt 207 'interrupted' } catch { Add-LogLine ('the receipt could not be written: ' + (Get-Reason $_.Exception)) }
}

# What is known of the seal so far; fingerprints are digits.
function Get-SealJson {
    $approvals = @($script:Approved | ForEach-Object { '"' + $_ + '"' }) -join ', '
    '{"signer": "' + $Sealer + '", "verified": ' + ([string]$script:SealVerified).ToLowerInvariant() + ', "approvals": [' + $approvals +
        '], "checked_with": "' + $script:CheckedWith + '"}'
}
