"""Bytes as a person reads them."""

from __future__ import annotations


def human(amount: float) -> str:
    """``amount`` bytes in decimal units, as disks and downloads are counted."""
    if amount < 1000:
        return f"{amount:.0f} B"
    for unit in ("kB", "MB"):
        amount /= 1000
        if amount < 1000:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} GB"
