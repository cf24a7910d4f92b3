# The exit codes of install.sh, what they mean and what to do: Microsoft's numbers below 200, this script's from there.
# Made by `make docs` from bundler/products/arc_server/codes.py: change that table, not this file.

# Of several findings the first of these ends the run.
CODE_ORDER=(200 201 213 216 204 220 61 64 65 66 67 214 202 209 210 208 211 212 203)

# code_text NUMBER: fills MEANING and NEXT; leaves them empty for a number that is not in the table.
# shellcheck disable=SC2016  # a dollar is a dollar
code_text() {
    case $1 in
        1)
            MEANING='an error without its own number'
            NEXT='Run this script again; if it persists, collect the logs (--collect-logs, -CollectLogs).'
            ;;
        2)
            MEANING='an internal error of the agent'
            NEXT='Run this script again; if it persists, the logs are for Microsoft'\''s support (--collect-logs, -CollectLogs).'
            ;;
        3)
            MEANING='the agent does not support the requested operation'
            NEXT='Read the log for the operation; the bundle may need another agent version.'
            ;;
        4)
            MEANING='the agent'\''s own proxy does not run'
            NEXT='Check whether arcproxyd (on Windows the Azure Arc Proxy) runs, and read arcproxy.log.'
            ;;
        5)
            MEANING='the agent cannot write its log'
            NEXT='Check the free space and the permissions of the agent'\''s log folder.'
            ;;
        6)
            MEANING='the agent could not start'
            NEXT='Read azcmagent.log on this machine.'
            ;;
        11)
            MEANING='signing in was cancelled'
            NEXT='Run this script again, and complete the sign-in.'
            ;;
        12)
            MEANING='the access token is not valid'
            NEXT='Get a fresh token and run this script again.'
            ;;
        16)
            MEANING='the agent lacks a parameter'
            NEXT='Read the log; the bundle'\''s definition may lack a value.'
            ;;
        18)
            MEANING='the agent reports that it is not elevated'
            NEXT='Run this script as root or from an elevated PowerShell.'
            ;;
        19)
            MEANING='the agent cannot read the file with its parameters'
            NEXT='Run this script again: it writes that file itself.'
            ;;
        20)
            MEANING='the agent does not know the region'
            NEXT='Correct location in the bundle'\''s definition.'
            ;;
        23)
            MEANING='the agent does not accept a value'
            NEXT='Read the log for the value, and correct it in the definition.'
            ;;
        26)
            MEANING='the network, or private endpoints without a private link scope'
            NEXT='Run azcmagent check on this machine and compare with config/endpoints.json.'
            ;;
        27)
            MEANING='a setting contradicts another one'
            NEXT='Read the log for both, and correct the definition.'
            ;;
        28)
            MEANING='the agent cannot open this machine'\''s TPM'
            NEXT='Check that the TPM is present, enabled and not in use.'
            ;;
        41)
            MEANING='the credentials are not valid'
            NEXT='Check the service principal'\''s id, its secret and whether that has expired.'
            ;;
        42)
            MEANING='the resource could not be created'
            NEXT='Read the agent'\''s message above for the cause: the role Azure Connected Machine Onboarding on the resource group (a new assignment takes some minutes), a provider that is not registered, a policy, a quota, or a reserved name.'
            ;;
        43)
            MEANING='the resource could not be deleted'
            NEXT='Give the credentials the role Azure Connected Machine Resource Administrator, or delete it in Azure; if it no longer exists there, add --force-local-only (-ForceLocalOnly).'
            ;;
        44)
            MEANING='a resource of this name exists already'
            NEXT='Delete the stale resource in Azure, or give this machine another name (resource_name in the definition).'
            ;;
        45)
            MEANING='the key for a new connection could not be renewed'
            NEXT='Read azcmagent.log on this machine.'
            ;;
        61)
            MEANING='the agent'\''s service does not answer'
            NEXT='Check whether himds (himdsd on Linux) runs, and read its log.'
            ;;
        62)
            MEANING='connecting failed'
            NEXT='Read the agent'\''s message above; if Azure has the new resource already, delete it before the next run.'
            ;;
        63)
            MEANING='disconnecting failed'
            NEXT='Read azcmagent.log on this machine.'
            ;;
        64)
            MEANING='the agent'\''s service does not report this machine'\''s resource'
            NEXT='Check whether himds (himdsd on Linux) runs, and read its log.'
            ;;
        65)
            MEANING='the agent'\''s service does not report its state'
            NEXT='Check whether himds (himdsd on Linux) runs, and read its log.'
            ;;
        66)
            MEANING='the agent'\''s service does not report its settings'
            NEXT='Check whether himds (himdsd on Linux) runs, and read its log.'
            ;;
        67)
            MEANING='this machine is connected to another resource'
            NEXT='To move it, run this script with --reconnect (-Reconnect); otherwise use the bundle for that resource.'
            ;;
        68)
            MEANING='the subscription is not found by its name'
            NEXT='Give the subscription'\''s id in the bundle'\''s definition.'
            ;;
        69)
            MEANING='the agent does not keep a setting'
            NEXT='Check whether another setting or a policy changes it back.'
            ;;
        70)
            MEANING='the agent'\''s service does not accept its settings'
            NEXT='Check whether himds (himdsd on Linux) runs, and read its log.'
            ;;
        72)
            MEANING='the agent'\''s tool for extensions failed'
            NEXT='Read azcmagent.log and gc_ext.log on this machine.'
            ;;
        73)
            MEANING='the agent could not get its settings for a partner'
            NEXT='Read azcmagent.log on this machine.'
            ;;
        74)
            MEANING='an extension could not be added'
            NEXT='Read azcmagent.log and gc_ext.log on this machine.'
            ;;
        75)
            MEANING='the agent could not get the settings of this cloud'
            NEXT='Check cloud in the bundle'\''s definition, and the network to that cloud'\''s addresses.'
            ;;
        76)
            MEANING='the TPM does not prove this machine'
            NEXT='Read azcmagent.log, and check the TPM'\''s state in the firmware.'
            ;;
        81)
            MEANING='the certificate of the managed identity could not be fetched'
            NEXT='Delete the resource in Azure, then run this script again.'
            ;;
        82)
            MEANING='the TPM'\''s certificate could not be read'
            NEXT='Read azcmagent.log, and check the TPM'\''s state in the firmware.'
            ;;
        83)
            MEANING='the agent could not register its permanent credentials'
            NEXT='Read azcmagent.log on this machine.'
            ;;
        101)
            MEANING='the agent did not understand its command'
            NEXT='Read the log for the command; the bundle may need another agent version.'
            ;;
        102)
            MEANING='no resource name can be derived from this machine'\''s name'
            NEXT='Give resource_name in the bundle'\''s definition: letters, digits, - and _, with neither of the two at the end.'
            ;;
        103)
            MEANING='the agent could not create its keys'
            NEXT='Read azcmagent.log on this machine.'
            ;;
        104)
            MEANING='the agent cannot use its private key'
            NEXT='Read azcmagent.log on this machine.'
            ;;
        105)
            MEANING='the agent could not sign its message'
            NEXT='Read azcmagent.log on this machine.'
            ;;
        106)
            MEANING='the agent cannot use its file of parameters'
            NEXT='Read azcmagent.log on this machine.'
            ;;
        107)
            MEANING='the agent cannot use its certificate'
            NEXT='Read azcmagent.log on this machine.'
            ;;
        108)
            MEANING='the agent could not create its keys in the TPM'
            NEXT='Read azcmagent.log, and check the TPM'\''s state in the firmware.'
            ;;
        143)
            MEANING='the package manager did not install the agent'
            NEXT='Read the end of the log, which has its output.'
            ;;
        149)
            MEANING='msiexec did not install the agent'
            NEXT='Read msiexec'\''s own log, next to this script'\''s log.'
            ;;
        153)
            MEANING='msiexec reports that the package is for another platform (1633)'
            NEXT='Use a bundle for this architecture.'
            ;;
        156)
            MEANING='msiexec failed while installing (1603)'
            NEXT='Read the lines of msiexec'\''s log above: they end with the action that failed.'
            ;;
        158)
            MEANING='the disk is full (112)'
            NEXT='Make room on the system drive.'
            ;;
        159)
            MEANING='another installation is running (1618)'
            NEXT='Wait for it to end, then run this script again.'
            ;;
        160)
            MEANING='msiexec cannot write its log (1622)'
            NEXT='Check the free space and the permissions of the log folder.'
            ;;
        200)
            MEANING='the bundle is damaged or incomplete'
            NEXT='Copy the bundle again, then compare the digest of verify with the one that build printed.'
            ;;
        201)
            MEANING='the bundle'\''s signature is not verified'
            NEXT='Do not install from it. Correct what is named above (for example this machine'\''s clock), or ask the bundle'\''s maker.'
            ;;
        202)
            MEANING='this machine is not ready'
            NEXT='Correct what the preflight lines above name, then run this script again.'
            ;;
        203)
            MEANING='no secret'
            NEXT='Correct what is named above; or give the secret by an envelope, a file, standard input or ARC_BUNDLER_SECRET, or run this script in a terminal.'
            ;;
        204)
            MEANING='this bundle is not for this machine'
            NEXT='Build a bundle that has this operating system among its targets.'
            ;;
        205)
            MEANING='wrong usage'
            NEXT='Run it with --help, or on Windows with -Help.'
            ;;
        206)
            MEANING='the agent does not report that it is connected to the bundle'\''s resource'
            NEXT='Run azcmagent show and azcmagent check on this machine.'
            ;;
        207)
            MEANING='interrupted'
            NEXT='Run this script again: it continues where it stopped.'
            ;;
        208)
            MEANING='required endpoints failed'
            NEXT='Give the failed rows of the network table to the network team, then run this script again.'
            ;;
        209)
            MEANING='endpoints resolve to private addresses, but this bundle has no private link scope'
            NEXT='Build the bundle with network.profile private-link, or correct this machine'\''s name resolution.'
            ;;
        210)
            MEANING='a required root certificate is not trusted'
            NEXT='Install the named root, or put it into the bundle (trust.certificates) and use the switch that installs it.'
            ;;
        211)
            MEANING='another package installation holds the lock'
            NEXT='Wait for the named process to end, or end it, then run this script again.'
            ;;
        212)
            MEANING='this script is already running'
            NEXT='Wait for the other run to end; its log shows the progress.'
            ;;
        213)
            MEANING='the seal cannot be checked on this machine'
            NEXT='Nothing is known to be wrong with the bundle. Install openssl (or gpgv, where named above) from this system'\''s installation medium or internal mirror, then run this script again.'
            ;;
        214)
            MEANING='an incomplete earlier installation could not be repaired'
            NEXT='Repair it with the package manager'\''s or Windows'\'' own tools as the log shows, then run this script again.'
            ;;
        215)
            MEANING='uninstalling failed'
            NEXT='Read the log for what is left, correct it, then run this script again.'
            ;;
        220)
            MEANING='the agent'\''s state cannot be read'
            NEXT='Start the agent'\''s service (himdsd, on Windows himds) and run this script again; to remove the agent as it is, add --force-local-only (-ForceLocalOnly).'
            ;;
    esac
}
