"""Chooses the proxy for an address by ``HTTPS_PROXY`` and ``NO_PROXY``, from an environment that is passed in."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from bundler.errors import UsageError


def _variable(environment: Mapping[str, str], name: str) -> str:
    """A variable's value; lower case takes precedence over upper case, as in curl and Python's urllib."""
    return environment.get(name.lower(), "") or environment.get(name.upper(), "")


def choose(url: str, *, proxy: str | None, environment: Mapping[str, str]) -> str | None:
    """The proxy for ``url`` (https): ``proxy`` if given, otherwise the environment's; None to connect directly.

    An empty ``proxy`` means none, whatever the environment says. ``NO_PROXY`` applies to both.
    Raises UsageError for an invalid proxy address.
    """
    chosen = (
        proxy if proxy is not None else _variable(environment, "https_proxy") or _variable(environment, "all_proxy")
    )
    if not chosen or bypassed(url, _variable(environment, "no_proxy")):
        return None
    address = chosen if "://" in chosen else f"http://{chosen}"
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            "the proxy's address is not valid: it must be http://HOST:PORT or https://HOST:PORT",
            do="correct --proxy or the variable HTTPS_PROXY",
        )
    return address


def bypassed(url: str, no_proxy: str) -> bool:
    """Whether ``no_proxy`` exempts the host of ``url``.

    Entries are separated by commas or blanks. Each is ``*``, a domain (with or without a leading dot: itself and all
    below it), an address or a network (``10.0.0.0/8``), optionally with ``:port``: the forms that curl and Python's
    requests accept.
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), parts.port or 443
    return any(_matches(entry.lower(), host, port) for entry in no_proxy.replace(",", " ").split())


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if address is not None and "/" in entry:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, wanted = _split(entry)
    if wanted and wanted != str(port):
        return False
    if address is not None:
        return _address(name) == address
    name = name.lstrip("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
