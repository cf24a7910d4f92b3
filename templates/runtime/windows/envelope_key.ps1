# Finds and opens the key that decrypts an envelope.

# Out of the environment at once, before the first child is started.
$script:Passphrase = [Environment]::GetEnvironmentVariable('ARC_BUNDLER_ENVELOPE_PASSPHRASE')
if (Test-Path -LiteralPath 'Env:\ARC_BUNDLER_ENVELOPE_PASSPHRASE') { Remove-Item -LiteralPath 'Env:\ARC_BUNDLER_ENVELOPE_PASSPHRASE' }
Add-Secret $script:Passphrase

# The file of the key: as given, or the .p12 beside the envelope; empty: the certificate stores.
function Get-KeyFile {
    if ($RecipientKey) { return Get-FullPath $RecipientKey }
    $beside = (Get-FullPath $Envelope) + '.p12'
    if ([IO.File]::Exists($beside)) { return $beside }
    ''
}

function Get-PassphraseSource {
    if ($PassphraseFile) { return 'the file ' + $PassphraseFile }
    if ($PassphraseStdin) { return 'standard input' }
    if ($script:Passphrase) { return 'ARC_BUNDLER_ENVELOPE_PASSPHRASE' }
    if (Test-Prompt) { return 'a prompt' }
    ''
}

function Read-PassphraseText([string]$KeyFile) {
    if ($PassphraseFile) {
        try {
            return [IO.File]::ReadAllText((Get-FullPath $PassphraseFile))
        } catch {
            Stop-Here 203 (Get-UnreadableText -What 'the passphrase''s file' -Switch '-PassphraseFile' -Given $PassphraseFile)
        }
    }
    if ($PassphraseStdin) { return Read-StandardInput }
    if ($script:Passphrase) { return $script:Passphrase }
    $secure = Read-Host -AsSecureString ('the passphrase of ' + $KeyFile + ' (not shown)')
    (New-Object System.Management.Automation.PSCredential 'x', $secure).GetNetworkCredential().Password
}

# The first line of the passphrase's source.
function Get-Passphrase([string]$KeyFile) {
    $text = ([string](Read-PassphraseText $KeyFile)) -creplace '(?s)\r?\n.*\z', ''
    $script:Passphrase = ''
    if (-not $text) { Stop-Here 203 'the passphrase is empty' }
    Add-Secret $text
    $text
}

# Nothing where the passphrase does not open it. MachineKeySet: an account without a loaded profile (a service, a remote
# session) has no key set of its own; and without PersistKeySet Reset() removes the key's container. EphemeralKeySet came with
# .NET 4.7.2, and EnvelopedCms cannot use such keys.
function Open-Key([string]$KeyFile, [string]$Given) {
    $kept = [Security.Cryptography.X509Certificates.X509KeyStorageFlags]::MachineKeySet
    # Not by New-Object: a policy (module logging, event 4103) has the arguments of cmdlets written into the event log.
    $type = [Security.Cryptography.X509Certificates.X509Certificate2]
    try { [Activator]::CreateInstance($type, [object[]]@($KeyFile, $Given, $kept)) } catch {
        Add-LogLine ('the key was not opened: ' + (Get-Reason $_.Exception))
        $null
    }
}

function Read-Key([string]$KeyFile) {
    $given = Get-Passphrase $KeyFile
    $key = Open-Key $KeyFile $given
    # Words typed from paper: capitals, and several blanks.
    if ($null -eq $key) {
        $given = ($given -creplace '\s+', ' ').Trim().ToLowerInvariant()
        Add-Secret $given
        $key = Open-Key $KeyFile $given
    }
    if ($null -eq $key) {
        $why = ''
        if ($Machine.Build -gt 0 -and $Machine.Build -lt 17763) {
            $why = '; one made with seal-secret --modern opens only from Windows Server 2019 on'
        }
        Stop-Here 203 ('the passphrase does not open ' + $KeyFile + ', or the file is not a key' + $why)
    }
    if ($key.HasPrivateKey) { return $key }
    $key.Reset()
    Stop-Here 203 ($KeyFile + ' holds no private key with its certificate; on Windows it is a PKCS #12 file (.p12, .pfx)')
}

# Certificates with a private key in the machine's and the user's store that the envelope names.
function Find-Keys([string]$Digits) {
    foreach ($place in @('LocalMachine', 'CurrentUser')) {
        $store = New-Object System.Security.Cryptography.X509Certificates.X509Store 'My', $place
        try { $store.Open([Security.Cryptography.X509Certificates.OpenFlags]'ReadOnly, OpenExistingOnly') } catch { continue }
        try {
            foreach ($one in $store.Certificates) { if ($one.HasPrivateKey -and (Test-NamedKey $one $Digits)) { $one } }
        } finally { $store.Close() }
    }
}

function Test-NamedKey($One, [string]$Digits) {
    $named = Get-IssuerAndSerial $One.RawData
    $named -and $Digits.Contains($named)
}
