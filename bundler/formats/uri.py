"""How is an address written where a standard wants a URI (RFC 3986), and nothing else?"""

from __future__ import annotations

from urllib.parse import quote

_RESERVED = ":/?#[]@!$&'()*+,;="  # section 2.2; their meaning is kept


def uri(address: str) -> str:
    """The ``address`` with everything percent-encoded that no URI holds; what is encoded already stays.

    After ``file:`` stands a path as the definition writes it, which may hold anything: there only slashes are kept.
    """
    scheme, colon, path = address.partition(":")
    return f"{scheme}{colon}{quote(path)}" if scheme == "file" else quote(address, safe=f"{_RESERVED}%")
