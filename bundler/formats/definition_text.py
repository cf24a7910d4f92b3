"""Reads a definition's YAML as plain data, with the line of every value.

A subset of YAML: one document, block or flow, mappings with plain keys, sequences and scalars. Scalars are resolved by
YAML 1.2.2 section 10.3 (core schema), so that ``no`` stays a word as in editors. Refused is what a definition never
needs and a reviewer can overlook: anchors and aliases, tags, a second document, a duplicate key.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

SIZE_LIMIT = 256 * 1024
"""Bytes; a definition of a hundred targets is under 20 KiB."""
DEPTH_LIMIT = 16
"""Levels; a definition has five."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class TextFault:
    """One fault of the text: its line (from 1), a sentence, and the path if known."""

    line: int
    message: str
    path: Path = ()
    allowed: str = ""


class TextError(ValueError):
    """The bytes are not valid YAML of this subset; ``faults`` lists why."""

    def __init__(self, *faults: TextFault) -> None:
        super().__init__(f"line {faults[0].line}: {faults[0].message}")
        self.faults = faults


@dataclass(frozen=True)
class DefinitionText:
    """A definition as plain data, with the line of every value."""

    tree: Any
    """Dicts with string keys, lists, strings, integers, floats, booleans and None."""
    lines: Mapping[Path, int]
    """Line (from 1) of each key and each item; the root's is 1."""
    written: Mapping[Path, str]
    """Each scalar as written, without quotes: ``1.60`` where the tree has ``1.6``."""

    def line(self, path: Path) -> int:
        """The line of ``path``, or of its nearest parent that is written."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """Composes nodes without PyYAML's YAML 1.1 resolvers: every plain scalar stays a string."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)


@dataclass
class _Reading:
    lines: dict[Path, int] = field(default_factory=lambda: {(): 1})
    written: dict[Path, str] = field(default_factory=dict)
    faults: list[TextFault] = field(default_factory=list)


def read(document: bytes) -> DefinitionText:
    """Read ``document`` (UTF-8, at most :data:`SIZE_LIMIT` bytes).

    Raises:
        TextError: it is not one YAML document of this subset.
    """
    text = _decode(document)
    node = _compose(text)
    if node is None:
        raise TextError(TextFault(1, "the definition is empty", allowed="start from `arc-bundler init`"))
    reading = _Reading()
    tree = _plain(node, (), reading)
    if reading.faults:
        raise TextError(*reading.faults)
    return DefinitionText(tree, reading.lines, reading.written)


def _decode(document: bytes) -> str:
    if len(document) > SIZE_LIMIT:
        raise TextError(TextFault(1, f"the file has {len(document)} bytes", allowed=f"at most {SIZE_LIMIT} bytes"))
    if document.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TextError(TextFault(1, "the file is UTF-16", allowed="save it as UTF-8"))
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = document.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{document[error.start]:02x} is not UTF-8"
        raise TextError(TextFault(line, message, allowed="save the file as UTF-8")) from None


def _compose(text: str) -> yaml.Node | None:
    try:
        _check_events(text)
        return _Loader(text).get_single_node()
    except TextError:
        raise
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"the character U+{int(error.character):04X} is not allowed in YAML"
        raise TextError(TextFault(line, message)) from None
    except yaml.MarkedYAMLError as error:
        raise TextError(_syntax_fault(error)) from None
    except (ValueError, OverflowError, yaml.YAMLError):
        raise TextError(TextFault(1, "an escape in double quotes is not a Unicode character")) from None


def _check_events(text: str) -> None:
    """Check the stream of events before composing nodes: it needs no recursion, so deep nesting costs nothing."""
    depth = documents = 0
    loader = _Loader(text)
    while loader.check_event():
        event = loader.get_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise TextError(TextFault(line, "a second document starts here", allowed="one document per file"))
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise TextError(
                TextFault(line, "anchors (&) and aliases (*) are not allowed", allowed="write the value out")
            )
        if getattr(event, "tag", None):
            raise TextError(TextFault(line, f"the tag {event.tag} is not allowed", allowed="plain values"))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_LIMIT:
                raise TextError(TextFault(line, "nested too deep", allowed=f"at most {DEPTH_LIMIT} levels"))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax_fault(error: yaml.MarkedYAMLError) -> TextFault:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem = " ".join((error.problem or "not YAML").split())
    if "'\\t'" in problem:
        return TextFault(line, "the line is indented with a tab", allowed="indent with spaces")
    context = f" ({error.context})" if error.context else ""
    return TextFault(line, f"not YAML: {problem}{context}")


def _plain(node: yaml.Node, path: Path, reading: _Reading) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, reading)
    if isinstance(node, yaml.SequenceNode):
        items = []
        for index, child in enumerate(node.value):
            reading.lines[(*path, index)] = child.start_mark.line + 1
            items.append(_plain(child, (*path, index), reading))
        return items
    if any(0xD800 <= ord(c) <= 0xDFFF for c in node.value):
        reading.faults.append(TextFault(node.start_mark.line + 1, "half of a surrogate pair is not a character", path))
        return ""
    reading.written[path] = node.value
    plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return _scalar(node.value) if plain else node.value


def _mapping(node: yaml.MappingNode, path: Path, reading: _Reading) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, child in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            reading.faults.append(TextFault(line, "a key is a list or a mapping", path, "plain words as keys"))
            continue
        if any(0xD800 <= ord(c) <= 0xDFFF for c in key.value):
            reading.faults.append(TextFault(line, "half of a surrogate pair is not a character", path))
        name = str(key.value)
        here = (*path, name)
        if name in tree:
            first = reading.lines[here]
            reading.faults.append(TextFault(line, f"the key was already given on line {first}", here, "each key once"))
            continue
        reading.lines[here] = line
        tree[name] = _plain(child, here, reading)
    return tree


_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def _scalar(text: str) -> Any:
    """YAML 1.2.2 section 10.3.2; numbers that JSON cannot represent stay strings."""
    if text in _WORDS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if len(text) <= 40 and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text
