"""What does a definition file say, and what is wrong with it? All its faults at once, each with its line."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from bundler.errors import DefinitionError, Fault
from bundler.formats import definition_text, json_codec
from bundler.formats.definition_text import DefinitionText
from bundler.products import shape
from bundler.products.arc_server import rules
from bundler.products.arc_server.canonical import normal
from bundler.products.arc_server.definition import Definition

SCHEMA_NAME = "bundle.schema.json"
"""What the schema's file is called beside a definition."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Loaded:
    """A definition without errors."""

    definition: Definition
    warnings: tuple[Fault, ...]
    """What ``--strict`` would refuse."""
    folder: Path
    """The definition's own folder: relative paths in it start here."""


def load(path: Path, text: bytes, *, today: date | None = None, strict: bool = False) -> Loaded:
    """Read ``text``, the content of the definition at ``path``.

    ``today`` is what the agent's age is counted to; None asks nothing about age. With ``strict`` warnings are errors.
    Raises :class:`~bundler.errors.DefinitionError` with every fault of shape and of sense, in the order of lines.
    """
    written = _read(path, text)
    definition, faults = _judge(written, today)
    warnings = [fault for fault in faults if fault.severity == "warning"]
    if definition is None or (strict and faults) or len(warnings) < len(faults):
        raise _refusal(path, faults)
    return Loaded(definition, tuple(warnings), path.parent)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that editors complete a definition with."""
    found = json_codec.schema(Definition)
    return {"$schema": _DIALECT, "title": "arc-bundler definition", **{k: found[k] for k in found if k != "title"}}


def describe(path: Path, fault: Fault) -> str:
    """One fault in one paragraph, as compilers write it: ``bundle.yaml:12: targets.0.os: …``."""
    parts = [f"{path}:{fault.line}: {fault.path or 'definition'}: {fault.message}"]
    if fault.allowed:
        parts.append(f"allowed: {fault.allowed}")
    if fault.source:
        parts.append(f"source: {fault.source}")
    return "; ".join(parts)


def _read(path: Path, text: bytes) -> DefinitionText:
    try:
        return definition_text.read(text)
    except definition_text.TextError as error:
        faults = [
            Fault(path=".".join(map(str, f.path)), message=f.message, allowed=f.allowed, line=f.line)
            for f in error.faults
        ]
        raise _refusal(path, faults) from None


def _judge(written: DefinitionText, today: date | None) -> tuple[Definition | None, list[Fault]]:
    """The definition (None where its shape is wrong) and all faults, shape and sense together."""
    whole, wrong = shape.read(Definition, written)
    secrets = shape.secrets(written)
    faults = [*secrets.values(), *(fault for path, fault in wrong if not _within(path, secrets))]
    # What looks like a secret is taken out before the rules look: a rule would show it.
    mended = shape.mend(Definition, written, rules.SAMPLE, frozenset(secrets))
    if mended is not None:
        found = rules.check(normal(mended.value), mended.broken, today)
        faults += [_placed(mended, finding, written) for finding in found]
    faults.sort(key=lambda fault: fault.line)
    return (normal(whole) if whole is not None else None), faults


def _within(path: definition_text.Path, others: Container[definition_text.Path]) -> bool:
    return any(path[:length] in others for length in range(1, len(path) + 1))


def _placed(mended: shape.Mended[Definition], finding: rules.Finding, written: DefinitionText) -> Fault:
    path = mended.original(finding.path)
    return Fault(
        path=".".join(map(str, path)),
        message=finding.message,
        allowed=finding.allowed,
        source=finding.source,
        line=written.line(path),
        severity=finding.severity,
    )


def _refusal(path: Path, faults: Sequence[Fault]) -> DefinitionError:
    count = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
    return DefinitionError(
        f"{path} has {count}",
        faults=faults,
        do="correct them, or start afresh from `arc-bundler init`",
    )
