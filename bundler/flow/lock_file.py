"""Reads and writes ``bundle.lock``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from bundler.errors import LockError
from bundler.flow import lock_document
from bundler.formats import json_codec, strict_json
from bundler.formats.schema_age import Age, schema_age
from bundler.model.lock import LOCK_FORMER_KEYS, LOCK_SCHEMA, LOCK_SCHEMA_1, Lock, Pin
from bundler.pack.staging import write_file

# A pin with its evidence has 6 kB; a lock of every target has 200 kB.
_MAX_LOCK = 4 << 20
_MAX_EVIDENCE = 64 << 20
"""Bytes of one repository document: those are read at once, and locking fetches none that is larger
(:mod:`bundler.trust.apt_chain`, :mod:`bundler.trust.yum_chain`)."""
_NOW = {"taken": "created"}
"""The key of today for a key of the lock's former form."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read(path: Path) -> Lock | None:
    """The lock at ``path``, or None where there is no file. Raises LockError for a file that is no lock."""
    document = _document(path)
    return None if document is None else _parse(document, path)


def _document(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            document = file.read(_MAX_LOCK + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LockError(f"the lock at {path} cannot be read: {error.strerror or error}") from error
    if len(document) > _MAX_LOCK:
        raise LockError(f"{path} is larger than {_MAX_LOCK} bytes, which no lock is")
    return document


def _parse(document: bytes, path: Path) -> Lock:
    try:
        lock = json_codec.from_json(Lock, document)
        _require_sound(lock)
    except ValueError as error:
        age = _age(document)
        if age == "older":
            raise LockError(f"the lock at {path} was written before 0.2.0", do="run `arc-bundler lock`") from error
        if age == "newer":
            raise LockError(
                f"the lock at {path} was made by a newer arc-bundler",
                do="upgrade arc-bundler, then run the same command again",
            ) from error
        raise LockError(
            f"the lock at {path} is damaged: {error}",
            do="restore it from version control, or delete it and run `arc-bundler lock`",
        ) from error
    return lock


def _age(document: bytes) -> Age:
    """Whether ``document`` is older than every schema that is read, or newer than them."""
    age = schema_age(document, LOCK_SCHEMA, ())
    if age == "older":
        return schema_age(document, LOCK_SCHEMA_1, LOCK_FORMER_KEYS)
    return age


def read_former(path: Path) -> tuple[Lock | None, bool]:
    """Read the lock at ``path`` to replace it: as :func:`read`, and also in the form from before 0.2.0.

    What the former lock pins still protects from a rollback.

    Returns:
        The lock, None where there is none; and whether it has the former form, so that it must be written again.

    Raises:
        LockError: it cannot be read.
    """
    document = _document(path)
    if document is None:
        return None, False
    if _age(document) != "older":
        return _parse(document, path), False
    tree = strict_json.read(document)
    return _parse(json.dumps({_NOW.get(key, key): value for key, value in tree.items()}).encode(), path), True


def _require_sound(lock: Lock) -> None:
    """Raise ValueError for another schema, and for a digest that is not 64 hex digits: a file's name in the store."""
    lock_document.require_schema(lock)
    for name, digest in lock.fields.items():
        if not _SHA256.fullmatch(digest):
            raise ValueError(f"fields.{name}: {digest!r} cannot be a SHA-256")
    for pin in lock.pins:
        _require_addresses(pin)
        for sha256, size in ((pin.sha256, pin.size), *((held.sha256, held.size) for held in pin.documents)):
            if not _SHA256.fullmatch(sha256) or size < 0:
                raise ValueError(
                    f"pins.{pin.place}: {sha256!r} with {size} bytes cannot be the digest and size of a file"
                )
        for document in pin.documents:
            if document.size > _MAX_EVIDENCE:
                raise ValueError(f"pins.{pin.place}: {document.role} has {document.size} bytes, which no document has")


def _require_addresses(pin: Pin) -> None:
    """Raise ValueError for an address that cannot be taken apart."""
    for address in (pin.url, *pin.redirects, *(document.url for document in pin.documents)):
        if not address.startswith("file:"):
            try:
                _ = urlsplit(address).port
            except ValueError as error:
                raise ValueError(f"pins.{pin.place}: {address[:80]!r} is no address: {error}") from None


def write(lock: Lock, path: Path) -> None:
    """Write the lock to ``path`` in one step. Raises WriteError."""
    write_file(path, lock_document.to_bytes(lock))
