"""Show what is inside a bundle, as its manifest tells it: nothing is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bundler.errors import UsageError, WriteError
from bundler.model.manifest import Manifest
from bundler.pack import container
from bundler.seal import stated, sums
from bundler.seal.check import Member, read_manifest

Password = Callable[[], str]

_PIECE = 1 << 20


@dataclass(frozen=True)
class Inspected:
    """A manifest as it was found."""

    manifest: Manifest
    document: bytes
    """Its bytes."""

    @property
    def digest(self) -> str:
        """The bundle's digest, as the manifest states it: `verify` holds it against the files."""
        return stated.digest(self.manifest, self.document)


def inspect(bundle: Path, *, password: Password | None = None) -> Inspected:
    """The manifest of ``bundle``: a directory, an archive, or a ``manifest.json`` alone.

    Raises NotBelieved where there is none to read, UsageError where the file cannot be opened.
    """
    if _is_manifest(bundle):
        return _read(iter([_Document(bundle)]))
    with container.open_bundle(bundle, password=password) as opened:
        return _read(opened.walk())


def write_page(found: Inspected, file: Path) -> None:
    """Write the review page of ``found``, the very one that lies beside its archives. Raises WriteError."""
    # Here, not above: who wants no page need not wait for the templates.
    from bundler.flow import review

    try:
        file.write_bytes(review.outside(found.document))
    except OSError as error:
        raise WriteError(f"{file} cannot be written: {error.strerror or error}", do="name another file") from error


def _read(members: Iterator[Member]) -> Inspected:
    kept = [_Kept(member) for member in _first(members)]
    manifest = read_manifest(kept)
    return Inspected(manifest, b"".join(kept[0].parts))


def _first(members: Iterator[Member]) -> Iterator[Member]:
    """The manifest alone: nothing behind it is read."""
    for member in members:
        if member.path == sums.MANIFEST:
            yield member
            return


def _is_manifest(path: Path) -> bool:
    """Whether ``path`` is a JSON document: no container begins with a brace."""
    if not path.is_file():
        return False
    with _opening(path), path.open("rb") as file:
        return file.read(1) == b"{"


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


@dataclass(frozen=True)
class _Document:
    """A manifest that lies in a file of its own, as the one member of a bundle."""

    file: Path
    path: str = sums.MANIFEST
    top: str | None = None
    mode: int | None = None

    @property
    def size(self) -> int:
        return self.file.stat().st_size

    def pieces(self) -> Iterator[bytes]:
        with _opening(self.file), self.file.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


@dataclass(frozen=True)
class _Kept:
    """A member whose bytes are kept as they pass; how many may pass, the reader decides."""

    member: Member
    parts: list[bytes] = field(default_factory=list)

    @property
    def path(self) -> str:
        return self.member.path

    @property
    def top(self) -> str | None:
        return self.member.top

    @property
    def size(self) -> int:
        return self.member.size

    @property
    def mode(self) -> int | None:
        return self.member.mode

    def pieces(self) -> Iterator[bytes]:
        for piece in self.member.pieces():
            self.parts.append(piece)
            yield piece
