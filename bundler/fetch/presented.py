"""The certificates that a host presents: read from an open connection, or by a second one that sends no request."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3

from bundler.fetch.request_info import RequestInfo
from bundler.formats import presented_chain

_SECONDS = 10.0
"""For each step of the second connection; it only serves a better message."""


class Serials:
    """Warns of certificates with negative serial numbers, once for each host."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def look(self, host: str, sock: Any) -> None:
        """Look at the chain that ``host`` presented on the TLS socket ``sock``."""
        chain = of_socket(sock)
        if not any(map(presented_chain.has_negative_serial, chain)):
            return
        with self._lock:
            if host in self._told:
                return
            self._told.add(host)
        links = presented_chain.read(chain)
        issuer = links[0].issuer_name if links else "an unknown issuer"
        self._warn(
            f"{host} presents a certificate with a negative serial number (issuer: {issuer}). The agent will refuse "
            "these from February 2027: have the operator of the proxy that inspects TLS issue positive ones"
        )


def of_socket(sock: Any) -> tuple[bytes, ...]:
    """The chain on a TLS socket, DER, the host's own first; empty where this Python cannot tell.

    Public from Python 3.13 on; before, on the object below the socket (cpython, Modules/_ssl.c, from 3.10 on). A
    connection through a proxy that is reached by TLS has that object, and no socket.
    """
    for place in (sock, getattr(sock, "_sslobj", None), getattr(sock, "sslobj", None)):
        ask = getattr(place, "get_unverified_chain", None) or getattr(
            getattr(place, "_sslobj", None), "get_unverified_chain", None
        )
        if ask is not None:
            return tuple(each if isinstance(each, bytes) else each.public_bytes(_DER) for each in ask() or ())
    return ()


_DER: int = getattr(getattr(ssl, "_ssl"), "ENCODING_DER")  # noqa: B009  # no type checker knows them


def again(request: RequestInfo) -> tuple[bytes, ...]:
    """The chain that the host of ``request`` presents on a new connection, verified or not; empty where it fails.

    No request is sent on it. Python tells no chain of a connection that it refused.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = _connection(request, context)
    if connection is None:
        return ()
    try:
        connection.connect()
        return of_socket(connection.sock)
    except (OSError, http.client.HTTPException, ValueError):
        return ()
    finally:
        connection.close()


def _connection(request: RequestInfo, context: ssl.SSLContext) -> http.client.HTTPSConnection | None:
    """A connection that is not open yet; None where the way leads through a proxy that is reached by TLS."""
    to, way = urlsplit(request.url), urlsplit(request.proxy or "")
    seconds, host = min(_SECONDS, request.connect_timeout), to.hostname or ""
    if not request.proxy:
        return http.client.HTTPSConnection(host, to.port or 443, timeout=seconds, context=context)
    if way.scheme != "http":
        return None
    through = http.client.HTTPSConnection(way.hostname or "", way.port or 80, timeout=seconds, context=context)
    user = way.netloc.rpartition("@")[0]
    headers = urllib3.util.make_headers(proxy_basic_auth=unquote(user)) if user else {}
    through.set_tunnel(host, to.port or 443, dict(headers))
    return through
