"""Warns of a certificate that ends before what it signs is used: from then on servers refuse it."""

from __future__ import annotations

from datetime import datetime, timedelta

from bundler.cli.told_warnings import warn

NEAR = timedelta(days=30)
"""A certificate that ends within this time is warned of: a bundle takes its time through review and roll-out."""


def warn_of_end(what: str, ends: datetime, now: datetime) -> None:
    """Warn where the certificate called ``what`` is near its end; one after its end is refused elsewhere."""
    if now <= ends < now + NEAR:
        days = (ends - now).days
        when = f"in {days} days" if days > 1 else "within two days"
        warn(f"the {what} ends on {ends:%Y-%m-%d}, {when}: from then on servers refuse what it signs")


def warn_of_longer_use(what: str, ends: datetime, used: str, until: datetime | None) -> None:
    """Warn where the certificate called ``what`` ends before ``used``, which is used ``until`` then."""
    if until is not None and ends < until:
        warn(
            f"the {what} ends on {ends:%Y-%m-%d}, before {used} ({until:%Y-%m-%d}): "
            "from then on servers refuse it; sign with a certificate that lasts longer"
        )
