"""Access tokens as Microsoft Entra issues them, without a signature that verifies."""

from __future__ import annotations

import base64
import json
from typing import Any


def part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def token(**claims: Any) -> str:
    """A token with these claims, among others that every token has."""
    held = {
        "aud": "https://management.azure.com/",
        "iss": "https://sts.windows.net/t/",
        "name": "Ben \u6771>>??",
        **claims,
    }
    header = part(b'{"typ":"JWT","alg":"RS256"}')
    return f"{header}.{part(json.dumps(held, ensure_ascii=False).encode())}.{part(b'hUsh7y' * 40)}"


HOUR = 3600


def cases(now: int) -> dict[str, tuple[str, bool, str]]:
    """By name: a secret of kind token, whether it can be used, and what is said of it (a regular expression)."""
    inner = part(json.dumps({"exp": now + HOUR}).encode())
    return {
        "good": (token(exp=now + HOUR, nbf=now - 60), True, r"valid until 20\d\d-\d\d-\d\d \d\d:\d\d UTC"),
        "one minute more": (token(exp=now + 90), True, "valid until"),
        "a fraction": (token(exp=now + HOUR + 0.5), True, "valid until"),
        "expired now": (token(exp=now), False, "expired on"),
        "expired an hour ago": (token(exp=now - HOUR), False, "expired on"),
        "expired long ago": (token(exp=1_500_000_000), False, "expired on 2017-07-14 02:40 UTC"),
        "not yet": (token(exp=now + 9 * HOUR, nbf=now + HOUR), False, "valid only from"),
        "a little early": (token(exp=now + HOUR, nbf=now + 120), True, "valid until"),
        "no exp": (token(), True, "does not say how long"),
        "exp is text": (token(exp=f"{now}x"), True, "does not say how long"),
        "exp is null": (token(exp=None), True, "does not say how long"),
        "a SecureString": ("System.Security.SecureString", False, "ConvertFrom-SecureString -AsPlainText"),
        "a SecureString in quotes": ('"System.Security.SecureString"', False, "Net.NetworkCredential"),
        "a client secret": ("aBc8Q~hUsh7y.x-y_z~1234567890abcdefghij", False, "three parts"),
        "two parts": (f"a.{inner}", False, "three parts"),
        "four parts": (f"a.{inner}.c.d", False, "three parts"),
        "empty signature": (f"a.{inner}.", False, "three parts"),
        "in quotes": (f'"{token(exp=now + HOUR)}"', False, "without quotes"),
        "with Bearer": (f"Bearer {token(exp=now + HOUR)}", False, "Bearer"),
        "all of az's JSON": (f'{{"accessToken": "{token(exp=now + HOUR)}"}}', False, "three parts"),
        "a part of no length": ("eyJh.abcde.hUsh7y", False, ""),
        "not JSON": (f"a.{part(b'hUsh7y hUsh7y')}.c", False, ""),
    }
