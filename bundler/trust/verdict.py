"""How does what a parser says become a verdict?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bundler.errors import VerificationError
from bundler.formats.parse_error import ParseError
from bundler.trust.advice import with_advice


@contextmanager
def as_verification_error(what: str) -> Iterator[None]:
    """Turn ``ParseError`` into ``VerificationError`` about ``what``."""
    try:
        yield
    except ParseError as error:
        refused = VerificationError(f"{what} is not what it should be: {error}", reason=error.reason)
        raise with_advice(refused) from None
