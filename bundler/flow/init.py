"""Writes a starter definition and its JSON schema beside it."""

from __future__ import annotations

import json
from pathlib import Path

from bundler.definition.load import SCHEMA_NAME
from bundler.errors import UsageError, WriteError
from bundler.model.target import Target
from bundler.pack.staging import write_file
from bundler.products import definition_file
from bundler.products.arc_server import starter
from bundler.products.arc_server.definition import Upstream


def targets(texts: tuple[str, ...]) -> tuple[Target, ...]:
    """Targets written as ``os``, ``os/version`` or ``os/version/architecture``. Raises UsageError."""
    return tuple(_target(text) for text in texts)


def _target(text: str) -> Target:
    os, *rest = text.split("/")
    if not os or len(rest) > 2:
        raise UsageError(
            f"{text!r} is not a valid target", do="write os/version/architecture: ubuntu/22.04, rhel/9/arm64, windows"
        )
    version, architecture = (*rest, "", "")[:2]
    return Target(os=os, version=version, architecture=architecture or "x64")


def upstream(*, windows: str, linux: str, hosts: tuple[str, ...], ca: str, anchors: str) -> Upstream:
    """The ``upstream`` section of a definition, for mirrors and labs."""
    return Upstream(windows=windows, linux=linux, hosts=hosts, ca=ca, anchors=anchors)


def write(path: Path, answers: starter.Answers) -> Path:
    """Write the definition to ``path`` and its schema beside it.

    Returns:
        The schema's path.

    Raises:
        WriteError: a definition exists already; it is never overwritten.

    """
    if path.exists():
        raise WriteError(f"{path} already exists", do="edit it, or name another file with `--definition FILE`")
    schema = path.with_name(SCHEMA_NAME)
    write_file(schema, (json.dumps(definition_file.schema(), ensure_ascii=False, indent=2) + "\n").encode())
    write_file(path, starter.text(answers).encode())
    return schema
