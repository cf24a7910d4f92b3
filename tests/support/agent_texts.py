"""What azcmagent says, as the table ``tests/agent_texts.toml`` has it: the same rows for bash and for PowerShell."""

from __future__ import annotations

import base64
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = Path(__file__).resolve().parents[1] / "agent_texts.toml"

CONTEXT: dict[str, str] = {
    "subscription": "22222222-2222-4222-8222-222222222222",
    "group": "lab-servers",
    "name": "",
    "host": "srv01",
    "uuid": "",
    "proxy": "",
    "gateway": "",
    "location": "japaneast",
    "config": "",
    "type": "",
    "key": "",
    "value": "",
}
"""What the bundle wants and the machine is, where a row does not say it: the resource, the host's name and SMBIOS UUID,
the proxy and the gateway, agentconfig.json, what ``config get connection.type`` answers (empty: it fails), and for
``config`` the setting."""

REQUIRED_HOSTS = ("gbl.his.arc.azure.com", "je.his.arc.azure.com", "management.azure.com")
"""What the bundle's table of endpoints has, all of it direct and required; with a gateway also the next, through it."""
GATEWAY_HOST = "japaneast-gas.guestconfiguration.azure.com"


@dataclass(frozen=True)
class Row:
    """One answer of azcmagent, and what must become of it."""

    name: str
    source: str
    command: str
    text: bytes
    rc: int = 0
    lab: bool = False
    os: str = ""
    context: dict[str, str] = field(default_factory=dict)
    want: dict[str, Any] = field(default_factory=dict)


@cache
def rows() -> tuple[Row, ...]:
    """All of them."""
    return tuple(_row(one) for one in tomllib.loads(TABLE.read_text(encoding="utf-8"))["row"])


def rows_of(system: str) -> tuple[Row, ...]:
    """Those that are for ``linux`` or ``windows``."""
    return tuple(row for row in rows() if row.os in ("", system))


def _row(one: dict[str, Any]) -> Row:
    text = base64.b64decode(one.pop("base64")) if "base64" in one else one.pop("text").encode()
    return Row(**{**one, "text": text, "context": {**CONTEXT, **one.get("context", {})}})
