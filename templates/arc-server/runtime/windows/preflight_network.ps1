# What the agent needs of the network and of the trust store.

# Who issues the certificates of Azure's endpoints; another issuer means that TLS is inspected.
$script:UsualIssuers = 'O="?(Microsoft Corporation|DigiCert,? Inc)'
# What tests the cipher suite, which .NET does not report.
$script:CipherAdvice = ': azcmagent check tests it'
# Arc's own endpoints: without a private link scope they must not have private addresses (the agent ends with AZCM0026).
$script:PrivateLinkHosts = '\.(his\.arc|guestconfiguration)\.azure\.'

function Test-RequiredEndpoints {
    $needed = @($script:Network | Where-Object { $_.Required })
    $needed.Count -gt 0 -and @($needed | Where-Object { -not (Test-Same $_.Verdict 'ok') }).Count -eq 0
}

# The endpoints that were tested send the bridge to an older root, perhaps; the next ones may leave it out.
function Show-SoonRoot($Root, [string]$Text) {
    $full = $Text + ': endpoints that leave out its bridge to an older root fail; to add it: ' + (Get-RootSource $Root.Name)
    if ($Lab -or $SkipNetworkCheck) { Add-Note $full } else { Add-Warning $full }
}

# Roots that Windows downloaded or that a policy distributes are in the same store.
function Test-Roots {
    foreach ($root in $NeededRoots) {
        try { if (Test-Stored 'root' $root.Sha1) { continue } } catch {
            Add-Note ('the trust store cannot be read: ' + (Get-Reason $_.Exception))
            return
        }
        $carried = @($CarriedCertificates | Where-Object { Test-SameAnyCase $_.Sha1 $root.Sha1 })
        if ($carried.Count -gt 0 -and $InstallCertificates) { continue }
        $text = 'the trust store lacks the root ' + $root.Name + ' (' + $root.Sha1 + ', for ' + $root.NeededFor + ')'
        if ($root.Soon) { Show-SoonRoot $root $text; continue }
        if ($carried.Count -gt 0) { $text += '; the bundle has it: -InstallCertificates' }
        # An Azure certificate that this machine trusts proves more than a list does; the MSI's signature was verified
        # when the bundle was built.
        if (-not $root.Required -or $SkipNetworkCheck -or -not (Test-Same $root.NeededFor 'azure-tls')) { Add-Note $text; continue }
        if (Test-RequiredEndpoints) {
            Add-Note ($text + '; the endpoints that were tested work without it')
        } else {
            Add-ProblemUnlessLab 210 $text
        }
    }
}

# Part of the preflight, where no problem was found: the network test runs with these records and roots.
function Write-Names {
    if ($script:ProblemCode -ne 0) { return }
    $look = $WhatIf -or $CheckOnly
    if ($WriteHosts -and $HostRecords.Count -gt 0) {
        if ($look) {
            Add-Note ('would write ' + $HostRecords.Count + ' records into the hosts file')
        } elseif (Write-HostsRecords $BundleName $HostRecords) {
            Add-Note ([string]$HostRecords.Count + ' records are in the hosts file from now on')
        }
    }
    if (-not $InstallCertificates) { return }
    foreach ($one in $CarriedCertificates) {
        if ($look) {
            if (-not (Test-Stored $one.Store $one.Sha1)) { Add-Note ('would trust ' + $one.Name + ' (' + $one.Sha1 + ')') }
        } elseif (Install-Carried $one) {
            Add-Note ('trusts ' + $one.Name + ' (' + $one.Sha1 + ') from now on')
        }
    }
}

# A connected agent needs no test of the endpoints that are for connecting only.
function Test-NetworkContract {
    $connected = Test-Connected
    if (-not $connected -or $CheckOnly) { Test-AgentProxy }
    if ($WhatIf) { return }
    if ($SkipNetworkCheck) { Add-Note 'the network was not tested (-SkipNetworkCheck)'; Test-Roots; return }
    # An agent that lost contact is tested, to find out why.
    if ($connected -and -not $CheckOnly) { return }
    $wanted = @($EndpointChecks | Where-Object { -not (Test-Same $script:State 'wanted') -or -not (Test-Same $_.Phase 'connect') })
    $wanted = @(Get-ChecksByWay $wanted)
    $records = New-Table
    if ($WriteHosts) {
        foreach ($record in $HostRecords) {
            if (-not $records.ContainsKey($record.Host)) { $records[$record.Host] = @() }
            $records[$record.Host] += $record.Address
        }
    }
    if ($wanted.Count -gt 0) {
        Write-Line ('        testing ' + $wanted.Count + ' endpoints; this takes at most ' + ($NetworkLimit + 15) + ' s')
    }
    Test-Network -Checks $wanted -ProxyUrl $script:WayUrl -Records $records -Scoped ([bool]$PrivateLinkScope)
    Show-Network
    Show-CertificateAdvice
    foreach ($one in $Untested) {
        Add-Note ('not tested: ' + $one.Host + ', which is required: ' + $one.Why + "; the agent's own check decides")
    }
    Test-Clock
    if (-not (Test-Same $script:State 'wanted')) { Test-Roots }
    Add-NetworkProblem
}

function Add-NetworkProblem {
    $failed = @($script:Network | Where-Object { Test-Same $_.Verdict 'failed' })
    if ($failed.Count -eq 0) { return }
    # Private addresses explain what else fails.
    if (@($failed | Where-Object { $_.Code -eq 209 }).Count -gt 0) {
        Add-ProblemUnlessLab 209 'Azure Arc endpoints resolve to private addresses, but this bundle has no private link scope'
    } else {
        Add-ProblemUnlessLab 208 ([string]$failed.Count + ' required endpoints failed (table above)')
    }
}
