"""A folder with a definition whose upstream is a lab, and the way to run commands in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bundler.lab.lab import Lab
from tests.support import shared

NOW = shared.now()


@dataclass
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Project:
    """A folder with a definition, and the way to run commands in it."""

    folder: Path
    lab: Lab
    run: Callable[..., Ran]
    now: datetime = NOW

    @property
    def definition(self) -> Path:
        return self.folder / "bundle.yaml"

    @property
    def lock(self) -> Path:
        return self.folder / "bundle.lock"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def define(self, **changes: str) -> None:
        """Write the definition; ``changes`` replace whole top-level sections by YAML text."""
        self.definition.write_text(definition(self.lab, self.folder, **changes), encoding="utf-8")

    def made(self, suffix: str) -> Path:
        """The one output of the last build whose name ends so."""
        (found,) = (p for p in (self.folder / "bundles").glob(f"*/*/*{suffix}"))
        return found


def definition(lab: Lab, folder: Path, **changes: str) -> str:
    """A definition of three targets against ``lab``, whose authority lies below ``folder``."""
    sections = {
        "name": "arc-test",
        "version": '"1.0"',
        "tenant": "11111111-1111-4111-8111-111111111111",
        "subscription": "22222222-2222-4222-8222-222222222222",
        "resource_group": "servers",
        "location": "japaneast",
        "authentication": (
            "{method: service-principal-secret, service_principal_id: 33333333-3333-4333-8333-333333333333}"
        ),
        "targets": '[{os: windows}, {os: ubuntu, version: "22.04"}, {os: rhel, version: "9"}]',
        "upstream": (
            f"{{windows: '{lab.windows_url}/azcmagent', linux: '{lab.packages_url}', hosts: ['{lab.host}'], "
            "ca: lab/authority/ca.pem, anchors: lab/authority/anchors.json}"
        ),
        "outputs": "[{format: directory}, {format: zip}, {format: tar.gz}, {format: 7z}]",
    } | changes
    return "".join(f"{key}: {text}\n" for key, text in sections.items())
