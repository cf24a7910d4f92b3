"""Reads how long an access token can be used, from the claims of a JSON Web Token. Its signature is not verified here.

Three parts in base64url with dots between (RFC 7515 section 3.1); the second one holds the claims (RFC 7519 section
4.1). No message holds any part of the token.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timezone

from bundler.formats import strict_json
from bundler.formats.parse_error import ParseError

_FORM = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
_TYPE_NAME = re.compile(r"""["']?System\.(Security\.SecureString|Management\.Automation\.[A-Za-z.]+)["']?""")

_LATEST = 253_402_300_799
"""Seconds since 1970 of the last second of the year 9999."""


@dataclass(frozen=True)
class AccessToken:
    """The claims that say whether a token can be used."""

    expires: datetime | None
    not_before: datetime | None


def is_type_name(text: str) -> bool:
    """Whether ``text`` is the name of a .NET type, which PowerShell prints in place of a secret that it hides."""
    return _TYPE_NAME.fullmatch(text) is not None


def read(text: str) -> AccessToken:
    """Read the claims of the token ``text``. Raises ParseError for another form."""
    found = _FORM.fullmatch(text)
    if found is None:
        wrapped = re.match(r'"|\{|bearer ', text, re.IGNORECASE)
        hint = ' (give it alone, without quotes, "Bearer" or JSON)' if wrapped else ""
        raise ParseError(f"does not have three parts in base64url with dots between{hint}")
    try:
        claims = strict_json.read(base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)))
    except ValueError:
        raise ParseError("has a second part that is not JSON in base64url") from None  # the cause shows a part of it
    if not isinstance(claims, dict):
        raise ParseError("has a second part that is not a JSON object")
    return AccessToken(_time(claims.get("exp")), _time(claims.get("nbf")))


def _time(value: object) -> datetime | None:
    """A NumericDate (RFC 7519 section 2), None where it is something else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        return None
    return datetime.fromtimestamp(int(value), tz=timezone.utc)
