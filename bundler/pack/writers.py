"""Writes a tree in any of the formats."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from bundler.errors import UsageError
from bundler.model.progress import Progress
from bundler.model.tree import Tree
from bundler.pack import directory, sevenzip, tar, zip  # noqa: A004  # the format is called so
from bundler.pack.content import Written

_LOG = logging.getLogger(__name__)

Format = Literal["directory", "zip", "tar.gz", "7z"]

_WRITERS = {"directory": directory.write, "zip": zip.write, "tar.gz": tar.write}


def write(wanted: Format, tree: Tree, out: Path, *, progress: Progress, password: str | None = None) -> Written:
    """Write ``tree`` as ``out``; the same tree gives the same bytes on every machine, unless it is encrypted.

    Args:
        wanted: the format.
        tree: what to write.
        out: the new file or folder.
        progress: of writing.
        password: encrypts the output, which only 7z can.

    Raises:
        WriteError: writing fails, or ``out`` exists.
        VerificationError: a file changed since it was verified.
        UsageError: the format cannot be encrypted, or the password is empty.
    """
    _LOG.debug("writing %s as %s: %d files", out, wanted, len(tree.entries))
    if wanted == "7z":
        if password == "":
            raise UsageError("the password of the 7z archive is empty", do="give one, or build without encryption")
        return sevenzip.write(tree, out, progress, password)
    if password is not None:
        raise UsageError(f"only 7z can be encrypted, not {wanted}", do="choose 7z, or build without encryption")
    return _WRITERS[wanted](tree, out, progress)
