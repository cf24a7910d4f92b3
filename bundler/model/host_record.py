"""One name and the address that it is to resolve to."""

from __future__ import annotations

from bundler.model.value import value


@value
class HostRecord:
    """What becomes a line of a hosts file, or an A record of a private zone."""

    host: str
    """The public name, in lower case, without a dot at the end."""
    address: str
    """IPv4 or IPv6, as :mod:`ipaddress` writes it."""
