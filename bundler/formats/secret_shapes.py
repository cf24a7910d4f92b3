r"""Shapes of secrets that are left out of logs without knowing their value: the second net, behind ``secret_forms``.

One table for both runtimes: ``tools/secret_forms.py`` writes it as a part of each. The expressions are extended ones
(POSIX) in the subset that .NET reads alike, with marks: ``@S`` within brackets is white space, ``@N`` is :data:`NAMES`.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMES = (
    "(service-principal-secret|client[_-]?secret|(access|refresh|id)[_-]?token|password|passphrase|passwd|pwd|"
    "(shared[_-]?access|account)[_-]?key)"
)
"""What a value behind it makes a secret. Two groups."""


@dataclass(frozen=True)
class Shape:
    """What looks like a secret."""

    expression: str
    becomes: str
    r"""What takes its place; ``\1``: the first group."""
    any_case: bool = False


_QUOTED = r'"([^"\\]|\\.)*"?|\\+"([^"\\]|\\[^"])*(\\*")?'
"""A plain quote ends at a plain one; a quote behind backslashes (JSON in a string) at the next of any kind."""
_VALUE = rf"""({_QUOTED}|'[^']*'?|[^@S&,;"'}}\\][^@S&,;"'}}]*)"""

SHAPES = (
    # A private key (RFC 7468), also with its lines joined by \n as in JSON.
    Shape("-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(-----END [A-Z ]*PRIVATE KEY-----)?", "***"),
    # RFC 3986 section 3.2.1, up to the last @: a password may hold one. Also without a scheme, as proxies are written.
    Shape('(://)[^/@S"<>]+@', r"\1***@"),
    Shape('[^][/:@S"=@<>]+:[^/@S"<>*]+@', "***@"),
    # JSON web tokens (RFC 7519).
    Shape("eyJ[A-Za-z0-9_-]{8,}[.][A-Za-z0-9_.-]+", "***"),
    # RFC 6750 section 2.1, RFC 7617.
    Shape("((bearer|basic)[@S]+)[A-Za-z0-9+/=._~-]{8,}", r"\1***", any_case=True),
    # The client secrets of Entra ID.
    Shape("(^|[^A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", r"\1***"),
    # Shared access signatures and codes in addresses.
    Shape("""([?&](sig|se|code|token)=)[^&@S"']+""", r"\1***", any_case=True),
    # NAME: VALUE and NAME=VALUE; the value may be quoted, and its quotes behind backslashes.
    Shape(rf"""(@N\\*["']?[@S]*[:=][@S]*){_VALUE}""", r"\1***", any_case=True),
    Shape(f"(--?@N[@S]+){_VALUE}", r"\1***", any_case=True),
)
"""In the order in which they are applied."""
