"""Until when does Microsoft support an agent?

agent-overview.md: only versions released within the last twelve months. The months of release are in ``agents.json``;
a version counts as supported until the end of the same month a year later, as the definition's rules count.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from datetime import date

from bundler.model.lock import Pin
from bundler.model.target import Support
from bundler.products.arc_server import tables

_RELEASE = re.compile(r"(\d+\.\d+)(?:\.|$)")


def support(pins: Iterable[Pin]) -> tuple[Support, ...]:
    """What is known of each version among ``pins``, sorted by version."""
    return tuple(of(version) for version in sorted({pin.facts.version for pin in pins}))


def of(version: str) -> Support:
    """What is known of one version, given as a package writes it."""
    agents = tables.agents()
    told = _RELEASE.match(version)
    month = next((one.month for one in agents.releases if told and one.version == told[1]), None)
    until = _end(month, agents.support_months) if month else None
    return Support(version=version, until=until, source=agents.support_source)


def _end(month: str, months: int) -> date:
    """The last day of the month that lies ``months`` after ``month`` (``YYYY-MM``)."""
    year, number = map(int, month.split("-"))
    ahead, position = divmod(number - 1 + months, 12)
    return date(year + ahead, position + 1, calendar.monthrange(year + ahead, position + 1)[1])
