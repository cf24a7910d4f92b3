"""How many of the points, bytes and moments are tried: a sample in every run, all of them by ``make thorough``."""

from __future__ import annotations

import os

THOROUGH = bool(os.environ.get("ARC_BUNDLER_THOROUGH"))
"""Whether ``make thorough`` runs."""


def count(sample: int, whole: int) -> int:
    """``sample``, or ``whole`` where ``ARC_BUNDLER_THOROUGH`` is set."""
    return whole if THOROUGH else sample
