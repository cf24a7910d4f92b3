"""The one place that gives every refusal its meaning and its advice, by its reason.

Whatever verifies says what is wrong, and a reason. The verification as a whole runs in :func:`advising`, which adds
the likely cause to the error's ``details``, as a full sentence, and what to do as its ``do``, where it has none: the
code that knows more than the reason may say so itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from bundler.errors import VerificationError
from bundler.formats.parse_error import ParseError
from bundler.model.anchor import Anchors
from bundler.trust.anchors import MICROSOFT
from bundler.trust.bundle_meanings import BUNDLES
from bundler.trust.meanings import SIGNED_FILES, Row

MEANINGS: Final[Mapping[str, Row]] = {**BUNDLES, **SIGNED_FILES}
"""By reason: the likely cause, and what to do; ``{source}`` stands for the publisher."""

_SOURCES: Final = (MICROSOFT, "the publisher")


@contextmanager
def advising(anchors: Anchors | None = None) -> Iterator[None]:
    """Give a VerificationError that leaves the block the meaning of its reason, and advice.

    Args:
        anchors: what is trusted; nothing is to be had from Microsoft where those are another's. None: unknown.
    """
    try:
        yield
    except VerificationError as error:
        raise with_advice(error, anchors) from error.__cause__


def with_advice(error: VerificationError, anchors: Anchors | None = None) -> VerificationError:
    """The same error with the meaning of its reason behind its details, and with advice where it has none.

    A second call changes nothing, so that the parts of a verification can be used alone.
    """
    meaning, do = MEANINGS.get(error.reason, ("", ""))
    source = publisher(anchors)
    known = not meaning or any(meaning.format(source=each) in error.details for each in _SOURCES)
    details = error.details if known else (*error.details, meaning.format(source=source))
    return VerificationError(error.what, reason=error.reason, details=details, do=error.do or do.format(source=source))


def publisher(anchors: Anchors | None) -> str:
    """Where a genuine file is to be had: Microsoft, where its anchors and its publishers are trusted."""
    if anchors is None or anchors.name != MICROSOFT or anchors.lab:
        return _SOURCES[1]
    own = all((each.organization or each.common_name).startswith(MICROSOFT) for each in anchors.publishers)
    return _SOURCES[0] if own else _SOURCES[1]


@contextmanager
def as_verification_error(what: str) -> Iterator[None]:
    """Turn a :class:`~bundler.formats.parse_error.ParseError` within into a VerificationError about ``what``."""
    try:
        yield
    except ParseError as error:
        raise VerificationError(f"{what} is not valid: {error}", reason=error.reason) from None
