"""The bytes of a lock, in the form of the schema that it has."""

from __future__ import annotations

import hashlib

from bundler.formats import json_codec
from bundler.model.lock import LOCK_SCHEMA, LOCK_SCHEMA_1, Lock


def to_bytes(lock: Lock) -> bytes:
    """``lock`` as canonical JSON: one of 0.3.0 without the fields that schema 2 brought, so with its own digest."""
    if lock.schema != LOCK_SCHEMA_1:
        return json_codec.to_json(lock)
    tree = json_codec.to_tree(lock)
    del tree["fields"]
    for pin in tree["pins"]:
        del pin["asked"]
    return json_codec.to_json(tree)


def digest(lock: Lock) -> str:
    """SHA-256 of :func:`to_bytes` in hex: what a manifest names its lock by."""
    return hashlib.sha256(to_bytes(lock)).hexdigest()


def require_schema(lock: Lock) -> None:
    """Raise ValueError for a schema that this release does not read, and for a schema 1 with fields of schema 2."""
    if lock.schema not in (LOCK_SCHEMA, LOCK_SCHEMA_1):
        raise ValueError(f"it has the schema {lock.schema!a}; this release reads {LOCK_SCHEMA_1} and {LOCK_SCHEMA}")
    if lock.schema == LOCK_SCHEMA_1 and (lock.fields or any(pin.asked for pin in lock.pins)):
        raise ValueError(f"it has the schema {LOCK_SCHEMA_1}, which has neither fields nor asked")
