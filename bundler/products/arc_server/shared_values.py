"""What the template of every script, and of START-HERE, is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bundler.model.seal import SealPolicy
from bundler.products.arc_server import tables
from bundler.products.arc_server.settings import Settings
from bundler.products.azure import tables as azure
from bundler.render.seal_values import seal_values


@dataclass(frozen=True)
class _File:
    path: str
    sha256: str


def of(settings: Settings, facts: Mapping[str, str], seal_policy: SealPolicy) -> dict[str, object]:
    """The values; ``facts`` are the SHA-256 of the files that the scripts verify, by path."""
    return {
        "name": settings.name,
        "version": settings.version,
        "lab": settings.lab,
        "tool": settings.tool,
        "parameters": settings.parameters,
        "files": [_File(path, sha256) for path, sha256 in sorted(facts.items())],
        "seal_policy": seal_policy,
        "negative_serials_refused": tables.agents().changing("negative-serials"),
        "manager": azure.clouds().of(settings.parameters.cloud).manager,
        **seal_values(seal_policy),
    }
