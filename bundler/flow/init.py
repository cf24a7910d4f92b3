"""Writes a starter definition and its JSON schema beside it, and says what is wrong with the answers in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bundler.definition import load
from bundler.definition.load import SCHEMA_NAME
from bundler.errors import DefinitionError, Fault, UsageError, WriteError
from bundler.model.target import Target
from bundler.pack.staging import write_file
from bundler.products import definition_file
from bundler.products.product import AnyProduct, StarterAnswers

_NAMELESS = Path("bundle.yaml")


def targets(product: AnyProduct, texts: Sequence[str]) -> tuple[Target, ...]:
    """Targets written as ``os``, ``os/version`` or ``os/version/architecture``, or in the product's other words.

    Raises UsageError.
    """
    found = []
    for text in texts:
        os, *rest = text.strip().split("/")
        if not os or len(rest) > 2:
            raise UsageError(
                f"{text!r} is not a valid target",
                do="write os/version/architecture: ubuntu/22.04, rhel/9/arm64, windows",
            )
        version, architecture = (*rest, "", "")[:2]
        tree = {"os": os, "version": version, "architecture": architecture or "x64"}
        meant = product.definition.understand({"targets": [tree]}).tree["targets"][0]
        found.append(Target(**{**tree, **meant}))
    return tuple(found)


def faults(product: AnyProduct, answers: StarterAnswers, paths: Sequence[str] = ()) -> list[Fault]:
    """What the definition's own rules say of ``answers``: errors and warnings, of ``paths`` alone where some are given.

    What is not answered yet is wrong too, at paths of its own.
    """
    try:
        loaded = definition_file.load(_NAMELESS, product.starter(answers).encode())
        found: Sequence[Fault] = loaded.warnings
    except DefinitionError as error:
        found = error.faults
    return [fault for fault in found if not paths or any(is_within(fault.path, path) for path in paths)]


def is_within(path: str, outer: str) -> bool:
    """Whether ``path`` is ``outer``, which is a path with all below it; with ``=`` in front, that path alone."""
    return path == outer.lstrip("=") or path.startswith(f"{outer}.")


def require_new(path: Path) -> None:
    """Raise WriteError where a definition exists already; it is never overwritten."""
    if path.exists() or path.is_symlink():
        raise WriteError(f"{path} already exists", do="edit it, or name another file with `--definition FILE`")


def write(path: Path, product: AnyProduct, answers: StarterAnswers) -> Path:
    """Write a definition of ``product`` to ``path`` and its schema beside it.

    Returns:
        The schema's path.

    Raises:
        WriteError: a definition exists already, or one of the two cannot be written.

    """
    require_new(path)
    schema = path.with_name(SCHEMA_NAME)
    found = load.schema(product.definition.kind)
    write_file(schema, (json.dumps(found, ensure_ascii=False, indent=2) + "\n").encode())
    write_file(path, product.starter(answers).encode())
    return schema
