# The help text of install.ps1, and which switches go together.

function Show-Usage {
    Write-Host ('install.ps1 of the bundle ' + $BundleName + ' ' + $BundleVersion + ': installs the Azure Connected Machine agent and connects it.')
    Write-Host ''
    Write-Host '  -CheckOnly             stop after the preflight; nothing is changed'
    Write-Host '  -WhatIf                show what each step would do; nothing is changed'
    Write-Host '  -Signer FINGERPRINT    require that this certificate signed the bundle (also from ARC_BUNDLER_SIGNER)'
    Write-Host '  -AllowOlder            continue where a newer bundle of this name ran on this machine'
    Write-Host '  -Envelope FILE         take the secret from this envelope (arc-bundler seal-secret)'
    Write-Host '  -RecipientKey FILE     decrypt it with this key, PKCS #12 (otherwise FILE.p12 next to it, or the certificate stores)'
    Write-Host '  -PassphraseFile FILE   read that key''s passphrase from FILE (or from ARC_BUNDLER_ENVELOPE_PASSPHRASE)'
    Write-Host '  -PassphraseStdin       read it from standard input'
    Write-Host '  -DestroyEnvelope       when the machine is connected: overwrite and delete the envelope and the .p12 next to it'
    Write-Host '  -SecretFile FILE       read the secret from the only line of FILE'
    Write-Host '  -SecretStdin           read it from standard input'
    Write-Host '  -RecordDirectory DIR   folder for log and receipt'
    Write-Host '  -InstallCertificates   trust the certificates in the bundle'
    Write-Host '  -WriteHosts            write the private endpoint''s records into the hosts file'
    Write-Host '  -Reconnect             disconnect from another resource, then connect'
    Write-Host '  -AllowDowngrade        replace a newer agent by the bundle''s'
    Write-Host '  -ConnectTries N        attempts to connect where a failure is likely to pass (default 4)'
    Write-Host '  -LockWait SECONDS      wait for another installation at most this long (default 300)'
    Write-Host '  -SkipNetworkCheck      do not test the network; the receipt records it'
    Write-Host '  -Uninstall             disconnect, remove the agent, and undo the other changes of this script'
    Write-Host '  -ForceLocalOnly        with -Uninstall or -Reconnect: remove the connection on this machine only'
    Write-Host '  -DeleteResource        with them, in a Hyper-V guest: delete the resource in Azure too; on Azure Local that can delete the VM'
    Write-Host '  -CollectLogs DIR       pack logs, receipts and the network table into a zip file, without secrets'
    Write-Host ''
    Write-Host ('This bundle is for: ' + $Targets + '. Full help: Get-Help .\install.ps1 -Full')
}

# What a disconnect leaves in Azure.
function Confirm-LeavingOptions {
    foreach ($name in @('ForceLocalOnly', 'DeleteResource')) {
        if ((Get-Variable -Name $name -ValueOnly) -and -not ($Uninstall -or $Reconnect)) { Stop-Here 205 ('-' + $name + ' needs -Uninstall or -Reconnect') }
    }
    if ($ForceLocalOnly -and $DeleteResource) { Stop-Here 205 '-ForceLocalOnly and -DeleteResource cannot be combined' }
}

function Confirm-EnvelopeOptions {
    if (-not $Envelope) {
        if ($RecipientKey -or $PassphraseFile -or $PassphraseStdin -or $DestroyEnvelope) {
            Stop-Here 205 '-RecipientKey, -PassphraseFile, -PassphraseStdin and -DestroyEnvelope need -Envelope'
        }
        return
    }
    if ($SecretFile -or $SecretStdin) { Stop-Here 205 '-Envelope cannot be combined with -SecretFile or -SecretStdin' }
    if ($PassphraseFile -and $PassphraseStdin) { Stop-Here 205 '-PassphraseFile and -PassphraseStdin cannot be combined' }
    if (-not (Get-WantedKind)) {
        Stop-Here 205 ('this bundle signs in with ' + $Authentication.Replace('-', ' ') + ', and needs no envelope')
    }
}
