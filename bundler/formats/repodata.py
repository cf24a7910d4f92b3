"""Reads the documents of a yum repository: ``repomd.xml`` and ``primary.xml``.

The rpm-md format, as createrepo_c writes it and dnf, yum and zypper read it. Parsed with ``defusedxml``, as a stream of
events: no DTDs, no entities, and memory for one package at a time, because a ``primary.xml`` unpacks to tens of
megabytes. Elements are matched by their full name, with namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from xml.etree import ElementTree as ET

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from bundler.formats.parse_error import ParseError

_REPO = "http://linux.duke.edu/metadata/repo"
_COMMON = "http://linux.duke.edu/metadata/common"
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_NAME = re.compile(r"[A-Za-z0-9._+~^-]{1,255}")
_HEX = {"sha256": re.compile(r"[0-9a-f]{64}")}
_WEAK = {"md5", "sha", "sha1", "sha224"}
_MAX_TEXT = 1 << 20
_MAX_DEPTH = 64
"""Levels; real documents have six. The parser keeps a hundred bytes for each element that is open."""
_MAX_DATA = 256
"""Documents that a repomd.xml may list; real ones list a dozen."""
_PIECE = 1 << 16

# What Debian pools, rpm-md and RFC 3986 (unreserved, some sub-delims) have in common; no percent signs, so that no
# server can take the path for another one. A backslash or a colon would be a root on Windows.
_SEGMENT = re.compile(r"[A-Za-z0-9_+~=,@^(-][A-Za-z0-9._+~=,@^()-]*|\.[A-Za-z0-9_-][A-Za-z0-9._-]*")
_MAX_PATH = 1024

Path = tuple[str, ...]
Attributes = dict[str, str]


class RepodataError(ParseError):
    """A document of a yum repository is malformed."""


@dataclass(frozen=True)
class Data:
    """A document that ``repomd.xml`` lists."""

    path: str
    """Below the repository's base."""
    size: int
    """Bytes, as it is served."""
    sha256: str
    open_size: int | None
    """Bytes, unpacked; None if not given."""
    open_sha256: str | None


@dataclass(frozen=True)
class Repomd:
    """The parts of ``repomd.xml`` that are used."""

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


def is_inside(path: str) -> bool:
    """Whether ``path`` stays inside the repository: relative, plain characters, no ``.`` or ``..``."""
    return len(path) <= _MAX_PATH and all(_SEGMENT.fullmatch(segment) for segment in path.split("/"))


def repomd(document: bytes) -> Repomd:
    """Read ``repomd.xml``.

    Raises:
        RepodataError: it is malformed, or ``primary`` is missing, listed twice, or has a digest weaker than SHA-256.
    """
    elements = list(islice(_parsed([document], _REPO, ("repomd", "data")), _MAX_DATA + 1))
    if len(elements) > _MAX_DATA:
        raise RepodataError(f"repomd.xml lists more than {_MAX_DATA} documents", reason="too-big")
    found = [element for element in elements if element.attributes.get("type") == "primary"]
    if len(found) != 1:
        reason = "duplicate" if found else "malformed"
        raise RepodataError(f"repomd.xml lists {len(found)} primary documents instead of one", reason=reason)
    return Repomd(_data(found[0]), max(_timestamp(element.text("timestamp")) for element in elements))


def packages(chunks: Iterable[bytes], *, name: str) -> Iterator[Package]:
    """Read the packages called ``name`` from a ``primary.xml``, given in ``chunks``, one at a time.

    All of it is read and must be well-formed; the fields of other packages are not checked.

    Raises:
        RepodataError: ``malformed``, ``weak-digest``, ``unsafe-path``, ``too-big``.
    """
    for element in _parsed(chunks, _COMMON, ("metadata", "package")):
        if element.attributes.get("type") == "rpm" and element.text("name") == name:
            yield _package(element)


@dataclass
class _Element:
    """One ``data`` or ``package`` with its children; grandchildren are not needed."""

    attributes: Attributes
    children: dict[str, tuple[Attributes, list[str]]] = field(default_factory=dict)

    def text(self, child: str) -> str:
        return "".join(self.children[child][1]).strip() if child in self.children else ""

    def attribute(self, child: str, name: str) -> str:
        return self.children[child][0].get(name, "") if child in self.children else ""


class _Reader:
    """Collects the elements at ``path`` from a parser's events; names are ``{namespace}name``."""

    def __init__(self, namespace: str, path: Path) -> None:
        self.found: list[_Element] = []
        self.events = 0
        """How many starts and texts there were."""
        self._prefix = f"{{{namespace}}}"
        self._path = tuple(self._prefix + name for name in path)
        self._open: list[str] = []
        self._element: _Element | None = None
        self._text: list[str] | None = None
        self._length = 0

    def start(self, name: str, attributes: Attributes) -> None:
        """Start an element; those deeper than the children of a collected element are ignored."""
        self.events += 1
        depth = len(self._open)
        if depth >= _MAX_DEPTH:
            raise RepodataError(f"elements are nested more than {_MAX_DEPTH} deep", reason="too-big")
        self._open.append(name)
        if depth > len(self._path):
            return
        if depth == 0 and name != self._path[0]:
            raise RepodataError(f"the document is not a {self._path[0].removeprefix(self._prefix)}")
        if depth == len(self._path) - 1 and tuple(self._open) == self._path:
            self._element, self._length = _Element(attributes), 0
        elif depth == len(self._path) and self._element is not None and name.startswith(self._prefix):
            self._child(self._element, name.removeprefix(self._prefix), attributes)

    def _child(self, element: _Element, name: str, attributes: Attributes) -> None:
        if name in element.children:
            raise RepodataError(f"an element holds {name} twice", reason="duplicate")
        self._text = []
        element.children[name] = (attributes, self._text)

    def data(self, content: str) -> None:
        """Add text, if it is in a child of a collected element."""
        self.events += 1
        if self._text is None or len(self._open) != len(self._path) + 1:
            return
        self._length += len(content)
        if self._length > _MAX_TEXT:
            raise RepodataError("an element has more text than any real one", reason="too-big")
        self._text.append(content)

    def end(self, _: str) -> None:
        """End an element."""
        self._open.pop()
        depth = len(self._open)
        if depth == len(self._path):
            self._text = None
        elif depth == len(self._path) - 1 and self._element is not None:
            self.found.append(self._element)
            self._element = None

    def close(self) -> None:
        """End the document."""


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks in pieces of at most 64 KiB, so that few elements wait to be taken."""
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE):
            yield chunk[start : start + _PIECE]


def _parsed(chunks: Iterable[bytes], namespace: str, path: Path) -> Iterator[_Element]:
    reader = _Reader(namespace, path)
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        silent = 0
        for piece in _pieces(chunks):
            before = reader.events
            parser.feed(piece)
            # The parser keeps a tag, a comment or an instruction until it ends.
            silent = 0 if reader.events != before else silent + len(piece)
            if silent > _MAX_TEXT:
                raise RepodataError("a tag or a comment is longer than any real one", reason="too-big")
            yield from reader.found
            reader.found.clear()
        parser.close()
    except ParseError:
        raise
    except (ET.ParseError, DefusedXmlException, LookupError, ValueError) as error:
        # The messages of defusedxml contain the offending text at length: use the name of its exception.
        why = str(error) if isinstance(error, ET.ParseError) else type(error).__name__
        raise RepodataError(f"the document is not valid XML: {why}") from None


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
    name, architecture = element.text("name"), element.text("arch")
    if not (_NAME.fullmatch(name) and _NAME.fullmatch(architecture)):
        raise RepodataError("a package's name or architecture is malformed")
    epoch = element.attribute("version", "epoch") or "0"
    version = f"{element.attribute('version', 'ver')}-{element.attribute('version', 'rel')}"
    return Package(
        name=name,
        architecture=architecture,
        version=version if _number(epoch) == 0 else f"{_number(epoch)}:{version}",
        path=_location(element),
        size=_number(element.attribute("size", "package")),
        sha256=_digest(element, "checksum"),
    )


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
        raise RepodataError(f"a {child} uses {algorithm}, which can be forged", reason="weak-digest")
    if algorithm not in _HEX:
        raise RepodataError(f"a {child} has an unknown algorithm", reason="unsupported")
    if not _HEX[algorithm].fullmatch(digest):
        raise RepodataError(f"a {child} is malformed")
    return digest


def _location(element: _Element) -> str:
    attributes = element.children["location"][0] if "location" in element.children else {}
    path = attributes.get("href", "")
    if _BASE in attributes or not is_inside(path):
        raise RepodataError(f"a location is outside of the repository: {path!r}", reason="unsafe-path")
    return path
