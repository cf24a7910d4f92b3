# The help text of install.ps1, and which switches go together.

function Show-Usage {
    Write-Host ('install.ps1 of the bundle ' + $BundleName + ' ' + $BundleVersion + ': installs the Azure Connected Machine agent and connects it.')
    Write-Host ''
    Write-Host '  -CheckOnly             stop after the preflight; nothing is changed'
    Write-Host '  -WhatIf                say what each step would do; nothing is changed'
    Write-Host '  -Signer FINGERPRINT    demand that this certificate sealed the bundle (also from ARC_BUNDLER_SIGNER)'
    Write-Host '  -AllowOlder            go on where a newer bundle of this name ran here'
    Write-Host '  -Envelope FILE         take the secret out of this envelope (arc-bundler seal-secret)'
    Write-Host '  -RecipientKey FILE     open it with this key, PKCS #12 (otherwise FILE.p12 beside it, or the certificate stores)'
    Write-Host '  -PassphraseFile FILE   read that key''s passphrase from the one line of FILE (or ARC_BUNDLER_ENVELOPE_PASSPHRASE)'
    Write-Host '  -PassphraseStdin       read it from standard input'
    Write-Host '  -DestroyEnvelope       when the machine is connected: overwrite and remove the envelope and the .p12 beside it'
    Write-Host '  -SecretFile FILE       read the secret from the one line of FILE'
    Write-Host '  -SecretStdin           read it from standard input'
    Write-Host '  -RecordDirectory DIR   where log and receipt go'
    Write-Host '  -InstallCertificates   trust the certificates that the bundle carries'
    Write-Host '  -WriteHosts            write the private endpoint''s addresses into the hosts file'
    Write-Host '  -Reconnect             disconnect from another resource, then connect'
    Write-Host '  -AllowDowngrade        replace a newer agent by the bundle''s'
    Write-Host '  -ConnectTries N        how often connecting is tried where the first failure is usual, otherwise 4'
    Write-Host '  -LockWait SECONDS      how long another installation is waited for, otherwise 300'
    Write-Host '  -SkipNetworkCheck      do not try the network; the receipt says so'
    Write-Host '  -Uninstall             disconnect, remove the agent and what this script changed besides'
    Write-Host '  -ForceLocalOnly        with -Uninstall or -Reconnect: forget the connection here, ask Azure nothing'
    Write-Host '  -CollectLogs DIR       pack logs, receipts and the network table into a zip file, without secrets'
    Write-Host ''
    Write-Host ('It is for: ' + $Targets + '. All of it: Get-Help .\install.ps1 -Full')
}

function Confirm-EnvelopeOptions {
    if (-not $Envelope) {
        if ($RecipientKey -or $PassphraseFile -or $PassphraseStdin -or $DestroyEnvelope) {
            Stop-Here 205 '-RecipientKey, -PassphraseFile, -PassphraseStdin and -DestroyEnvelope go with -Envelope'
        }
        return
    }
    if ($SecretFile -or $SecretStdin) { Stop-Here 205 '-Envelope excludes -SecretFile and -SecretStdin' }
    if ($PassphraseFile -and $PassphraseStdin) { Stop-Here 205 '-PassphraseFile and -PassphraseStdin exclude each other' }
    if (-not (Get-WantedKind)) { Stop-Here 205 ('this bundle signs in with ' + $Authentication.Replace('-', ' ') + ', and needs no envelope') }
}
