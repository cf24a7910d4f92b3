"""Loads a definition of any product: all its faults at once, each with its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

from bundler.definition import rules, validation
from bundler.definition.definition_type import DefinitionType
from bundler.definition.naming import suggest
from bundler.definition.understood import Understood
from bundler.errors import DefinitionError, Fault
from bundler.formats import definition_text, json_codec
from bundler.formats.definition_text import DefinitionText

SCHEMA_NAME = "bundle.schema.json"
"""What the schema's file is called beside a definition."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_D = TypeVar("_D")


@dataclass(frozen=True)
class Loaded(Generic[_D]):
    """A definition without errors."""

    definition: _D
    warnings: tuple[Fault, ...]
    """What ``--strict`` would refuse, and notes about words that were understood."""
    folder: Path
    """The definition's own folder: relative paths in it start here."""


def parse(path: Path, text: bytes) -> DefinitionText:
    """The YAML of the definition at ``path``, whatever its product. Raises DefinitionError."""
    try:
        return definition_text.read(text)
    except definition_text.TextError as error:
        faults = [
            Fault(path=".".join(map(str, f.path)), message=f.message, allowed=f.allowed, line=f.line)
            for f in error.faults
        ]
        raise _refusal(path, faults) from None


def product(path: Path, written: DefinitionText, *, default: str, known: Sequence[str]) -> str:
    """The product that a definition names, one of ``known``; ``default`` where it names none.

    What is not text is left to the validation. Raises DefinitionError for another name.
    """
    tree = written.tree
    named = tree.get("product", default) if isinstance(tree, dict) else default
    if not isinstance(named, str) or named in known:
        return named if isinstance(named, str) else default
    message = f"{named!r} is not supported{suggest(named, known)}"
    fault = Fault(path="product", message=message, allowed=", ".join(known), line=written.line(("product",)))
    raise _refusal(path, [*validation.secrets(written).values(), fault])


def load(
    path: Path, written: DefinitionText, form: DefinitionType[_D], *, today: date | None, strict: bool
) -> Loaded[_D]:
    """Validate what is ``written`` in the definition at ``path``.

    Args:
        path: The definition's file, for messages and as the start of relative paths.
        written: Its content, by :func:`parse`.
        form: What its product states about definitions.
        today: The day that the age of versions is counted to; None checks no age.
        strict: Whether warnings are errors.

    Raises:
        DefinitionError: With every fault against schema and rules, in the order of lines.
    """
    meant = form.understand(written.tree)
    written = replace(written, tree=meant.tree)
    whole, wrong = validation.read(form.kind, written)
    faults = _faults(written, form, wrong, meant, today)
    refused = [fault for fault in faults if fault.severity == "error" or (strict and fault.severity == "warning")]
    if whole is None or refused:
        raise _refusal(path, faults)
    return Loaded(form.canonical(whole), tuple(faults), path.parent)


def schema(kind: type[object]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that editors complete a definition with."""
    found = json_codec.schema(kind)
    return {"$schema": _DIALECT, "title": "arc-bundler definition", **{k: found[k] for k in found if k != "title"}}


def describe(path: Path, fault: Fault) -> str:
    """One fault in one paragraph, as compilers write it: ``bundle.yaml:12: targets.0.os: …``."""
    parts = [f"{path}:{fault.line}: {fault.path or 'definition'}: {fault.message}"]
    if fault.allowed:
        parts.append(f"allowed: {fault.allowed}")
    if fault.source:
        parts.append(f"source: {fault.source}")
    return "; ".join(parts)


def placed(finding: rules.Finding, written: DefinitionText) -> Fault:
    """``finding`` with the line of its path in the definition."""
    return Fault(
        path=".".join(map(str, finding.path)),
        message=finding.message,
        allowed=finding.allowed,
        source=finding.source,
        line=written.line(finding.path),
        severity=finding.severity,
    )


def _faults(
    written: DefinitionText,
    form: DefinitionType[_D],
    wrong: Iterable[tuple[definition_text.Path, Fault]],
    meant: Understood,
    today: date | None,
) -> list[Fault]:
    """All faults in the order of lines: those against the schema (``wrong``), secrets, and those against rules."""
    secrets = validation.secrets(written)
    faults = list(secrets.values())

    def secret(path: definition_text.Path) -> bool:  # within a secret there is nothing more to say
        return any(path[:length] in secrets for length in range(1, len(path) + 1))

    faults += [_answered(path, fault, meant) for path, fault in wrong if not secret(path)]
    faults += [placed(one, written) for one in meant.notes if not secret(one.path)]
    # What looks like a secret is taken out before the rules run: a message of theirs would show it.
    recovered = validation.recover(form.kind, written, form.sample, frozenset(secrets))
    if recovered is not None:
        spelled = {path: text for path, text in meant.spelled.items() if not secret(path)}
        found = rules.check(
            form.rules,
            form.canonical(recovered.value),
            broken=recovered.broken,
            today=today,
            spelled=recovered.moved(spelled),
        )
        faults += [placed(replace(one, path=recovered.original(one.path)), written) for one in found]
    return sorted(faults, key=lambda fault: fault.line)


def _answered(path: definition_text.Path, fault: Fault, meant: Understood) -> Fault:
    """``fault``, or what the product has to say of the same words."""
    answer = meant.answers.get(path)
    return replace(fault, message=answer.message, allowed=answer.allowed or fault.allowed) if answer else fault


def _refusal(path: Path, faults: Sequence[Fault]) -> DefinitionError:
    counted = [fault for fault in faults if fault.severity != "note"]
    count = f"{len(counted)} faults" if len(counted) > 1 else "a fault"
    return DefinitionError(
        f"{path} has {count}",
        faults=faults,
        do="correct them, or start again from `arc-bundler init`",
    )
