"""Does a path that a repository's metadata names stay inside the repository?"""

from __future__ import annotations

import re

# What Debian pools, rpm-md and RFC 3986 (unreserved, some sub-delims) have in common; no percent signs, so that no
# server can take the path for another one. A backslash or a colon would be a root on Windows.
_SEGMENT = re.compile(r"[A-Za-z0-9_+~=,@^(-][A-Za-z0-9._+~=,@^()-]*|\.[A-Za-z0-9_-][A-Za-z0-9._-]*")
_MAX_LENGTH = 1024


def is_inside(path: str) -> bool:
    """Whether ``path`` is relative, in plain letters, and names neither ``.`` nor ``..``."""
    return len(path) <= _MAX_LENGTH and all(_SEGMENT.fullmatch(segment) for segment in path.split("/"))
