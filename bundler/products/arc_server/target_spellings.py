"""Replaces the words that people write for targets by the definition's own, and says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from bundler.definition.rules import Finding, Path, note, warning
from bundler.definition.understood import Understood
from bundler.products.arc_server import tables
from bundler.products.arc_server.spelling_tables import words
from bundler.products.arc_server.target_words import (
    TargetWords,
    other_architecture,
    suggest_system,
    understand,
)

_SOURCE = "os-release(5): ID and VERSION_ID"


@dataclass
class _Found:
    notes: list[Finding] = field(default_factory=list)
    answers: dict[Path, Finding] = field(default_factory=dict)
    spelled: dict[Path, str] = field(default_factory=dict)


def understood(tree: Any) -> Understood:
    """The definition with the words of the table for each target, also in ``upstream.packages``."""
    if not isinstance(tree, dict):
        return Understood(tree)
    found = _Found()
    changed = dict(tree)
    if isinstance(tree.get("targets"), list):
        changed["targets"] = [_target(item, ("targets", at), found) for at, item in enumerate(tree["targets"])]
    upstream = tree.get("upstream")
    if isinstance(upstream, dict) and isinstance(upstream.get("packages"), list):
        changed["upstream"] = {**upstream, "packages": [_package(item) for item in upstream["packages"]]}
    return Understood(changed, tuple(found.notes), found.answers, found.spelled)


def target_text(text: str) -> str:
    """``os/version/architecture`` in the table's words; as it is where it is not understood."""
    os, *rest = text.split("/")
    version, architecture = (*rest, "", "")[:2]
    meant = understand(TargetWords(os, version, architecture))
    return "/".join(filter(None, (meant.os, meant.version, meant.architecture))) if len(rest) < 3 else text


def _package(item: Any) -> Any:
    if isinstance(item, dict) and isinstance(item.get("target"), str):
        return {**item, "target": target_text(item["target"])}
    return item


def _target(item: Any, path: Path, found: _Found) -> Any:
    """One target with the table's words; the keys that are not text are left to the schema."""
    given = _given(item)
    if given is None:
        return item
    meant = understand(given)
    _answer(meant, path, found)
    if meant == given and not isinstance(item, str):
        return item
    known = tables.systems().find(meant.os, meant.version)
    if meant != given and known is not None:
        found.spelled[path] = str(given)
        found.notes.append(_note(path, given, meant))
    changed = {} if isinstance(item, str) else dict(item)
    parts = {"os": meant.os, "version": meant.version, "architecture": meant.architecture}
    return {**changed, **{key: text for key, text in parts.items() if text or key in changed}}


def _given(item: Any) -> TargetWords | None:
    if isinstance(item, str):
        os, *rest = item.split("/")
        return TargetWords(os, *rest) if len(rest) < 3 else None
    if not isinstance(item, dict):
        return None
    texts = [item.get(key, "") for key in ("os", "version", "architecture")]
    return TargetWords(*texts) if all(isinstance(text, str) for text in texts) and texts[0] else None


def _note(path: Path, given: TargetWords, meant: TargetWords) -> Finding:
    target = "/".join(filter(None, (meant.os, meant.version, meant.architecture)))
    message = f"{str(given)!r} is read as {target}{_why(given, meant)}"
    packs = [one.version for one in tables.systems().of(meant.os) if one.version.startswith(f"{meant.version}.")]
    pack = re.search(rf"\b{meant.version}\D{{1,4}}([1-9])", str(given)) if packs else None
    if pack is None:
        return note(path, message, _SOURCE)
    # A service pack that Microsoft's list leaves out: the same package, another promise.
    return warning(path, f"{message}; Microsoft lists {', '.join(packs)}", source=tables.systems().source)


def _why(given: TargetWords, meant: TargetWords) -> str:
    """Why a shorter version is the same: only where it was cut off."""
    scheme = words().of(meant.os).versions
    shortened = meant.version and meant.version != given.version and given.version.startswith(f"{meant.version}.")
    if not shortened:
        return ""
    return ": its packages are by release" if scheme == "year-month" else ": its packages are by major version"


def _answer(meant: TargetWords, path: Path, found: _Found) -> None:
    """What to say of words that are not understood, instead of the schema's nearest word."""
    if meant.os not in {system.os for system in tables.systems().systems}:
        message = f"{meant.os!r} is not supported{suggest_system(meant.os)}"
        found.answers[(*path, "os")] = Finding((*path, "os"), message)
    if other_architecture(meant.architecture):
        message = f"{meant.architecture!r} is not supported: there is no agent for it"
        found.answers[(*path, "architecture")] = Finding((*path, "architecture"), message)
