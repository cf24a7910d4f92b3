"""What msiexec writes where an action fails: real texts, shortened, each with its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MsiLog:
    """One log."""

    lines: tuple[str, ...]
    shows: str
    """A piece of a line that must be shown."""
    cause: str
    """What is said of the cause, as a regular expression; empty: not known."""
    hides: str = ""
    """A piece of a line that comes later, and must not be shown."""


def _failed(action: str) -> str:
    note = "(note this may not be 100% accurate if translation happened inside sandbox)"
    return f"CustomAction {action} returned actual error code 1603 {note}"


LOGS = {
    # https://github.com/microsoft/azure_arc/issues/771, 2021: the agent's own installer.
    "a service of the agent": MsiLog(
        (
            "WixQuietExec64:  VERBOSE: In Enable-ExtensionService",
            "WixQuietExec64:  WARNING: Service 'Guest Configuration Extension service (ExtensionService)' ",
            "WixQuietExec64:  cannot be started due to the following error: Cannot start service ",
            "WixQuietExec64:  ExtensionService on computer '.'.",
            "WixQuietExec64:  Error 0x80070001: Command line returned an error.",
            _failed("InstallExtensionService"),
            "Action ended 16:25:21: InstallFinalize. Return value 3.",
            "MSI (s) (14:80) [16:25:22:000]: Executing op: rollback",
            "Action ended 16:25:31: INSTALL. Return value 3.",
        ),
        "Cannot start service",
        "a service of the agent did not start",
        "INSTALL. Return value 3",
    ),
    # https://github.com/fluent/fluent-package-builder/pull/218, 2020.
    "a custom action": MsiLog(
        (
            "Action ended 15:09:00: PublishProduct. Return value 1.",
            "MSI (s) (2C:60) [15:09:14:124]: Hello, I'm your 32bit Elevated Non-remapped custom action server.",
            "WixQuietExec64:  Error 0x80070057: Failed to get Command Line",
            _failed("InstallFluentdWinSvc"),
            "Action ended 15:09:14: InstallFinalize. Return value 3.",
            "MSI (s) (2C:48) [15:09:14:138]: Note: 1: 2265 2:  3: -2147287035 ",
            "Action ended 15:09:31: INSTALL. Return value 3.",
        ),
        "InstallFluentdWinSvc returned actual error code 1603",
        "",
        "15:09:31",
    ),
    # Windows Admin Center on a Chinese Windows, a public note of 2023.
    "Chinese": MsiLog(
        (
            "MSI (s) (94!94) [23:49:51:915]: Transforming table Error.",
            "",
            "\u4ea7\u54c1: Windows Admin Center -- 1: \u65e0\u6cd5\u4fdd\u7559\u7aef\u53e3 443",
            "",
            _failed("BindSslPort"),
            "\u64cd\u4f5c\u7ed3\u675f 23:49:51: InstallFinalize\u3002\u8fd4\u56de\u503c 3\u3002",
            "\u64cd\u4f5c\u7ed3\u675f 23:49:59: INSTALL\u3002\u8fd4\u56de\u503c 3\u3002",
        ),
        "BindSslPort returned actual error code 1603",
        "",
        "23:49:59",
    ),
    # The form of the German and the French Windows Installer.
    "German": MsiLog(
        (
            "Aktion beendet um 13:50:10: CostFinalize. R\u00fcckgabewert 1.",
            "MSI (s) (94:94) [13:50:11:100]: Note: 1: 2205 2:  3: Error ",
            "MSI (s) (94:94) [13:50:11:915]: Produkt: X -- Error 1920. Service 'Y' (Y) failed to start.",
            "Aktion beendet um 13:50:58: InstallFinalize. R\u00fcckgabewert 3.",
            "Aktion beendet um 13:51:09: INSTALL. R\u00fcckgabewert 3.",
        ),
        "Error 1920",
        "a service of the agent did not start",
        "13:51:09",
    ),
    "French": MsiLog(
        (
            "Fin de l'action 10:00:00\u00a0: CostFinalize. Valeur renvoy\u00e9e\u00a0: 1.",
            "Error 1925. You do not have sufficient privileges to complete this installation.",
            "Fin de l'action 10:00:03\u00a0: LaunchConditions. Valeur renvoy\u00e9e\u00a0: 3.",
            "Fin de l'action 10:00:04\u00a0: INSTALL. Valeur renvoy\u00e9e\u00a0: 3.",
        ),
        "LaunchConditions",
        "access is denied",
        "10:00:04",
    ),
    # Microsoft Entra Connect, learn.microsoft.com: DetectServiceAccount.
    "an account": MsiLog(
        (
            "Action start 11:41:20: DetectServiceAccount.",
            _failed("DetectServiceAccount"),
            "Action ended 11:41:29: DetectServiceAccount. Return value 3.",
            "Action ended 11:41:29: INSTALL. Return value 3.",
        ),
        "DetectServiceAccount returned",
        "",
        "INSTALL. Return",
    ),
    "the agent's log is held": MsiLog(
        (
            r"Error 1306. Another application has exclusive access to C:\ProgramData\X\Log\azcmagent.log.",
            "Action ended 9:01:02: InstallFinalize. Return value 3.",
        ),
        "exclusive access",
        "azcmagent.log is held by another program",
    ),
    "nothing failed": MsiLog(
        (
            "Property(S): Value = 3.",
            "MSI (s) (2C:48) [15:09:14:138]: Note: 1: 2265 2:  3",
            "Action ended 15:09:00: PublishProduct. Return value 1.",
        ),
        'no action with "Return value 3"',
        "",
    ),
}
