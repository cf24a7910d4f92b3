"""Says why a compound file is refused."""

from __future__ import annotations

from typing import NoReturn

from bundler.errors import VerificationError


def malformed(what: str) -> NoReturn:
    """Two readers could understand the file differently."""
    raise VerificationError(f"the compound file is malformed: {what}", reason="malformed")


def truncated(what: str) -> NoReturn:
    """Bytes are missing at the end."""
    raise VerificationError(f"the file ends too early: {what}", reason="truncated")


def trailing(what: str) -> NoReturn:
    """Bytes have no owner, so no signature covers them."""
    raise VerificationError(f"the file holds bytes that its signature does not cover: {what}", reason="trailing-data")
