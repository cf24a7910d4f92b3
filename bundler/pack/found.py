"""What does a container say that it holds, before anybody has looked at it closely?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bundler.errors import VerificationError

Password = Callable[[], str]
"""Asked where an archive turns out to be encrypted, and not before."""


@dataclass(frozen=True)
class Found:
    """One member of a container, in the container's own words."""

    path: str
    """With ``/``; from the container's root, so with the bundle's folder in front where it is an archive."""
    size: int
    """Bytes, as declared."""
    mode: int | None
    """Permission bits; None where the container keeps none that mean anything."""
    chunks: Callable[[], Iterator[bytes]]
    """Gives the content once, and only until the next member is asked for."""
    folder: bool = False


_DO = "do not unpack it; copy it again from where it was built, and compare the digest with what the build said"


def refused(what: str, reason: str, details: Sequence[str] = (), *, do: str = "") -> VerificationError:
    """The error for a container that we do not unpack, with the advice that fits all of them, or a better one."""
    return VerificationError(what, reason=reason, details=details, do=do or _DO)


def damaged(why: object) -> VerificationError:
    """The error for a container that cannot be read to its end."""
    return refused("the archive is damaged or cut short", "damaged-archive", [str(why)] if str(why) else [])
