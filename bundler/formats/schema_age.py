"""Tells whether another release wrote a JSON document: by its schema number, or by keys of an earlier form."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from bundler.formats import strict_json
from bundler.formats.strict_json import JsonError

Age = Literal["current", "older", "newer"]

_SCHEMA = re.compile(r"(?P<name>arc-bundler/[a-z-]+)/(?P<number>[1-9][0-9]{0,8})")


def schema_age(document: bytes, schema: str, former_keys: Collection[str]) -> Age:
    """Compare a document's form with the one that this release writes.

    To be asked where a document could not be read, or has another schema: the answer chooses the message.

    Args:
        document: the bytes of a JSON object; any other bytes are "current".
        schema: what this release writes, ``arc-bundler/lock/1``.
        former_keys: keys that only earlier forms of this number had, at the top of the document.

    Returns:
        ``newer`` for a higher number, ``older`` for a lower one or a former key; otherwise ``current``, also for a
        document that is damaged or another one altogether.
    """
    ours = _SCHEMA.fullmatch(schema)
    if ours is None:
        raise ValueError(f"{schema!r} is not a schema of arc-bundler")
    try:
        tree = strict_json.read(document)
    except JsonError:
        return "current"
    theirs = _SCHEMA.fullmatch(str(tree.get("schema"))) if isinstance(tree, dict) else None
    if theirs is None or theirs["name"] != ours["name"]:
        return "current"
    if int(theirs["number"]) != int(ours["number"]):
        return "newer" if int(theirs["number"]) > int(ours["number"]) else "older"
    return "older" if any(key in tree for key in former_keys) else "current"
