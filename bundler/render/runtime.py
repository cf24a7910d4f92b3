"""Joins a script from its header, which is this bundle's, and its runtime, which is the same in every bundle.

The runtime's parts are plain files (``templates/runtime``, ``templates/<product>/runtime``). A product states which
ones a script has, and in which order. :mod:`bundler.formats.script_runtime` reads the result back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bundler.formats.script_runtime import END
from bundler.render.template_files import line_end, templates

# What only the joined script may have: a part with such a line would make the digest ambiguous.
_RESERVED = re.compile(r"^# (==== |---- templates/)", re.MULTILINE)
_TEXT = re.compile(r"[\t\n -~]*")
_TOOL = re.compile(r"arc-bundler [!-~]+( \+ [!-~]+ [!-~]+)?")
_WORD = re.compile(r"[A-Za-z0-9._-]+")


class RuntimePartError(ValueError):
    """A runtime part, or a word of the marker line, is not what a script can hold: a mistake in the product."""


@dataclass(frozen=True)
class Part:
    """One file of a runtime."""

    path: str
    """As the script shows it, from the repository's root: ``templates/runtime/linux/secret.sh``."""
    text: str
    """ASCII, each line with a line feed."""


def read_parts(paths: Iterable[str], root: Path | None = None) -> tuple[Part, ...]:
    """Read the runtime's files, in the order of ``paths`` (``templates/…``).

    Args:
        paths: as the product states them.
        root: the folder that holds ``templates``; None: arc-bundler's own. A plug-in gives its own.

    Raises:
        OSError: a file cannot be read.
        RuntimePartError: see :func:`runtime`.
    """
    folder = root / "templates" if root else templates()
    parts = []
    for path in paths:
        inside = path.removeprefix("templates/")
        if inside == path or ".." in path.split("/"):
            raise RuntimePartError(f"{path} is not below templates/")
        # Universal line ends: a checkout on Windows may have changed them.
        parts.append(Part(path, (folder / inside).read_text(encoding="utf-8")))
    return tuple(parts)


def runtime(parts: Iterable[Part], ends: str) -> bytes:
    r"""Join ``parts``, each under a line with its path, and end with :data:`~bundler.formats.script_runtime.END`.

    Args:
        parts: in the product's order.
        ends: the script's line end, ``\n`` for bash and ``\r\n`` for PowerShell.

    Raises:
        RuntimePartError: a part is not ASCII, has no line feed at its end, or has a line that begins like the marker.
    """
    joined = ""
    for part in parts:
        if not _TEXT.fullmatch(part.text) or not part.text.endswith("\n"):
            raise RuntimePartError(f"{part.path} is not ASCII text with a line feed at its end")
        if _RESERVED.search(part.text):
            raise RuntimePartError(f"{part.path} has a line that begins like one that joining makes")
        joined += f"# ---- {part.path} ----\n{part.text}"
    return f"{joined}{END}\n".replace("\n", ends).encode("ascii")


def digest(joined: bytes) -> str:
    """The SHA-256 of a joined runtime, as its marker line states it: 64 lower-case hex digits."""
    return hashlib.sha256(joined).hexdigest()


def marker(joined: bytes, *, tool: str, product: str, platform: str, name: str) -> str:
    """The line between header and runtime, without its line end.

    Args:
        joined: what :func:`runtime` made.
        tool: who made the bundle: ``arc-bundler 0.2.0``, for a plug-in ``arc-bundler 0.2.0 + arc-hello 1.0``.
        product: as the definition names it.
        platform: ``linux`` or ``windows``.
        name: of the script: ``install.sh``.

    Raises:
        RuntimePartError: one of these cannot stand in the line.
    """
    if not _TOOL.fullmatch(tool) or not all(map(_WORD.fullmatch, (product, platform, name))):
        raise RuntimePartError(f"no marker line can be made of {(tool, product, platform, name)!r}")
    return f"# ==== {tool} runtime: {product} {platform} {name} sha256:{digest(joined)} ===="


def script(header: bytes, parts: Iterable[Part], *, tool: str, product: str, platform: str, name: str) -> bytes:
    """The whole script called ``name``: ``header`` as rendered, the marker line, the runtime.

    Args: as :func:`marker`; ``parts`` as :func:`runtime`.

    Raises:
        RuntimePartError: see :func:`marker` and :func:`runtime`; or ``header`` holds a marker line or no last line end.
    """
    ends = line_end(name)
    joined = runtime(parts, ends)
    line = marker(joined, tool=tool, product=product, platform=platform, name=name)
    if not header.endswith(ends.encode()) or re.search(rb"^# ==== ", header, re.MULTILINE):
        raise RuntimePartError(f"the header of {name} has no line end at its end, or a line that begins with '# ===='")
    return header + f"{line}{ends}".encode("ascii") + joined
