# What an exit code means and what to do: Microsoft's numbers below 200, this script's from there.
# Made by `make docs` from bundler/products/arc_server/codes.py: change that table, not this file.

# Of several findings the first of these ends the run.
$script:CodeOrder = @(200, 201, 213, 216, 204, 220, 61, 64, 65, 66, 67, 214, 202, 209, 210, 208, 211, 212, 203)

$script:Codes = @{
    1 = @(
        'an error without its own number'
        'Run this script again; if it persists, collect the logs (--collect-logs, -CollectLogs).')
    2 = @(
        'an internal error of the agent'
        'Run this script again; if it persists, the logs are for Microsoft''s support (--collect-logs, -CollectLogs).')
    3 = @(
        'the agent does not support the requested operation'
        'Read the log for the operation; the bundle may need another agent version.')
    4 = @(
        'the agent''s own proxy does not run'
        'Check whether arcproxyd (on Windows the Azure Arc Proxy) runs, and read arcproxy.log.')
    5 = @(
        'the agent cannot write its log'
        'Check the free space and the permissions of the agent''s log folder.')
    6 = @(
        'the agent could not start'
        'Read azcmagent.log on this machine.')
    11 = @(
        'signing in was cancelled'
        'Run this script again, and complete the sign-in.')
    12 = @(
        'the access token is not valid'
        'Get a fresh token and run this script again.')
    16 = @(
        'the agent lacks a parameter'
        'Read the log; the bundle''s definition may lack a value.')
    18 = @(
        'the agent reports that it is not elevated'
        'Run this script as root or from an elevated PowerShell.')
    19 = @(
        'the agent cannot read the file with its parameters'
        'Run this script again: it writes that file itself.')
    20 = @(
        'the agent does not know the region'
        'Correct location in the bundle''s definition.')
    23 = @(
        'the agent does not accept a value'
        'Read the log for the value, and correct it in the definition.')
    26 = @(
        'the network, or private endpoints without a private link scope'
        'Run azcmagent check on this machine and compare with config/endpoints.json.')
    27 = @(
        'a setting contradicts another one'
        'Read the log for both, and correct the definition.')
    28 = @(
        'the agent cannot open this machine''s TPM'
        'Check that the TPM is present, enabled and not in use.')
    41 = @(
        'the credentials are not valid'
        'Check the service principal''s id, its secret and whether that has expired.')
    42 = @(
        'the resource could not be created'
        ('' + 'Read the agent''s message above for the cause: the role Azure Connected Machine Onboarding on the resource group (' +
        'a new assignment takes some minutes), a provider that is not registered, a policy, a quota, or a reserved name.'))
    43 = @(
        'the resource could not be deleted'
        ('' + 'Give the credentials the role Azure Connected Machine Resource Administrator, or delete it in Azure; if it no long' +
        'er exists there, add --force-local-only (-ForceLocalOnly).'))
    44 = @(
        'a resource of this name exists already'
        'Delete the stale resource in Azure, or give this machine another name (resource_name in the definition).')
    45 = @(
        'the key for a new connection could not be renewed'
        'Read azcmagent.log on this machine.')
    61 = @(
        'the agent''s service does not answer'
        'Check whether himds (himdsd on Linux) runs, and read its log.')
    62 = @(
        'connecting failed'
        'Read the agent''s message above; if Azure has the new resource already, delete it before the next run.')
    63 = @(
        'disconnecting failed'
        'Read azcmagent.log on this machine.')
    64 = @(
        'the agent''s service does not report this machine''s resource'
        'Check whether himds (himdsd on Linux) runs, and read its log.')
    65 = @(
        'the agent''s service does not report its state'
        'Check whether himds (himdsd on Linux) runs, and read its log.')
    66 = @(
        'the agent''s service does not report its settings'
        'Check whether himds (himdsd on Linux) runs, and read its log.')
    67 = @(
        'this machine is connected to another resource'
        'To move it, run this script with --reconnect (-Reconnect); otherwise use the bundle for that resource.')
    68 = @(
        'the subscription is not found by its name'
        'Give the subscription''s id in the bundle''s definition.')
    69 = @(
        'the agent does not keep a setting'
        'Check whether another setting or a policy changes it back.')
    70 = @(
        'the agent''s service does not accept its settings'
        'Check whether himds (himdsd on Linux) runs, and read its log.')
    72 = @(
        'the agent''s tool for extensions failed'
        'Read azcmagent.log and gc_ext.log on this machine.')
    73 = @(
        'the agent could not get its settings for a partner'
        'Read azcmagent.log on this machine.')
    74 = @(
        'an extension could not be added'
        'Read azcmagent.log and gc_ext.log on this machine.')
    75 = @(
        'the agent could not get the settings of this cloud'
        'Check cloud in the bundle''s definition, and the network to that cloud''s addresses.')
    76 = @(
        'the TPM does not prove this machine'
        'Read azcmagent.log, and check the TPM''s state in the firmware.')
    81 = @(
        'the certificate of the managed identity could not be fetched'
        'Delete the resource in Azure, then run this script again.')
    82 = @(
        'the TPM''s certificate could not be read'
        'Read azcmagent.log, and check the TPM''s state in the firmware.')
    83 = @(
        'the agent could not register its permanent credentials'
        'Read azcmagent.log on this machine.')
    101 = @(
        'the agent did not understand its command'
        'Read the log for the command; the bundle may need another agent version.')
    102 = @(
        'no resource name can be derived from this machine''s name'
        'Give resource_name in the bundle''s definition: letters, digits, - and _, with neither of the two at the end.')
    103 = @(
        'the agent could not create its keys'
        'Read azcmagent.log on this machine.')
    104 = @(
        'the agent cannot use its private key'
        'Read azcmagent.log on this machine.')
    105 = @(
        'the agent could not sign its message'
        'Read azcmagent.log on this machine.')
    106 = @(
        'the agent cannot use its file of parameters'
        'Read azcmagent.log on this machine.')
    107 = @(
        'the agent cannot use its certificate'
        'Read azcmagent.log on this machine.')
    108 = @(
        'the agent could not create its keys in the TPM'
        'Read azcmagent.log, and check the TPM''s state in the firmware.')
    143 = @(
        'the package manager did not install the agent'
        'Read the end of the log, which has its output.')
    149 = @(
        'msiexec did not install the agent'
        'Read msiexec''s own log, next to this script''s log.')
    153 = @(
        'msiexec reports that the package is for another platform (1633)'
        'Use a bundle for this architecture.')
    156 = @(
        'msiexec failed while installing (1603)'
        'Read the lines of msiexec''s log above: they end with the action that failed.')
    158 = @(
        'the disk is full (112)'
        'Make room on the system drive.')
    159 = @(
        'another installation is running (1618)'
        'Wait for it to end, then run this script again.')
    160 = @(
        'msiexec cannot write its log (1622)'
        'Check the free space and the permissions of the log folder.')
    200 = @(
        'the bundle is damaged or incomplete'
        'Copy the bundle again, then compare the digest of verify with the one that build printed.')
    201 = @(
        'the bundle''s signature is not verified'
        'Do not install from it. Correct what is named above (for example this machine''s clock), or ask the bundle''s maker.')
    202 = @(
        'this machine is not ready'
        'Correct what the preflight lines above name, then run this script again.')
    203 = @(
        'no secret'
        ('' + 'Correct what is named above; or give the secret by an envelope, a file, standard input or ARC_BUNDLER_SECRET, or r' +
        'un this script in a terminal.'))
    204 = @(
        'this bundle is not for this machine'
        'Build a bundle that has this operating system among its targets.')
    205 = @(
        'wrong usage'
        'Run it with --help, or on Windows with -Help.')
    206 = @(
        'the agent does not report that it is connected to the bundle''s resource'
        'Run azcmagent show and azcmagent check on this machine.')
    207 = @(
        'interrupted'
        'Run this script again: it continues where it stopped.')
    208 = @(
        'required endpoints failed'
        'Give the failed rows of the network table to the network team, then run this script again.')
    209 = @(
        'endpoints resolve to private addresses, but this bundle has no private link scope'
        'Build the bundle with network.profile private-link, or correct this machine''s name resolution.')
    210 = @(
        'a required root certificate is not trusted'
        'Install the named root, or put it into the bundle (trust.certificates) and use the switch that installs it.')
    211 = @(
        'another package installation holds the lock'
        'Wait for the named process to end, or end it, then run this script again.')
    212 = @(
        'this script is already running'
        'Wait for the other run to end; its log shows the progress.')
    213 = @(
        'the seal cannot be checked on this machine'
        ('' + 'Nothing is known to be wrong with the bundle. Install openssl (or gpgv, where named above) from this system''s ins' +
        'tallation medium or internal mirror, then run this script again.'))
    214 = @(
        'an incomplete earlier installation could not be repaired'
        'Repair it with the package manager''s or Windows'' own tools as the log shows, then run this script again.')
    215 = @(
        'uninstalling failed'
        'Read the log for what is left, correct it, then run this script again.')
    220 = @(
        'the agent''s state cannot be read'
        ('' + 'Start the agent''s service (himdsd, on Windows himds) and run this script again; to remove the agent as it is, add' +
        ' --force-local-only (-ForceLocalOnly).'))
}
