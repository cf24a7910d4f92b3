"""The open connections to the upstream: their TLS context, their bounds, and how another thread aborts them."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

_FULL_ADDRESSES = 4
"""Addresses that may each take the whole time to connect; more of them share the time of these."""


class TunnelError(OSError):
    """The proxy was reached and opens no tunnel; the cause says why."""


class Connections:
    """The open connections, so that another thread can abort them."""

    def __init__(
        self, responses: type[http.client.HTTPResponse], connected: Callable[[str, Any], None] = lambda *_: None
    ) -> None:
        """Open none yet.

        Args:
            responses: the class that reads responses, those of a proxy's CONNECT too.
            connected: is given the host and the TLS socket of each new connection.
        """
        self._open: weakref.WeakSet[HTTPSConnection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._responses = responses
        self._connected = connected

    def pool_class(self) -> type[HTTPSConnectionPool]:
        """A pool that registers its connections here before they connect."""
        noted = self

        class Noted(HTTPSConnection):
            response_class = noted._responses

            def connect(self) -> None:
                with noted._lock:
                    noted._open.add(self)
                host = self._tunnel_host or self.host  # closing forgets it
                super().connect()
                noted._connected(host, self.sock)

            def _tunnel(self) -> None:
                """Tell a proxy's failure from one of the host behind it."""
                try:
                    super()._tunnel()
                except (OSError, http.client.HTTPException) as error:
                    raise TunnelError(str(error)) from error

            def _new_conn(self) -> socket.socket:
                """Connect to the first address that answers, in a time that no number of addresses makes longer."""
                whole = self.timeout
                self.timeout = _share(whole, self._dns_host, self.port)
                try:
                    sock = super()._new_conn()
                finally:
                    self.timeout = whole
                sock.settimeout(whole)
                return sock

        return type("NotedPool", (HTTPSConnectionPool,), {"ConnectionCls": Noted})

    def abort(self) -> None:
        """Shut all of them down, below TLS.

        ``SSLSocket.shutdown`` would remove the TLS layer, so that a reader gets encrypted bytes. The socket's own
        shutdown lets TLS see the end of the stream, which is never mistaken for the end of a file.
        """
        with self._lock:
            connections = tuple(self._open)
        for connection in connections:
            sock = connection.sock
            with suppress(OSError, TypeError):
                socket.socket.shutdown(getattr(sock, "socket", sock), socket.SHUT_RDWR)


def _share(seconds: Any, host: str, port: int) -> Any:
    """What each address of ``host`` gets of ``seconds``: all of it where there are few."""
    if not isinstance(seconds, (int, float)):
        return seconds
    with suppress(OSError, UnicodeError):  # connecting fails in the same way, and says so
        count = len(socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM))
        return seconds * min(1.0, _FULL_ADDRESSES / max(count, 1))
    return seconds


class Adapter(HTTPAdapter):
    """Connections with our TLS contexts' CAs, registered while they are open."""

    def __init__(self, context: ssl.SSLContext, proxy_context: ssl.SSLContext, connections: Connections) -> None:
        """``context`` verifies the hosts, ``proxy_context`` a proxy that is reached by TLS itself."""
        self._context, self._proxy_context, self._pool_class = context, proxy_context, connections.pool_class()
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self._note(self.poolmanager)

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        contexts = {"ssl_context": self._context, "proxy_ssl_context": self._proxy_context}
        manager = super().proxy_manager_for(proxy, **contexts, **kwargs)
        self._note(manager)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Require a certificate, which the context verifies.

        The method of requests would load certifi's list again for every connection: 40 ms each.
        """
        conn.cert_reqs = "CERT_REQUIRED"

    def _note(self, manager: Any) -> None:
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "https": self._pool_class}
