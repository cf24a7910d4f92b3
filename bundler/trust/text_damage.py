"""Names the damage of a file that was copied as text, instead of what it looks like to a reader of its format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from bundler.errors import VerificationError
from bundler.formats import text_mode

_LOOKS_LIKE: Final = frozenset(
    (
        *("bad-signature", "damaged-archive", "digest-mismatch", "duplicate", "duplicate-name", "foreign"),
        *("foreign-data", "headers-disagree", "malformed", "metadata-mismatch", "metadata-unprotected"),
        *("not-canonical", "not-named", "rewrapped", "second-signature", "timestamp-invalid", "too-big"),
        *("too-large", "trailing-data", "truncated", "unexpected-data", "unexpected-member", "unknown-container"),
        *("unknown-kind", "unknown-method", "unknown-stream", "unsafe-path", "unsupported"),
    )
)
"""The reasons that changed bytes can give a refusal. Any other needs an undamaged signature."""


@contextmanager
def naming_text_damage(file: BinaryIO) -> Iterator[None]:
    """Give a VerificationError that leaves the block the reason ``line-endings`` where the file shows that damage.

    Args:
        file: the refused file, seekable; it is read only after a failure.
    """
    try:
        yield
    except VerificationError as error:
        how = text_mode.damage(file) if error.reason in _LOOKS_LIKE else ""
        if not how:
            raise
        raise VerificationError(
            f"a tool copied the file as text, which destroys it: {how}",
            reason="line-endings",
            details=[f"A reader of its kind says: {error.what}."],
        ) from error
