"""The gzip header of a bundle's tar.gz: what our writer writes, and what our reader accepts.

RFC 1952, section 2.3. The content may be deflated in any way, and two bytes only say how it was: the level (XFL) and
the system (OS), which no unpacker uses. All else must be ours: no name, no comment, no extra field, no time.
"""

from __future__ import annotations

# Magic, deflate, no flags, no time, no level, and 255 for an unknown system.
HEADER = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])

_FIXED = 8
"""Bytes before the level and the system."""
_LEVELS = frozenset([0, 2, 4])
_SYSTEMS = frozenset([*range(14), 255])


def is_ours(header: bytes) -> bool:
    """Whether ``header`` is as our writer writes it, but for level and system."""
    if len(header) != len(HEADER) or header[:_FIXED] != HEADER[:_FIXED]:
        return False
    return header[_FIXED] in _LEVELS and header[_FIXED + 1] in _SYSTEMS
