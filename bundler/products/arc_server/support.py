"""Until when Microsoft supports a version of the agent.

agent-overview.md: only versions released within the last twelve months. The months of release are in ``agents.json``;
a version counts as supported until the end of the same month a year later, as the definition's rules count.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date

from bundler.model.lock import Pin
from bundler.model.target import Support
from bundler.products.arc_server import tables
from bundler.products.arc_server.agent_version import AgentVersion


def support(pins: Iterable[Pin]) -> tuple[Support, ...]:
    """Until when each version among ``pins`` is supported, sorted by version."""
    return tuple(of(version) for version in sorted({pin.facts.version for pin in pins}))


def of(version: str) -> Support:
    """Until when Microsoft supports one version, given as a package writes it."""
    agents, release = tables.agents(), AgentVersion(version).release
    month = next((one.month for one in agents.releases if release == AgentVersion(one.version).release), None)
    until = None
    if month:  # the last day of the month that lies support_months later
        year, number = map(int, month.split("-"))
        ahead, position = divmod(number - 1 + agents.support_months, 12)
        until = date(year + ahead, position + 1, calendar.monthrange(year + ahead, position + 1)[1])
    return Support(version=version, until=until, source=agents.support_source)
