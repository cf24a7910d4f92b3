"""Writes what must reach the servers' admins through a separate channel: fingerprint and digests, in a file of its own.

It is in the folder above the outputs, so that a copy of the outputs never carries it: anyone who can exchange a bundle
could exchange a fingerprint that travels with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bundler.errors import WriteError
from bundler.flow import fingerprint_beside
from bundler.flow.build.outputs import Built
from bundler.formats import fingerprint_words
from bundler.pack.staging import write_file
from bundler.render.escape_control import escape_line

FIRST_LINE = "Send this by another channel, never with the bundle."


def write(built: Built, output: Path) -> Path:
    """Write the file of a sealed build, whole or not at all.

    Args:
        built: The build, with its sealer.
        output: The folder for bundles.

    Returns:
        Where it is: from the working directory, as ``output`` is, or absolute.

    Raises:
        WriteError: there is no folder above ``output``, or it cannot be written to.

    """
    # By its name, not by what a link leads to: a folder on a stick must not get the file onto the stick.
    outputs = Path(os.path.abspath(output))  # noqa: PTH100
    if outputs.parent == outputs:
        raise WriteError(f"there is no folder above {outputs}", do="give another folder for bundles with `--output`")
    path = outputs.parent / f"{built.name}-{built.version}{fingerprint_beside.SUFFIX}"
    write_file(path, "".join(f"{escape_line(line)}\n" for line in _lines(built)).encode())
    return path if output.is_absolute() else Path(os.path.relpath(path))


def _lines(built: Built) -> Iterator[str]:
    yield FIRST_LINE
    yield ""
    yield f"Bundle:       {built.name} {built.version}"
    if built.sealed_by:
        signer = built.sealed_by
        yield f"Signed by:    {signer.name}, certificate valid until {signer.not_after:%Y-%m-%d}"
        yield from _block("Fingerprint:", fingerprint_words.lines(fingerprint_words.digits(signer.sha256)))
        yield from _block("In words:", fingerprint_words.lines(fingerprint_words.words(signer.sha256)))
    # Archives of one bundle share its digest.
    for digest in dict.fromkeys(one.digest for one in built.outputs):
        names = ", ".join(Path(one.path).name for one in built.outputs if one.digest == digest)
        yield f"Digest:       {digest}  ({names})"


def _block(title: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield f"{title:<14}{line}"
        title = ""
