"""Whether Azure may connect the SQL Server of a server that it connects: what a definition, or a manifest, answers.

Azure installs an extension on each connected server that has SQL Server, and gives it roles in the instance and in
every database, unless a tag, or a limit of the extensions, says otherwise.

Sources: azure-docs ``includes/sql-server-auto-onboard.md`` (tag and value ``Disabled``, Windows and Linux); sql-docs
``manage-autodeploy.md`` (licence types as values; extension lists as the other way out).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

Answer = Literal["no", "yes", "none"]
"""Azure leaves SQL Server alone; it connects it; nothing is said."""

TAG = "ArcSQLServerExtensionDeployment"
DISABLED = "Disabled"
LICENCES = ("Paid", "PAYG", "PAYG-Recurring", "LicenseOnly")
"""Values of the tag that connect SQL Server, with the licence type that each instance gets."""
SOURCE = "includes/sql-server-auto-onboard.md; manage-autodeploy.md"
_EXTENSIONS = frozenset({"microsoft.azuredata/windowsagent.sqlserver", "microsoft.azuredata/linuxagent.sqlserver"})


def tag_value(tags: Mapping[str, str]) -> str | None:
    """The tag's value; names of tags do not differ by case (Azure Resource Manager, tag-resources.md)."""
    return next((text for name, text in tags.items() if name.casefold() == TAG.casefold()), None)


def answer(tags: Mapping[str, str], *, allowlist: Collection[str], blocklist: Collection[str], limited: bool) -> Answer:
    """What is said about SQL Server.

    Args:
        tags: of the server's resource.
        allowlist: of extensions, ``Publisher/Type``; empty: every one.
        blocklist: of extensions.
        limited: monitor mode or a stopped extension service: the extension cannot be installed.
    """
    allowed, blocked = ({word.casefold() for word in words} for words in (allowlist, blocklist))
    if limited or _EXTENSIONS & blocked or (allowed and not _EXTENSIONS & allowed):
        return "no"
    value = tag_value(tags)
    if value is not None and value.casefold() == DISABLED.casefold():
        return "no"
    if value is not None and value.casefold() in {licence.casefold() for licence in LICENCES}:
        return "yes"
    return "yes" if allowed else "none"


def of_parameters(parameters: Mapping[str, str]) -> Answer:
    """The answer in a manifest's parameters."""

    def words(key: str) -> list[str]:
        return [word for word in parameters.get(f"settings.extensions.{key}", "").split(",") if word]

    stopped = parameters.get("settings.extensions.enabled") == "false"
    return answer(
        {name.removeprefix("tags."): text for name, text in parameters.items() if name.startswith("tags.")},
        allowlist=words("allowlist"),
        blocklist=words("blocklist"),
        limited=stopped or parameters.get("settings.config.mode") == "monitor",
    )
