"""Lists the exit codes of the scripts on a server, and what to do about each.

One table for the scripts, which print the row that applies, and for the documentation (``docs/codes.md``).
Below 200 the numbers are Microsoft's (``troubleshoot-agent-onboard.md``: AZCMnnnn is exit code nnnn),
used where the meaning is the same; from 200 on they are the scripts' own.
"""

from __future__ import annotations

from dataclasses import dataclass

AGENT = "azcmagent"
LINUX = "install.sh"
WINDOWS = "install.ps1"
SCRIPTS = (LINUX, WINDOWS)


@dataclass(frozen=True)
class Code:
    """One way for a script to end."""

    number: int
    meaning: str
    do: str
    """The next step, as an imperative sentence."""
    by: tuple[str, ...] = SCRIPTS
    """Where it comes from: a script, or the agent, in which case the scripts pass it on. Empty: reserved."""


OURS = (
    Code(
        200,
        "the bundle is damaged or incomplete",
        "Copy the bundle again, then compare the digest of verify with the one that build printed.",
    ),
    Code(
        201,
        "the bundle's signature is not verified",
        "Do not install from it. Correct what is named above (for example this machine's clock), "
        "or ask the bundle's maker.",
    ),
    Code(202, "this machine is not ready", "Correct what the preflight lines above name, then run this script again."),
    Code(
        203,
        "no secret",
        "Correct what is named above; or give the secret by an envelope, a file, standard input or "
        "ARC_BUNDLER_SECRET, or run this script in a terminal.",
    ),
    Code(
        204, "this bundle is not for this machine", "Build a bundle that has this operating system among its targets."
    ),
    Code(205, "wrong usage", "Run it with --help, or on Windows with -Help."),
    Code(
        206,
        "the agent does not report that it is connected to the bundle's resource",
        "Run azcmagent show and azcmagent check on this machine.",
    ),
    Code(207, "interrupted", "Run this script again: it continues where it stopped."),
    Code(
        208,
        "required endpoints failed",
        "Give the failed rows of the network table to the network team, then run this script again.",
    ),
    Code(
        209,
        "endpoints resolve to private addresses, but this bundle has no private link scope",
        "Build the bundle with network.profile private-link, or correct this machine's name resolution.",
    ),
    Code(
        210,
        "a required root certificate is not trusted",
        "Install the named root, or put it into the bundle (trust.certificates) and use the switch that installs it.",
    ),
    Code(
        211,
        "another package installation holds the lock",
        "Wait for the named process to end, or end it, then run this script again.",
    ),
    Code(212, "this script is already running", "Wait for the other run to end; its log shows the progress."),
    Code(
        213,
        "the seal cannot be checked on this machine",
        "Nothing is known to be wrong with the bundle. Install openssl (or gpgv, where named above) from this system's "
        "installation medium or internal mirror, then run this script again.",
    ),
    Code(
        214,
        "an incomplete earlier installation could not be repaired",
        "Repair it with the package manager's or Windows' own tools as the log shows, then run this script again.",
    ),
    Code(
        215,
        "uninstalling failed",
        "Read the log for what is left, correct it, then run this script again.",
    ),
    Code(
        220,
        "the agent's state cannot be read",
        "Start the agent's service (himdsd, on Windows himds) and run this script again; to remove the agent as it is, "
        "add --force-local-only (-ForceLocalOnly).",
    ),
)

MICROSOFTS = (
    Code(
        1,
        "an error without its own number",
        "Run this script again; if it persists, collect the logs (--collect-logs, -CollectLogs).",
        by=(AGENT, WINDOWS),
    ),
    Code(
        2,
        "an internal error of the agent",
        "Run this script again; if it persists, the logs are for Microsoft's support (--collect-logs, -CollectLogs).",
        by=(AGENT,),
    ),
    Code(
        3,
        "the agent does not support the requested operation",
        "Read the log for the operation; the bundle may need another agent version.",
        by=(AGENT,),
    ),
    Code(
        4,
        "the agent's own proxy does not run",
        "Check whether arcproxyd (on Windows the Azure Arc Proxy) runs, and read arcproxy.log.",
        by=(AGENT,),
    ),
    Code(
        5,
        "the agent cannot write its log",
        "Check the free space and the permissions of the agent's log folder.",
        by=(AGENT,),
    ),
    Code(6, "the agent could not start", "Read azcmagent.log on this machine.", by=(AGENT,)),
    Code(11, "signing in was cancelled", "Run this script again, and complete the sign-in.", by=(AGENT,)),
    Code(12, "the access token is not valid", "Get a fresh token and run this script again.", by=(AGENT,)),
    Code(16, "the agent lacks a parameter", "Read the log; the bundle's definition may lack a value.", by=(AGENT,)),
    Code(
        18,
        "the agent reports that it is not elevated",
        "Run this script as root or from an elevated PowerShell.",
        by=(AGENT,),
    ),
    Code(
        19,
        "the agent cannot read the file with its parameters",
        "Run this script again: it writes that file itself.",
        by=(AGENT,),
    ),
    Code(20, "the agent does not know the region", "Correct location in the bundle's definition.", by=(AGENT,)),
    Code(
        23,
        "the agent does not accept a value",
        "Read the log for the value, and correct it in the definition.",
        by=(AGENT,),
    ),
    Code(
        26,
        "the network, or private endpoints without a private link scope",
        "Run azcmagent check on this machine and compare with config/endpoints.json.",
        by=(AGENT, LINUX, WINDOWS),
    ),
    Code(27, "a setting contradicts another one", "Read the log for both, and correct the definition.", by=(AGENT,)),
    Code(
        28,
        "the agent cannot open this machine's TPM",
        "Check that the TPM is present, enabled and not in use.",
        by=(AGENT,),
    ),
    Code(
        41,
        "the credentials are not valid",
        "Check the service principal's id, its secret and whether that has expired.",
        by=(AGENT,),
    ),
    Code(
        42,
        "the resource could not be created",
        "Read the agent's message above for the cause: the role Azure Connected Machine Onboarding on the resource "
        "group (a new assignment takes some minutes), a provider that is not registered, a policy, a quota, or a "
        "reserved name.",
        by=(AGENT,),
    ),
    Code(
        43,
        "the resource could not be deleted",
        "Give the credentials the role Azure Connected Machine Resource Administrator, or delete it in Azure; "
        "if it no longer exists there, add --force-local-only (-ForceLocalOnly).",
        by=(AGENT,),
    ),
    Code(
        44,
        "a resource of this name exists already",
        "Delete the stale resource in Azure, or give this machine another name (resource_name in the definition).",
        by=(AGENT,),
    ),
    Code(45, "the key for a new connection could not be renewed", "Read azcmagent.log on this machine.", by=(AGENT,)),
    Code(
        61,
        "the agent's service does not answer",
        "Check whether himds (himdsd on Linux) runs, and read its log.",
        by=(AGENT,),
    ),
    Code(
        62,
        "connecting failed",
        "Read the agent's message above; if Azure has the new resource already, delete it before the next run.",
        by=(AGENT,),
    ),
    Code(63, "disconnecting failed", "Read azcmagent.log on this machine.", by=(AGENT,)),
    Code(
        64,
        "the agent's service does not report this machine's resource",
        "Check whether himds (himdsd on Linux) runs, and read its log.",
        by=(AGENT,),
    ),
    Code(
        65,
        "the agent's service does not report its state",
        "Check whether himds (himdsd on Linux) runs, and read its log.",
        by=(AGENT,),
    ),
    Code(
        66,
        "the agent's service does not report its settings",
        "Check whether himds (himdsd on Linux) runs, and read its log.",
        by=(AGENT,),
    ),
    Code(
        67,
        "this machine is connected to another resource",
        "To move it, run this script with --reconnect (-Reconnect); otherwise use the bundle for that resource.",
        by=(AGENT, *SCRIPTS),
    ),
    Code(
        68,
        "the subscription is not found by its name",
        "Give the subscription's id in the bundle's definition.",
        by=(AGENT,),
    ),
    Code(
        69,
        "the agent does not keep a setting",
        "Check whether another setting or a policy changes it back.",
        by=(AGENT, *SCRIPTS),
    ),
    Code(
        70,
        "the agent's service does not accept its settings",
        "Check whether himds (himdsd on Linux) runs, and read its log.",
        by=(AGENT,),
    ),
    Code(
        72,
        "the agent's tool for extensions failed",
        "Read azcmagent.log and gc_ext.log on this machine.",
        by=(AGENT,),
    ),
    Code(73, "the agent could not get its settings for a partner", "Read azcmagent.log on this machine.", by=(AGENT,)),
    Code(74, "an extension could not be added", "Read azcmagent.log and gc_ext.log on this machine.", by=(AGENT,)),
    Code(
        75,
        "the agent could not get the settings of this cloud",
        "Check cloud in the bundle's definition, and the network to that cloud's addresses.",
        by=(AGENT,),
    ),
    Code(
        76,
        "the TPM does not prove this machine",
        "Read azcmagent.log, and check the TPM's state in the firmware.",
        by=(AGENT,),
    ),
    Code(
        81,
        "the certificate of the managed identity could not be fetched",
        "Delete the resource in Azure, then run this script again.",
        by=(AGENT,),
    ),
    Code(
        82,
        "the TPM's certificate could not be read",
        "Read azcmagent.log, and check the TPM's state in the firmware.",
        by=(AGENT,),
    ),
    Code(
        83,
        "the agent could not register its permanent credentials",
        "Read azcmagent.log on this machine.",
        by=(AGENT,),
    ),
    Code(
        101,
        "the agent did not understand its command",
        "Read the log for the command; the bundle may need another agent version.",
        by=(AGENT,),
    ),
    Code(
        102,
        "no resource name can be derived from this machine's name",
        "Give resource_name in the bundle's definition: letters, digits, - and _, with neither of the two at the end.",
        by=(AGENT,),
    ),
    Code(103, "the agent could not create its keys", "Read azcmagent.log on this machine.", by=(AGENT,)),
    Code(104, "the agent cannot use its private key", "Read azcmagent.log on this machine.", by=(AGENT,)),
    Code(105, "the agent could not sign its message", "Read azcmagent.log on this machine.", by=(AGENT,)),
    Code(106, "the agent cannot use its file of parameters", "Read azcmagent.log on this machine.", by=(AGENT,)),
    Code(107, "the agent cannot use its certificate", "Read azcmagent.log on this machine.", by=(AGENT,)),
    Code(
        108,
        "the agent could not create its keys in the TPM",
        "Read azcmagent.log, and check the TPM's state in the firmware.",
        by=(AGENT,),
    ),
    Code(
        143,
        "the package manager did not install the agent",
        "Read the end of the log, which has its output.",
        by=(LINUX,),
    ),
    Code(149, "msiexec did not install the agent", "Read msiexec's own log, next to this script's log.", by=(WINDOWS,)),
    Code(
        153,
        "msiexec reports that the package is for another platform (1633)",
        "Use a bundle for this architecture.",
        by=(WINDOWS,),
    ),
    Code(
        156,
        "msiexec failed while installing (1603)",
        "Read the lines of msiexec's log above: they end with the action that failed.",
        by=(WINDOWS,),
    ),
    Code(158, "the disk is full (112)", "Make room on the system drive.", by=(WINDOWS,)),
    Code(
        159, "another installation is running (1618)", "Wait for it to end, then run this script again.", by=(WINDOWS,)
    ),
    Code(
        160,
        "msiexec cannot write its log (1622)",
        "Check the free space and the permissions of the log folder.",
        by=(WINDOWS,),
    ),
)

CODES = (*MICROSOFTS, *OURS)

GRAVITY = (200, 201, 213, 216, 204, 220, 61, 64, 65, 66, 67, 214, 202, 209, 210, 208, 211, 212, 203)
"""The codes of findings, the gravest first: of several that one run has, the first of these ends it.

203 is last: what is wrong with the machine or the network has to be mended before a secret is of use, and ``--check``
ends with it for an envelope alone that was given and does not open. 61 to 66 are 220 in azcmagent's own words. A code
that is not here comes behind all of them.
"""
