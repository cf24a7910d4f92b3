r"""What does ``SHA256SUMS`` say?

The format that ``sha256sum -c`` reads (GNU coreutils manual, 6.6): ``<64 hex digits>  <path>\n``, here always sorted
by the path's UTF-8 bytes, so that the same files make the same document. Names that would need its escaping
(backslash, newline) are refused by :mod:`bundler.seal.names` before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SUMS = "SHA256SUMS"
MANIFEST = "manifest.json"
UNLISTED = frozenset([SUMS, MANIFEST])
"""What the manifest does not list: itself, and the sums that list it."""

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def render(digests: Iterable[tuple[str, str]]) -> bytes:
    """Write pairs of a path and its SHA-256 in hex."""
    ordered = sorted(digests, key=lambda pair: pair[0].encode())
    return "".join(f"{digest}  {path}\n" for path, digest in ordered).encode()


def parse(document: bytes) -> tuple[tuple[str, str], ...]:
    """Read pairs of a path and its SHA-256, in the document's order.

    Raises :class:`ValueError` unless the document is, byte for byte, what :func:`render` makes of those pairs.
    """
    matches = [_LINE.fullmatch(line) for line in document.decode("utf-8").split("\n")[:-1]]
    pairs = tuple((match[2], match[1]) for match in matches if match)
    if render(pairs) != document:
        raise ValueError("it is not a sorted list of SHA-256 digests and paths")
    return pairs
