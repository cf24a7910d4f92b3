"""How does what a parser says become a verdict?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bundler.errors import NotBelieved
from bundler.formats.malformed import Malformed

_DO = {
    "html-page": "A proxy or a portal answered in the server's place: open the address in a browser on this host.",
    "truncated": "Fetch the file again: the download stopped early.",
}


@contextmanager
def judging(what: str) -> Iterator[None]:
    """Turn :class:`~bundler.formats.malformed.Malformed` into :class:`~bundler.errors.NotBelieved` about ``what``."""
    try:
        yield
    except Malformed as error:
        do = _DO.get(error.reason, "")
        raise NotBelieved(f"{what} is not what it should be: {error}.", reason=error.reason, do=do) from None
