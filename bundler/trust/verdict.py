"""How does what a parser says become a verdict?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bundler.errors import NotBelieved
from bundler.formats.parse_error import Malformed
from bundler.trust.advice import explained


@contextmanager
def judging(what: str) -> Iterator[None]:
    """Turn :class:`~bundler.formats.parse_error.Malformed` into :class:`~bundler.errors.NotBelieved` about ``what``."""
    try:
        yield
    except Malformed as error:
        refused = NotBelieved(f"{what} is not what it should be: {error}", reason=error.reason)
        raise explained(refused) from None
