"""Reads and writes in-toto statements.

"in-toto Attestation Framework", v1: Statement (``https://in-toto.io/Statement/v1``) and ResourceDescriptor. A statement
binds a predicate of a named type to *subjects*: files, which are matched by digest; here always SHA-256.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bundler.formats import strict_json

STATEMENT = "https://in-toto.io/Statement/v1"

_RESERVED = ":/?#[]@!$&'()*+,;="  # RFC 3986 section 2.2; their meaning is kept
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Resource:
    """A file: its name, origin and digest."""

    name: str
    sha256: str
    """64 lower-case hex digits."""
    uri: str = ""
    location: str = ""
    """The address that served its bytes, if it is not ``uri``."""

    def tree(self) -> Mapping[str, object]:
        """The ResourceDescriptor, as JSON has it."""
        texts = {"name": self.name, "uri": self.uri, "downloadLocation": self.location}
        return {**{key: text for key, text in texts.items() if text}, "digest": {"sha256": self.sha256}}


@dataclass(frozen=True)
class Statement:
    """A predicate and the files that it describes."""

    subjects: tuple[Resource, ...]
    predicate_type: str
    predicate: Mapping[str, Any]
    """A JSON object; its shape depends on the predicate type."""


class StatementError(ValueError):
    """The bytes are not an in-toto statement over SHA-256 digests."""


_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
"""A percent sign that encodes nothing (RFC 3986, section 2.1)."""


def to_uri(address: str) -> str:
    """Percent-encode every character of ``address`` that a URI cannot hold (RFC 3986); what is encoded stays.

    After ``file:`` follows a path as the definition writes it, with any characters: there only slashes are kept.
    """
    scheme, colon, path = address.partition(":")
    if scheme == "file":
        return f"{scheme}{colon}{quote(path)}"
    return quote(_LONE_PERCENT.sub("%25", address), safe=f"{_RESERVED}%")


def write(statement: Statement) -> bytes:
    """The statement as JSON: two spaces, one newline at the end, keys in the order of the specification."""
    body = {
        "_type": STATEMENT,
        "subject": [subject.tree() for subject in statement.subjects],
        "predicateType": statement.predicate_type,
        "predicate": statement.predicate,
    }
    return (json.dumps(body, ensure_ascii=False, indent=2) + "\n").encode()


def read(document: bytes) -> Statement:
    """Read a statement; unknown keys are ignored ("Parsing rules"). Raises :class:`StatementError`."""
    try:
        body = strict_json.read(document)
        statement = Statement(
            subjects=_resources(body["subject"]),
            predicate_type=str(body["predicateType"]),
            predicate=dict(body["predicate"]),
        )
        kind = body["_type"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StatementError(f"it is not an in-toto statement: {error}") from error
    if kind != STATEMENT:
        raise StatementError(f"it is a statement of the type {kind!a} instead of {STATEMENT}")
    return statement


def resources(found: object) -> tuple[Resource, ...]:
    """Read an array of ResourceDescriptors in a predicate. Raises :class:`StatementError`."""
    try:
        return _resources(found)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StatementError(f"it is not a list of resources: {error}") from error


def _resources(found: Any) -> tuple[Resource, ...]:
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise TypeError("it is not a list")
    read = []
    for one in found:
        digest = one["digest"]["sha256"]
        if not _SHA256.fullmatch(digest):
            raise ValueError(f"{digest!a} is not a SHA-256")
        texts = {"name": one.get("name", ""), "uri": one.get("uri", ""), "location": one.get("downloadLocation", "")}
        read.append(Resource(sha256=digest, **{key: str(text) for key, text in texts.items()}))
    return tuple(read)
