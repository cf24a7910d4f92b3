r"""Reads and writes ``SHA256SUMS``, and names the files around it.

The format of ``sha256sum -c`` (GNU coreutils manual, 6.6): ``<64 hex digits>  <path>\n``, here always sorted by the
path's UTF-8 bytes, so that the same files give the same document. Names that would need escaping (backslash, newline)
are refused by :mod:`bundler.integrity.names`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from bundler.model.manifest import Manifest

SUMS = "SHA256SUMS"
MANIFEST = "manifest.json"
CMS = ".p7s"
OPENPGP = ".asc"
APPROVALS = "approvals/"
OPENPGP_KEY = "evidence/sealer.gpg"
"""Path of the sealer's public OpenPGP key, as ``gpgv --keyring`` reads it."""

SEALS = tuple(sealed + suffix for sealed in (SUMS, MANIFEST) for suffix in (CMS, OPENPGP, OPENPGP + CMS))
"""Every seal that a bundle may have: one of each kind over the sums and the manifest, and a CMS seal over each OpenPGP
seal, because an OpenPGP signature has bytes that it does not cover itself."""

_APPROVAL = re.compile(re.escape(APPROVALS) + r"[0-9a-f]{16}" + re.escape(CMS))
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
MAX_FILES = 20_000
"""As many files as an archive may have."""


def is_seal(path: str) -> bool:
    """Whether ``path`` is a signature over the bundle: those are in no list."""
    return path in SEALS or bool(_APPROVAL.fullmatch(path))


def is_listed(path: str) -> bool:
    """Whether the manifest must list ``path``: everything but itself, the sums that list it, and the seals."""
    return path not in (SUMS, MANIFEST) and not is_seal(path)


def approval(sha256: str) -> str:
    """The path of the approval by the certificate with the fingerprint ``sha256``."""
    return f"{APPROVALS}{sha256[:16]}{CMS}"


def bundle_digest_of(manifest: Manifest, document: bytes) -> str:
    """The bundle digest that follows from a manifest alone.

    ``SHA256SUMS`` lists what the manifest lists, and the manifest itself: so in an unchanged bundle this is the digest
    of its ``SHA256SUMS``.

    Args:
        manifest: what ``document`` says.
        document: the bytes of ``manifest.json``.

    Returns:
        SHA-256 of the ``SHA256SUMS`` that belongs to it, 64 lower-case hex digits.
    """
    own = (MANIFEST, hashlib.sha256(document).hexdigest())
    return hashlib.sha256(render((*((file.path, file.sha256) for file in manifest.files), own))).hexdigest()


def render(digests: Iterable[tuple[str, str]]) -> bytes:
    """The document for pairs of a path and its SHA-256 in hex."""
    ordered = sorted(digests, key=lambda pair: pair[0].encode())
    return "".join(f"{digest}  {path}\n" for path, digest in ordered).encode()


def parse(document: bytes) -> tuple[tuple[str, str], ...]:
    """Read pairs of a path and its SHA-256, in the document's order.

    Raises:
        ValueError: the document is not, byte for byte, what :func:`render` writes for those pairs.
    """
    if document.count(b"\n") > MAX_FILES:
        raise ValueError(f"it has more than {MAX_FILES} lines")
    matches = [_LINE.fullmatch(line) for line in document.decode("utf-8").split("\n")[:-1]]
    pairs = tuple((match[2], match[1]) for match in matches if match)
    if render(pairs) != document or len(dict(pairs)) != len(pairs):
        raise ValueError("it is not a sorted list of SHA-256 digests and paths, each once")
    return pairs
