"""Loads a project: its definition, its trust anchors, and the artifacts that follow from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bundler.definition.common import Definition
from bundler.errors import DefinitionError, Fault, UsageError
from bundler.flow import side_files as files
from bundler.flow.side_files import HeldApprover
from bundler.model.anchor import Anchors
from bundler.model.artifact import Artifact
from bundler.products import definition_file, registry
from bundler.products.product import AnyProduct
from bundler.products.registry import Installed
from bundler.trust import anchors as trusted

_MAX_DEFINITION = 4 << 20
"""Bytes; a definition with a thousand targets has a tenth of that."""


_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Project:
    """A loaded and validated definition."""

    path: Path
    product: AnyProduct
    product_release: Installed
    """Who brings the product."""
    definition: Definition
    warnings: tuple[Fault, ...]
    anchors: Anchors
    anchors_sha256: str
    artifacts: tuple[Artifact, ...]
    attachments: Any = None
    """Contents of the files that the definition names, as its product read them."""
    approvers: tuple[HeldApprover, ...] = ()


def read(path: Path, *, anchors_file: Sequence[Path] | None, today: date, strict: bool) -> Project:
    """Load the definition at ``path`` and the files that it names, relative to its folder.

    Args:
        path: The definition file.
        anchors_file: Files of trust anchors to use instead of the one that the definition names.
        today: Date for rules about support and certificates.
        strict: Treat warnings as errors.

    Raises:
        DefinitionError: the definition is missing or wrong, with every fault.
        UsageError: a file that cannot be read, or an anchors file that holds no anchors.

    """
    written = text(path)
    loaded = definition_file.load(path, written, today=today, strict=strict)
    definition = loaded.definition
    product = registry.get(definition.product)
    held, warnings = files.read(path, written, definition, product, today=today, strict=strict)
    own = resolve_relative(path, definition.upstream.anchors)
    named = anchors_file or ((own,) if own else ())
    artifacts = product.artifacts(definition)
    _require_admitted(product, artifacts, path)
    anchors = trusted.chosen(named)
    return Project(
        path=path,
        product=product,
        product_release=registry.find(definition.product),
        definition=definition,
        warnings=(*loaded.warnings, *warnings),
        anchors=anchors,
        anchors_sha256=trusted.digest(anchors),
        artifacts=artifacts,
        attachments=held.attachments,
        approvers=held.approvers,
    )


def warnings_of(project: Project, day: date) -> tuple[str, ...]:
    """What the author of the definition is warned of on ``day``, without line numbers.

    A build uses the lock's day, so that builds of one lock say the same. What was no error today may be one on that
    day (a certificate that was not valid yet): then nothing is said, since the definition was accepted.
    """
    written = text(project.path)
    try:
        found = definition_file.load(project.path, written, today=day).warnings
        _, beside = files.read(project.path, written, project.definition, project.product, today=day, strict=False)
    except DefinitionError:
        return ()
    warned = (fault for fault in (*found, *beside) if fault.severity == "warning")
    return tuple(dict.fromkeys(f"{fault.path}: {fault.message}" for fault in warned))


def resolve_relative(definition: Path, name: str) -> Path | None:
    """The path of a file that the definition names, relative to the definition's folder; None for an empty name."""
    return definition.parent / name if name else None


def text(path: Path) -> bytes:
    """The bytes of the definition at ``path``. Raises DefinitionError, UsageError."""
    try:
        with path.open("rb") as file:
            document = file.read(_MAX_DEFINITION + 1)
    except FileNotFoundError:
        raise DefinitionError(
            f"there is no definition at {path}",
            do="write one with `arc-bundler init`, or name yours with `--definition FILE`",
        ) from None
    except OSError as error:
        raise UsageError(f"the definition at {path} cannot be read: {error.strerror or error}") from error
    if len(document) > _MAX_DEFINITION:
        raise DefinitionError(f"{path} is larger than {_MAX_DEFINITION} bytes, which no definition is")
    return document


def _require_admitted(product: AnyProduct, artifacts: Iterable[Artifact], path: Path) -> None:
    """Raise DefinitionError for a kind that the product does not admit, and for an unsigned package by default."""
    for artifact in artifacts:
        if not product.admits(artifact.kind, artifact.name):
            raise DefinitionError(
                f"{path}: the product {product.name} does not admit {artifact.name} as a package of kind "
                f"{artifact.kind}",
                do="give a package that carries a signature",
            )
        if artifact.kind == "unsigned" and not (artifact.accept_unsigned and _SHA256.fullmatch(artifact.sha256)):
            raise DefinitionError(
                f"{path}: {artifact.name} for {artifact.place} carries no signature",
                do="give its sha256 (64 lower-case hex digits, from its publisher) and accept_unsigned: true; "
                "or use a signed package",
            )
