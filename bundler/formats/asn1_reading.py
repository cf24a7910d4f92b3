"""Reads parts of a signature with asn1crypto, and turns whatever its code runs into to one refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

from bundler.errors import VerificationError

# asn1crypto parses a field when it is first read, and raises whatever its code runs into.
_PARSE_ERRORS: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


def malformed(what: str) -> NoReturn:
    """Refuse a signature. Raises VerificationError: ``malformed``."""
    raise VerificationError(f"the signature is malformed: {what}", reason="malformed")


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Refuse a signature as malformed where the block cannot read it; ``what`` says so."""
    try:
        yield
    except _PARSE_ERRORS:
        malformed(what)


def load(kind: Callable[..., Any], der: bytes) -> Any:
    """The value of ``kind`` in ``der``, which ends with it."""
    return kind.load(der, strict=True)  # type: ignore[attr-defined]
