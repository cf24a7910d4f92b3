"""Refuses a tree that contains a secret by mistake, before anything is written.

A known secret is searched for in every byte, packages included, in the encodings that tools give it. Patterns of
secrets are searched for in what the site wrote; packages and evidence are verified, and may contain any pattern.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Sequence

from bundler.errors import PolicyError
from bundler.formats import secret_patterns
from bundler.model.tree import Blob, Entry, Tree
from bundler.pack import content

_OTHERS = ("payload/", "evidence/")
"""Verified files from others, packed unchanged."""
_FROM_HERE = ("payload/keys/", "payload/certificates/", "evidence/anchors.json")
"""Files among those that come from the definition."""
_SHORTEST = 8
"""Bytes; a shorter "secret" would be found by chance."""
_LARGEST_TEXT = 64 << 20


def refuse(tree: Tree, *, known: Sequence[str] = (), meant: frozenset[str] = frozenset()) -> None:
    """Refuse a tree with a secret in it.

    Args:
        tree: what would be packed.
        known: secrets that this build was given.
        meant: paths that may contain a secret.

    Raises:
        PolicyError: a file contains one; the error names files and never the secret.
    """
    needles = tuple(dict.fromkeys(form for secret in known for form in _forms(secret)))
    hits = [
        f"{entry.path}: {what}"
        for entry in tree.entries
        if entry.path not in meant
        for what in sorted(set(_in_entry(entry, needles)))
    ]
    if hits:
        raise PolicyError(
            "the bundle would contain a secret, and the definition does not allow it",
            details=hits[:20],
            do="take it out of the definition and of the files that it names; a secret travels in an envelope "
            "(`arc-bundler seal-secret`), not in the bundle",
        )


def _forms(secret: str) -> Iterator[bytes]:
    """``secret`` in the forms that tools write: plain, UTF-16 in both orders, base64 at three offsets, escaped."""
    if len(secret) < _SHORTEST:
        return
    for escaped in (json.dumps(secret, ensure_ascii=False)[1:-1], json.dumps(secret)[1:-1], html.escape(secret)):
        yield escaped.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        plain = secret.encode(encoding, "surrogateescape" if encoding == "utf-8" else "surrogatepass")
        yield plain
        for shift in range(3):
            encoded = base64.b64encode(bytes(shift) + plain)
            # The first and last letters depend on neighbouring bytes; only those between them are the secret's.
            inner = encoded[-(-shift * 8 // 6) : len(encoded.rstrip(b"=")) - 2]
            yield inner
            yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def _in_entry(entry: Entry, needles: Sequence[bytes]) -> Iterator[str]:
    if needles and any(_holds(entry, needle) for needle in needles):
        yield "the secret that this build was given"
    ours = entry.path.startswith(_FROM_HERE) or not entry.path.startswith(_OTHERS)
    if ours and content.size(entry) <= _LARGEST_TEXT:
        whole = b"".join(content.chunks(entry))
        yield from secret_patterns.found(whole.decode("utf-8", "replace"))


def _holds(entry: Entry, needle: bytes) -> bool:
    if not isinstance(entry.content, Blob):
        return needle in entry.content
    tail = b""
    for chunk in content.chunks(entry):
        window = tail + chunk
        if needle in window:
            return True
        tail = window[-len(needle) :]
    return False
