# Gives azcmagent its parameters and the secret, in a file that only administrators can read.

# The kind of secret that this bundle signs in with, as an envelope names it.
function Get-WantedKind {
    $kinds = @{ 'service-principal-secret' = 'secret'; 'access-token' = 'token'; 'service-principal-certificate' = 'certificate' }
    [string]$kinds[$Authentication]
}

# The service principal's certificate in the run's own folder, for azcmagent to read.
function Get-CertificatePath {
    $name = 'certificate.pfx'
    if ($script:Certificate.Length -gt 10 -and (Test-Same ([Text.Encoding]::ASCII.GetString($script:Certificate, 0, 10)) '-----BEGIN')) {
        $name = 'certificate.pem'
    }
    Join-Path $script:Work $name
}

# Adds the secret to the connection's parameters. The envelope's certificate replaces the one that the definition names.
function Add-SignIn([string]$Json) {
    $more = ''
    if ($SecretFlag) { $more = '"' + $SecretFlag + '": ' + (ConvertTo-JsonText $script:Secret) }
    if ($script:Certificate) {
        $Json = [regex]::Replace($Json, ', "service-principal-cert(-thumbprint)?": "([^"\\]|\\.)*"', '')
        $more = '"service-principal-cert": ' + (ConvertTo-JsonText (Get-CertificatePath))
    }
    if ($more) { $Json = $Json.Substring(0, $Json.Length - 1) + ', ' + $more + '}' }
    $Json
}

# In a folder that only SYSTEM and Administrators can open; always a new file; UTF-8 without a byte order mark, which
# the agent refuses with AZCM0019.
function Write-ConnectFile([string]$File, [string]$Json) {
    Write-NewFile $File $script:Utf8.GetBytes((Add-SignIn $Json))
    if ($script:Certificate) { Write-NewFile (Get-CertificatePath) $script:Certificate }
}

# Runs connect or disconnect with the file, and removes the file as soon as the agent has read it.
function Invoke-WithFile([string]$Verb, [string]$Json) {
    $file = Join-Path $script:Work ($Verb + '.json')
    try {
        Write-ConnectFile $file $Json
        # The user has to see the code or the browser.
        $visible = Test-OneOf $Authentication @('device-code', 'interactive')
        Invoke-Program $Agent @($Verb, '--config', $file) -Visible:$visible
    } finally {
        Remove-Overwritten $file
        if ($script:Certificate) { Remove-Overwritten (Get-CertificatePath) }
    }
}

# Whether a secret is needed: the certificate may be on this machine already.
function Test-SecretWanted {
    $elsewhere = $CertificateFile -or $CertificateThumbprint
    [bool]($SecretFlag -or $Envelope -or ((Test-Same $Authentication 'service-principal-certificate') -and -not $elsewhere))
}

# Why there is no secret; empty where there is one.
function Get-SecretProblem {
    if ($Envelope) { return Get-EnvelopeProblem }
    if (-not $SecretFlag) { return 'the certificate of the service principal comes in an envelope: -Envelope FILE' }
    if (-not (Get-SecretSource)) { return $SecretName + ' is missing: no file, no variable, no prompt' }
    ''
}

# Before anything is changed: without a secret the machine stays as it is. -CheckOnly does not ask for the secret, but opens
# an envelope, to report whether it is the right one.
function Read-WantedSecret {
    if (-not (Test-SecretWanted)) { return }
    if ($Envelope) { Open-Envelope } elseif (-not $CheckOnly) { $script:Secret = Get-Secret $SecretName }
    Show-ShortSecret
    if (-not $script:Secret) { return }
    Confirm-SecretForm $script:Secret
    Confirm-Token $script:Secret
}

# The secret, where it was given to a run that only has to leave it out of what it copies.
function Add-GivenSecret {
    if ($Envelope) {
        Open-Envelope
    } elseif ($SecretFile -or $SecretStdin -or $script:SecretFromEnvironment -or (Test-Embedded)) {
        Add-Secret (Read-SecretText '')
    }
    Show-ShortSecret
}

# Where the secret came from, for the receipt.
function Get-SecretNote {
    if ($script:EnvelopeUntil) { return '; the ' + (Get-WantedKind) + ' came from the envelope, valid until ' + $script:EnvelopeUntil }
    if ($script:SecretEmbedded) { return '; the secret came from the bundle' }
    ''
}
