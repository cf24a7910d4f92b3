"""The secrets that this process holds: each is left out, in every spelling, of its log, its messages and its errors.

Secrets are found by value: whatever reads one passes it to :func:`remember`.
"""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import unquote

REDACTED = "[redacted]"
_SHORTEST_LINE = 8
"""Characters from which on one line of a value of several lines is a secret as it stands; its other spellings are
searched for from ``secret_forms.LINE`` on."""
_LARGEST = 1 << 14
"""Characters of a value that is searched for in every spelling; of a larger one each line is, as it stands."""

_COLOUR = re.compile("\033\\[[0-9;?]*[ -/]*[@-~]")
"""What steers a terminal's colours (ECMA-48 section 5.4): it may stand within a secret."""

_secrets: set[str] = set()


def clear() -> None:
    """Forget all: a new command begins."""
    _secrets.clear()
    _patterns.cache_clear()


def remember(secret: str | bytes) -> None:
    """Keep ``secret`` out of every log line and message from now on."""
    text = secret.decode("utf-8", "surrogateescape") if isinstance(secret, bytes) else secret
    if text.strip() and text not in _secrets:
        _secrets.add(text)
        _patterns.cache_clear()


def remember_url(address: str) -> None:
    """Keep the user name and the password of ``address`` out, as they stand and without percent-encoding."""
    # Not by urlsplit: it refuses a password with a bracket, and ends the host at "/" and "#" in one.
    credentials = (address.partition("://")[2] or address).rpartition("@")[0]
    if credentials:
        remember(credentials)
        for part in credentials.split(":", 1):
            remember(part)
            remember(unquote(part))


def redact(text: str) -> str:
    """``text`` with ``[redacted]`` in the place of every secret that is held; without colours if one is."""
    if not _secrets:
        return text
    # The expressions are over bytes: one character a byte.
    held = _COLOUR.sub("", text).encode("utf-8", "surrogatepass").decode("latin-1")
    for pattern in _patterns():
        held = pattern.sub(REDACTED, held)
    left = held.encode("latin-1")
    try:
        return left.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # a secret that is not UTF-8 was found within the bytes of a character
        return left.decode("utf-8", "backslashreplace")


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    from bundler.formats import secret_forms

    found: list[str] = []
    for secret in sorted(_secrets, key=len, reverse=True):
        if len(secret) <= _LARGEST:
            found += secret_forms.patterns(secret)
        found += [re.escape(line.encode("utf-8", "surrogatepass").decode("latin-1")) for line in _lines(secret)]
    return tuple(re.compile(one, re.ASCII) for one in dict.fromkeys(found) if one)


def _lines(secret: str) -> list[str]:
    lines = [line.strip() for line in secret.splitlines()]
    return [line for line in lines if len(line) >= _SHORTEST_LINE] if len(lines) > 1 else []
