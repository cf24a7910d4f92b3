"""Writes a starter definition and its JSON schema beside it."""

from __future__ import annotations

import json
from pathlib import Path

from bundler.definition import load
from bundler.definition.load import SCHEMA_NAME
from bundler.errors import UsageError, WriteError
from bundler.model.target import Target
from bundler.pack.staging import write_file
from bundler.products.product import AnyProduct, StarterAnswers


def targets(texts: tuple[str, ...]) -> tuple[Target, ...]:
    """Targets written as ``os``, ``os/version`` or ``os/version/architecture``. Raises UsageError."""
    found = []
    for text in texts:
        os, *rest = text.split("/")
        if not os or len(rest) > 2:
            raise UsageError(
                f"{text!r} is not a valid target",
                do="write os/version/architecture: ubuntu/22.04, rhel/9/arm64, windows",
            )
        version, architecture = (*rest, "", "")[:2]
        found.append(Target(os=os, version=version, architecture=architecture or "x64"))
    return tuple(found)


def write(path: Path, product: AnyProduct, answers: StarterAnswers) -> Path:
    """Write a definition of ``product`` to ``path`` and its schema beside it.

    Returns:
        The schema's path.

    Raises:
        WriteError: a definition exists already; it is never overwritten.

    """
    if path.exists():
        raise WriteError(f"{path} already exists", do="edit it, or name another file with `--definition FILE`")
    schema = path.with_name(SCHEMA_NAME)
    found = load.schema(product.definition.kind)
    write_file(schema, (json.dumps(found, ensure_ascii=False, indent=2) + "\n").encode())
    write_file(path, product.starter(answers).encode())
    return schema
