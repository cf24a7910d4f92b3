"""Which agent is wished for, and how do versions compare?"""

from __future__ import annotations

import re

from bundler.products.arc_server.definition import Definition

WISH = re.compile(r"latest|[0-9]{1,4}\.[0-9]{1,4}(\.[0-9]{1,8}[.-][0-9]{1,8})?")
WISH_ALLOWED = 'latest, "MAJOR.MINOR" such as "1.67", or a full build such as "1.67.03504.3207"'


def wishes(definition: Definition) -> list[str]:
    """The agent version of each target, as far as it is one."""
    return [wish for wish in map(definition.agent_wish, definition.targets) if WISH.fullmatch(wish)]


def release(version: str) -> tuple[int, int]:
    """``MAJOR.MINOR`` of a version that is not ``latest``."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def below(wish: str, minimum: str) -> bool:
    """Whether ``wish`` is older than ``minimum`` (empty: none); ``latest`` never is."""
    return bool(minimum) and wish != "latest" and WISH.fullmatch(wish) is not None and release(wish) < release(minimum)
