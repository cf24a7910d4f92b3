"""What do the documents of a yum repository say?

``repomd.xml`` and ``primary.xml`` as createrepo_c writes them and dnf, yum and zypper read them (rpm-md). Parsed with
``defusedxml``, as a stream of events: no DTDs, no entities, and memory for one package at a time, since a
``primary.xml`` unpacks to tens of megabytes. Elements count only by their full name, namespace included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from xml.sax import SAXException
from xml.sax.handler import ContentHandler, feature_namespaces

from defusedxml import DefusedXmlException
from defusedxml import sax as defused_sax

from bundler.formats.malformed import Malformed
from bundler.formats.repository_path import is_inside

_REPO = "http://linux.duke.edu/metadata/repo"
_COMMON = "http://linux.duke.edu/metadata/common"
_XML = "http://www.w3.org/XML/1998/namespace"
_NAME = re.compile(r"[A-Za-z0-9._+~^-]{1,255}")
_HEX = {"sha256": re.compile(r"[0-9a-f]{64}")}
_WEAK = {"md5", "sha", "sha1", "sha224"}
_MAX_TEXT = 1 << 20

Path = tuple[str, ...]
Attributes = dict[tuple[str | None, str], str]


class RepodataError(Malformed):
    """A document of a yum repository cannot be relied on."""


@dataclass(frozen=True)
class Data:
    """A document that ``repomd.xml`` vouches for."""

    path: str
    """Below the repository's base."""
    size: int
    """Bytes, as it is served."""
    sha256: str
    open_size: int | None
    """Bytes, unpacked; None where it is not said."""
    open_sha256: str | None


@dataclass(frozen=True)
class Repomd:
    """What ``repomd.xml`` says that is used."""

    primary: Data
    date: datetime
    """The newest of its documents' timestamps; UTC."""


@dataclass(frozen=True)
class Package:
    """One package of a ``primary.xml``."""

    name: str
    architecture: str
    version: str
    """``[epoch:]version-release``, the epoch only where it is not 0."""
    path: str
    """Below the repository's base."""
    size: int
    """Bytes."""
    sha256: str


def repomd(document: bytes) -> Repomd:
    """Read ``repomd.xml``.

    Raises :class:`RepodataError` for what is malformed, and where ``primary`` is missing, stands there twice, or has
    a digest weaker than SHA-256.
    """
    elements = list(_parsed([document], _REPO, ("repomd", "data")))
    found = [element for element in elements if element.attributes.get((None, "type")) == "primary"]
    if len(found) != 1:
        reason = "duplicate" if found else "malformed"
        raise RepodataError(f"repomd.xml names {len(found)} primary documents, not one", reason=reason)
    return Repomd(_data(found[0]), max(_timestamp(element.text("timestamp")) for element in elements))


def packages(pieces: Iterable[bytes], *, name: str) -> Iterator[Package]:
    """Read the packages called ``name`` from a ``primary.xml``, given in ``pieces``, one at a time.

    All of it is read and has to be well-formed; the other packages' fields are not judged.
    Raises :class:`RepodataError` (reasons ``malformed``, ``weak-digest``, ``unsafe-path``, ``too-big``).
    """
    for element in _parsed(pieces, _COMMON, ("metadata", "package")):
        if element.attributes.get((None, "type")) == "rpm" and element.text("name") == name:
            yield _package(element)


@dataclass
class _Element:
    """One ``data`` or ``package`` with its children; grandchildren are not needed."""

    attributes: Attributes
    children: dict[str, tuple[Attributes, list[str]]] = field(default_factory=dict)

    def text(self, child: str) -> str:
        return "".join(self.children[child][1]).strip() if child in self.children else ""

    def attribute(self, child: str, name: str) -> str:
        return self.children[child][0].get((None, name), "") if child in self.children else ""


class _Reader(ContentHandler):
    """Gathers the elements at ``path``, all of whose names are in ``namespace``."""

    def __init__(self, namespace: str, path: Path) -> None:
        super().__init__()
        self.found: list[_Element] = []
        self.begun = False
        self._namespace = namespace
        self._path = path
        self._names: list[str] = []
        self._element: _Element | None = None
        self._text: list[str] | None = None
        self._length = 0

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: Any) -> None:  # noqa: N802
        depth, self.begun = len(self._names), True
        own = name[1] if name[0] == self._namespace else ""
        self._names.append(own)
        if depth == 0 and own != self._path[0]:
            raise RepodataError(f"the document is no {self._path[0]}")
        if depth == len(self._path) - 1 and tuple(self._names) == self._path:
            self._element, self._length = _Element(dict(attrs.items())), 0
        elif depth == len(self._path) and self._element is not None and own:
            self._child(own, dict(attrs.items()))

    def _child(self, name: str, attributes: Attributes) -> None:
        if self._element is None or name in self._element.children:
            raise RepodataError(f"an element holds {name} twice", reason="duplicate")
        self._text = []
        self._element.children[name] = (attributes, self._text)

    def characters(self, content: str) -> None:
        if self._text is None or len(self._names) != len(self._path) + 1:
            return
        self._length += len(content)
        if self._length > _MAX_TEXT:
            raise RepodataError("an element holds more text than any real one", reason="too-big")
        self._text.append(content)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802
        self._names.pop()
        if len(self._names) == len(self._path):
            self._text = None
        elif len(self._names) == len(self._path) - 1 and self._element is not None:
            self.found.append(self._element)
            self._element = None


def _parsed(pieces: Iterable[bytes], namespace: str, path: Path) -> Iterator[_Element]:
    parser = defused_sax.make_parser()
    parser.forbid_dtd = True
    parser.setFeature(feature_namespaces, True)
    reader = _Reader(namespace, path)
    parser.setContentHandler(reader)
    try:
        for piece in filter(None, pieces):
            parser.feed(piece)
            yield from reader.found
            reader.found.clear()
        parser.close()
        if not reader.begun:  # the parser has no objection to nothing at all
            raise RepodataError(f"the document is no {path[0]}: it is empty", reason="truncated")
    except Malformed:
        raise
    except (SAXException, DefusedXmlException, LookupError, ValueError) as error:
        raise RepodataError(f"the document is no XML that is taken: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return error.getMessage() if isinstance(error, SAXException) else type(error).__name__


def _data(element: _Element) -> Data:
    open_sha256 = _digest(element, "open-checksum") if "open-checksum" in element.children else None
    return Data(
        path=_location(element),
        size=_number(element.text("size")),
        sha256=_digest(element, "checksum"),
        open_size=_number(element.text("open-size")) if "open-size" in element.children else None,
        open_sha256=open_sha256,
    )


def _package(element: _Element) -> Package:
    epoch = element.attribute("version", "epoch") or "0"
    version = f"{element.attribute('version', 'ver')}-{element.attribute('version', 'rel')}"
    return Package(
        name=_word(element.text("name")),
        architecture=_word(element.text("arch")),
        version=version if _number(epoch) == 0 else f"{_number(epoch)}:{version}",
        path=_location(element),
        size=_number(element.attribute("size", "package")),
        sha256=_digest(element, "checksum"),
    )


def _word(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise RepodataError("a package's name or architecture is malformed")
    return text


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise RepodataError("a number is missing or malformed")
    return int(text)


def _timestamp(text: str) -> datetime:
    seconds, _, _ = text.partition(".")  # yum's old createrepo wrote fractions
    try:
        return datetime.fromtimestamp(_number(seconds), timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise RepodataError("a timestamp is missing or malformed") from None


def _digest(element: _Element, child: str) -> str:
    algorithm, digest = element.attribute(child, "type"), element.text(child)
    if algorithm in _WEAK:
        raise RepodataError(f"a {child} rests on {algorithm}, which can be forged", reason="weak-digest")
    if algorithm not in _HEX:
        raise RepodataError(f"a {child} is of an unknown kind", reason="unsupported")
    if not _HEX[algorithm].fullmatch(digest):
        raise RepodataError(f"a {child} is malformed")
    return digest


def _location(element: _Element) -> str:
    attributes = element.children["location"][0] if "location" in element.children else {}
    path = attributes.get((None, "href"), "")
    if (_XML, "base") in attributes or not is_inside(path):
        raise RepodataError(f"a location leaves the repository: {path!r}", reason="unsafe-path")
    return path
