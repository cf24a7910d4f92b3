"""Says how long ago upstream was asked for a package."""

from __future__ import annotations

from datetime import datetime, timedelta


def asked(when: datetime | None, at: datetime, *, then: str = "ago") -> str:
    """``2026-11-30 16:31 UTC, 12 days ago``; ``at`` is what the age counts to, ``then`` the word for it."""
    if when is None:
        return "not known (a lock of 0.3.0 or older)"
    age, time = at - when, f"{when:%Y-%m-%d %H:%M} UTC"
    return f"{time}, {_amount(age)} {then}" if age >= timedelta(hours=1) else time


def _amount(age: timedelta) -> str:
    number, unit = (age.days, "day") if age.days else (age.seconds // 3600, "hour")
    return f"{number} {unit}{'' if number == 1 else 's'}"
