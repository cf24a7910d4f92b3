"""The eight digits that tell servers of one host name apart, as both scripts have to derive them."""

from __future__ import annotations

import hashlib


def digits(key: str) -> str:
    """Of a machine id, MachineGuid, firmware's UUID or host name, in lower case."""
    return hashlib.sha256(b"arc-bundler machine " + key.encode()).hexdigest()[:8]
