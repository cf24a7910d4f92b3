"""With which codes do the scripts on a target end, and what is to be done about each?

One table for the scripts, which print the row that applies, and for the documentation.
Below 200 the numbers are Microsoft's (``troubleshoot-agent-onboard.md``: AZCMnnnn is exit code nnnn),
used where the meaning is the same; from 200 on they are ours.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One way for a script to end."""

    number: int
    meaning: str
    do: str
    """The next step, as an imperative sentence."""


OURS = (
    Code(
        200,
        "the bundle is damaged or incomplete",
        "Copy the bundle again, then compare the digest of verify with the one that build printed.",
    ),
    Code(201, "the bundle's seal is not believed", "Ask the bundle's maker for it again; install nothing from it."),
    Code(
        202, "this machine is not ready", "Put right what the preflight lines above name, then run this script again."
    ),
    Code(
        203, "no secret", "Give it by a file, standard input or ARC_BUNDLER_SECRET, or run this script in a terminal."
    ),
    Code(
        204, "this bundle is not for this machine", "Build a bundle that has this operating system among its targets."
    ),
    Code(205, "asked in a way that this script does not know", "Run it with --help, or on Windows with -Help."),
    Code(
        206,
        "the agent does not say that it is connected to the wanted resource",
        "Run azcmagent show and azcmagent check on this machine.",
    ),
    Code(207, "interrupted", "Run this script again: it goes on from what it finds."),
    Code(
        208,
        "an address that the agent needs cannot be reached as it should be",
        "Give the failed rows of the network table to whoever runs the network, then run this script again.",
    ),
    Code(
        209,
        "names resolve to private addresses, and this bundle has no private link scope",
        "Build the bundle with network.profile private-link, or correct this machine's name resolution.",
    ),
    Code(
        210,
        "the trust store lacks a root that is needed",
        "Install the named root, or carry it in the bundle (trust.certificates) and use the switch that installs it.",
    ),
    Code(
        211,
        "another package installation holds the lock",
        "Wait for the named process to end, or end it, then run this script again.",
    ),
    Code(212, "this script runs here already", "Wait for the other run to end; its log says how far it is."),
    Code(
        214,
        "what an earlier installation left could not be repaired",
        "Repair it with the package manager's or Windows' own tools as the log shows, then run this script again.",
    ),
    Code(
        215,
        "uninstalling did not end well",
        "Look at the log for what is left, put that right, then run this script again.",
    ),
)

MICROSOFTS = (
    Code(12, "the access token is not valid", "Get a fresh token and run this script again."),
    Code(16, "the agent misses a parameter", "Look at the log; the bundle's definition may lack a value."),
    Code(18, "the agent says that it is not elevated", "Run this script as root or from an elevated PowerShell."),
    Code(20, "the agent does not know the region", "Correct location in the bundle's definition."),
    Code(23, "the agent does not accept a value", "Look at the log for the value, and correct it in the definition."),
    Code(
        26,
        "the network, or private endpoints without a private link scope",
        "Run azcmagent check on this machine and compare with config/endpoints.json.",
    ),
    Code(27, "a setting contradicts another one", "Look at the log for both, and correct the definition."),
    Code(
        41,
        "the credentials are not valid",
        "Check the service principal's id, its secret and whether that has expired.",
    ),
    Code(
        42,
        "the resource could not be created",
        "Check the role Azure Connected Machine Onboarding on the resource group; a new assignment needs minutes.",
    ),
    Code(
        44,
        "a resource of this name exists already",
        "Delete the stale resource in Azure, or give this machine another resource name.",
    ),
    Code(
        43,
        "the resource could not be deleted",
        "Give the credentials the role Azure Connected Machine Resource Administrator, or delete it in Azure.",
    ),
    Code(61, "the agent's service does not answer", "Look whether himds (himdsd on Linux) runs, and at its log."),
    Code(62, "connecting failed", "Look at azcmagent.log on this machine."),
    Code(63, "disconnecting failed", "Look at azcmagent.log on this machine."),
    Code(
        67, "this machine is connected to another resource", "Disconnect it with azcmagent disconnect if it is to move."
    ),
    Code(69, "the agent does not keep a setting", "Look whether another setting or a policy changes it back."),
    Code(143, "the package manager did not install the agent", "Look at the end of the log, where its own words are."),
    Code(149, "msiexec did not install the agent", "Look at msiexec's own log beside this script's."),
    Code(153, "msiexec says that the platform does not fit (1633)", "Take a bundle for this architecture."),
    Code(156, "msiexec failed while installing (1603)", "Look for 'Return value 3' in msiexec's log."),
    Code(158, "the disk is full (112)", "Make room on the system drive."),
    Code(159, "another installation is running (1618)", "Wait for it to end, then run this script again."),
    Code(160, "msiexec cannot write its log (1622)", "Check the space and the rights of the log folder."),
)

CODES = (*MICROSOFTS, *OURS)
