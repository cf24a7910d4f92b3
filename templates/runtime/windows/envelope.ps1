# Opens an envelope: decrypts it, verifies its signature, and takes the secret out.

$script:EnvelopeUntil = ''    # when it expires, as text, once it was opened
$script:Certificate = $null   # a certificate with its key, where an envelope held one

# The bytes of the envelope; empty where it cannot be read, or is longer than any envelope. Read once: what was looked at is what
# is opened.
function Read-Envelope {
    if ($script:EnvelopeHeld.Length -eq 0) { $script:EnvelopeHeld = Read-EnvelopeFile }
    , $script:EnvelopeHeld
}

$script:EnvelopeHeld = [byte[]]@()

function Read-EnvelopeFile {
    try { $file = New-Object System.IO.FileInfo (Get-FullPath $Envelope) } catch { return , [byte[]]@() }
    if (-not $file.Exists -or $file.Length -gt 1048576) { return , [byte[]]@() }
    try { , [IO.File]::ReadAllBytes($file.FullName) } catch { , [byte[]]@() }
}

# Why the envelope cannot be opened, as far as that shows without its key.
function Get-EnvelopeProblem {
    if (-not $Sealer) { return 'this bundle is not sealed, so envelopes cannot be verified; use -SecretFile' }
    try { Add-Type -AssemblyName System.Security } catch { return 'this PowerShell has no EnvelopedCms: .NET''s System.Security is needed' }
    if (-not [IO.File]::Exists((Get-FullPath $Envelope))) { return Get-MissingText 'the envelope' '-Envelope' }
    if (-not (Test-Envelope (ConvertTo-Hex (Read-Envelope)))) { return $Envelope + ' is not an envelope, or is incomplete' }
    if ($RecipientKey -and -not [IO.File]::Exists((Get-KeyFile))) {
        return Get-MissingText 'the envelope''s key' '-RecipientKey'
    }
    if ((Get-KeyFile) -and -not (Get-PassphraseSource)) {
        return 'the passphrase of ' + (Get-KeyFile) + ' is missing: no file, no variable, no prompt'
    }
    ''
}

# The decrypted content. Each recipient with the serial number of this key's certificate is tried: an issuer's name has too many
# spellings to compare, and .NET compares it again.
function Get-DecryptedContent([byte[]]$Bytes, $Key) {
    $with = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2Collection $Key
    $named = Get-IssuerAndSerial $Key.RawData
    $why = 'no recipient has the serial number of this key''s certificate'
    for ($at = 0; $true; $at++) {
        $closed = New-Object System.Security.Cryptography.Pkcs.EnvelopedCms
        $closed.Decode($Bytes)
        if ($at -ge $closed.RecipientInfos.Count) { throw $why }
        $recipient = $closed.RecipientInfos[$at]
        if (-not $named.EndsWith((Get-SerialDigits $recipient), [StringComparison]::Ordinal)) { continue }
        try {
            $closed.Decrypt($recipient, $with)
            return , $closed.ContentInfo.Content
        } catch { $why = Get-Reason $_.Exception }
    }
}

# The signed payload; throws where the key does not fit or a byte has changed. CBC does not authenticate: only the signature
# proves that this is what was encrypted.
function Get-SignedPayload([byte[]]$Bytes, $Key) {
    $signed = New-Object System.Security.Cryptography.Pkcs.SignedCms
    $signed.Decode((Get-DecryptedContent $Bytes $Key))
    # $true: the signature alone; the signer is compared next.
    $signed.CheckSignature($true)
    $signed
}

function Get-SerialDigits($Recipient) { ([string]$Recipient.RecipientIdentifier.Value.SerialNumber).ToLowerInvariant() }

function Read-Payload([byte[]]$Bytes, $Key, [string]$From) {
    try { $signed = Get-SignedPayload $Bytes $Key } catch {
        Add-LogLine ('the envelope was not opened: ' + (Get-Reason $_.Exception))
        $signed = $null
    }
    if ($null -eq $signed) { Stop-Here 203 ('the envelope has changed since it was made, or it is not for ' + $From) }
    if ($signed.SignerInfos.Count -ne 1 -or $null -eq $signed.SignerInfos[0].Certificate) {
        Stop-Here 203 'the envelope does not have exactly one signer'
    }
    $der = $signed.SignerInfos[0].Certificate.RawData
    $seen = Get-BytesSha256 $der $der.Length
    if (-not (Test-Same $seen $Sealer)) { Stop-Here 203 ('the envelope is not signed by the bundle''s sealer: its signer has the fingerprint ' + $seen) }
    $signed.ContentInfo.Content
}

# Fills $Secret or $Certificate, or stops with the reason.
function Open-Envelope {
    $problem = Get-EnvelopeProblem
    if ($problem) { Stop-Here 203 $problem }
    $bytes = Read-Envelope
    $digits = ConvertTo-Hex $bytes
    $from = Get-KeyFile
    $keys = @()
    try {
        if ($from) { $keys = @(Read-Key $from) } else { $keys = @(Find-Keys $digits) }
        if ($keys.Count -eq 0) {
            Stop-Here 203 ('no key opens the envelope: none of its recipients'' certificates is in the machine''s or the user''s store, and ' +
                $Envelope + '.p12 does not exist (-RecipientKey FILE)')
        }
        if (-not (Test-NamedKey $keys[0] $digits)) { Stop-Here 203 ('the envelope is for another recipient than ' + $from) }
        if (-not $from) { $from = 'the key of ' + (Get-Printable $keys[0].Subject) + ' in the certificate store' }
        $recipient = $keys[0].RawData
        Use-Payload (Read-Payload -Bytes $bytes -Key $keys[0] -From $from) (Get-BytesSha256 $recipient $recipient.Length)
    } finally {
        # No key stays in a key container.
        foreach ($key in $keys) { $key.Reset() }
    }
}

# The payload's lines by name, and whether it lists this recipient; nothing for an unknown form.
function ConvertFrom-Payload([byte[]]$Content, [string]$Recipient) {
    $payload = @{ first = $false; bundle = ''; kind = ''; expires = ''; secret = ''; listed = $false }
    $strict = New-Object System.Text.UTF8Encoding $false, $true
    try { $text = $strict.GetString($Content) } catch { return $null }
    foreach ($line in $text.TrimEnd("`n").Split("`n")) {
        if (Test-Same $line 'arc-bundler envelope 1') { $payload.first = $true; continue }
        if ($line -cnotmatch '\A(bundle|kind|expires|for|secret): (.*)\z') { return $null }
        if (-not (Test-Same $Matches[1] 'for')) { $payload[$Matches[1]] = $Matches[2] } elseif (Test-Same $Matches[2] $Recipient) { $payload.listed = $true }
    }
    if (-not $payload.first -or $payload.expires -cnotmatch '\A[0-9]{1,11}\z' -or $payload.secret -cnotmatch '\A[A-Za-z0-9+/=]+\z') {
        return $null
    }
    $payload
}

function Use-Payload([byte[]]$Content, [string]$Recipient) {
    $payload = ConvertFrom-Payload $Content $Recipient
    if ($null -eq $payload) { Stop-Here 203 'the envelope has an unknown content' }
    if (-not (Test-Same $payload.bundle $BundleName)) {
        Stop-Here 203 ('the envelope is for the bundle ' + (Get-Printable $payload.bundle) + ', and this one is ' + $BundleName)
    }
    $script:SealFaults = @()
    foreach ($sealSigner in $SealSigners) { if (Test-Same $sealSigner.Role 'sealer') { Test-Validity $sealSigner } }
    if ($script:SealFaults.Count -gt 0) { Stop-Here 203 ('the envelope cannot be verified: ' + $script:SealFaults[0]) }
    $until = Get-TimeText $payload.expires
    if ((Get-Seconds) -gt [double]$payload.expires) { Stop-Here 203 ('the envelope expired on ' + $until + '; ask for a new one') }
    if (-not $payload.listed) { Stop-Here 203 'the content of the envelope is for other recipients: it was moved into another envelope' }
    if (-not (Test-Same $payload.kind (Get-WantedKind))) {
        Stop-Here 203 ('the envelope holds a ' + (Get-Printable $payload.kind) + ', and this bundle signs in with ' + $Authentication.Replace('-', ' '))
    }
    Use-PayloadSecret $payload
    $script:EnvelopeUntil = $until
}

# The key's part of a certificate in PEM; its other lines are no secret.
function Get-PrivateText([byte[]]$Held) {
    $found = [regex]::Match($Latin.GetString($Held), '-----BEGIN [A-Z ]*PRIVATE KEY-----([A-Za-z0-9+/=\s]+)', $OwnCase)
    $found.Groups[1].Value
}

# Decodes the payload's base64.
function Use-PayloadSecret($Payload) {
    $held = $null
    try { $held = [Convert]::FromBase64String($Payload.secret) } catch { Add-LogLine 'the payload is not base64' }
    if ($null -eq $held -or -not (Test-Same ([Convert]::ToBase64String($held)) $Payload.secret)) {
        Stop-Here 203 'the secret in the envelope is not base64'
    }
    if (Test-Same $Payload.kind 'certificate') {
        Add-Secret $Payload.secret
        Add-Secret (Get-PrivateText $held)
        $script:Certificate = $held
        return
    }
    $strict = New-Object System.Text.UTF8Encoding $false, $true
    $text = $null
    try { $text = $strict.GetString($held) } catch { Add-LogLine 'the secret is not UTF-8' }
    if ($null -eq $text) { Stop-Here 203 'the secret in the envelope is not text' }
    Add-Secret $text
    Confirm-Secret $text
    $script:Secret = $text
}

# After everything that needed the envelope.
function Complete-Envelope {
    if ($EmbeddedSecret -and -not $Uninstall) {
        Add-Note ('this bundle holds the secret (' + $EmbeddedSecret + '): destroy it, and the archive that it came in, when all servers are connected')
    }
    if (-not $Envelope) { return }
    if (-not $DestroyEnvelope) {
        Add-Note ($Envelope + ' is no longer needed on this machine: delete it (or use -DestroyEnvelope)')
        return
    }
    $file = Get-FullPath $Envelope
    # The key beside it was made for this envelope; any other belongs to the server.
    foreach ($one in @($file, ($file + '.p12'))) {
        Remove-Overwritten $one
        if ([IO.File]::Exists($one)) { Add-Note ($one + ' could not be removed: delete it') }
    }
}
