"""Unpacks a 7z that was just written by py7zr, and compares what it finds with the tree.

Our writer and our reader share the code of the form: with a fault in it they still agree, and only an admin's 7-Zip
would notice. py7zr shares no line with them (docs/decisions/0005-containers.md). It can stop an output; it makes none
trusted.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from py7zr import SevenZipFile
from py7zr.io import HashIOFactory

from bundler.errors import WriteError
from bundler.model.tree import Tree
from bundler.pack import content

_SHOWN = 20


@dataclass(frozen=True)
class _Found:
    """What a reader finds of one file."""

    mode: str
    """Type and permissions, as ``ls -l`` shows them."""
    time: int
    """Seconds since 1970."""
    size: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.mode}, time {self.time}, {self.size} bytes, SHA-256 {self.sha256}"


def require_same(archive: Path, tree: Tree, password: str | None, *, name: str) -> None:
    """Require that py7zr finds the files of ``tree`` in ``archive``: names, modes, time, sizes and SHA-256.

    They are hashed while they are unpacked: nothing is written, and no file is held in memory as a whole.

    Args:
        archive: a 7z, under a temporary name.
        tree: what it was written from.
        password: of an encrypted one.
        name: of the archive, for messages.

    Raises:
        WriteError: py7zr cannot unpack it, or finds other files in it.
    """
    try:
        found = _unpacked(archive, password)
    except Exception as error:  # py7zr raises errors of any type: lzma's, struct's, …
        raise _not_the_same(name, [f"{type(error).__name__}: {error}"]) from error
    faults = _differences(_expected(tree), dict(found))
    if len(dict(found)) != len(found):
        faults.append("a name is there twice")
    if faults:
        raise _not_the_same(name, faults)


def _expected(tree: Tree) -> dict[str, _Found]:
    time = int(tree.time.timestamp())
    return {
        f"{tree.name}/{entry.path}": _Found(
            stat.filemode(stat.S_IFREG | entry.mode), time, content.size(entry), content.sha256(entry)
        )
        for entry in tree.entries
    }


def _unpacked(archive: Path, password: str | None) -> list[tuple[str, _Found]]:
    """Everything in ``archive``, in its order."""
    sinks = HashIOFactory()  # type: ignore[no-untyped-call]
    # An opened file: with a path, py7zr starts a thread for each block. Names are joined with the folder, and must stay
    # within it: in the current folder a link of such a name would lead out. Nothing is written there.
    with archive.open("rb") as file, SevenZipFile(file, "r", password=password) as opened:
        opened.extractall(path=archive.parent.resolve(), factory=sinks)
        # In the order in which they were unpacked, which is that of the list: the names they have here are py7zr's.
        contents = list(sinks.products.values())
        if len(contents) != len(opened.files):
            raise ValueError(f"it lists {len(opened.files)} files, and unpacks {len(contents)}")
        return [
            (
                info.filename,
                _Found(
                    stat.filemode((info.st_fmt or 0) | (info.posix_mode or 0)),
                    int(info.lastwritetime.totimestamp()) if info.lastwritetime else 0,
                    sink.size(),
                    sink.read().hex(),
                ),
            )
            for info, sink in zip(opened.files, contents, strict=True)
        ]


def _differences(expected: dict[str, _Found], found: dict[str, _Found]) -> list[str]:
    """One line for each file that is missing, not of the bundle, or another."""
    lines = [f"missing: {name!a}" for name in expected if name not in found]
    lines += [f"not of the bundle: {name!a}" for name in found if name not in expected]
    for name, wanted in expected.items():
        there = found.get(name, wanted)
        if there != wanted:
            lines.append(f"{name!a}: {there} instead of {wanted}")
    return lines


def _not_the_same(name: str, faults: list[str]) -> WriteError:
    shown = faults[:_SHOWN]
    if len(faults) > _SHOWN:
        shown.append(f"and {len(faults) - _SHOWN} more")
    return WriteError(
        f"{name} was written, but py7zr does not find the files of the bundle in it",
        details=("It is an internal error of arc-bundler or of py7zr; the archive was not kept.", *shown),
        do="report it with these lines; choose zip or tar.gz meanwhile",
    )
