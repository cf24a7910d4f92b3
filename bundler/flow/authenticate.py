"""Judge files that somebody already has: what they are, who signed them, and whether to believe it."""

from __future__ import annotations
