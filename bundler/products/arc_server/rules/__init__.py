"""The rules about an arc-server definition, a module a subject; each names what it reads and its source."""

from __future__ import annotations

from typing import Any

from bundler.definition import common_rules
from bundler.definition.rules import Rule, rules_of
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.rules import (
    agent,
    authentication,
    identity,
    network,
    servers,
    sql_server,
    tags,
    targets,
    upstream,
)

SAMPLE: dict[str, Any] = {
    "name": "sample",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": "22222222-2222-4222-8222-222222222222",
    "resource_group": "rg-sample",
    "location": "japaneast",
    "authentication": {"method": "device-code"},
    "targets": [{"os": "ubuntu", "version": "22.04"}],
}
"""A valid definition: its parts stand in for broken ones while the rest is checked."""

RULES: tuple[Rule[Definition], ...] = rules_of(
    common_rules,
    identity,
    tags,
    sql_server,
    authentication,
    network,
    servers,
    agent,
    targets,
    upstream,
)
