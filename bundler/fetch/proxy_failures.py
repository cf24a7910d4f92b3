"""Says why a proxy opens no tunnel to a host. A wrong proxy is wrong again at the next attempt: it fails at once.

A proxy that led to a host before is the right one, and what it meets may pass. One that did not is tried once more
where it was silent or could not reach the host, and no more where its name, its port or its answer is wrong.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from dataclasses import dataclass

import requests
import urllib3

from bundler.errors import UpstreamError
from bundler.fetch.connections import TunnelError
from bundler.fetch.request_info import RequestInfo, redact_url
from bundler.fetch.retry import TransientError

_ADVICE = "correct the proxy's address (--proxy, HTTPS_PROXY), or have its operator allow that host"
_CREDENTIALS = (
    "set HTTPS_PROXY with a user and password that it accepts (http://USER:PASSWORD@HOST:PORT), or have its operator "
    "exempt this computer"
)
_STATUS = re.compile(r"Tunnel connection failed: (\d{3})\b")
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses with which a proxy says that it could not reach the host now (RFC 9110 section 15)."""
_RETRIES = 1
"""Of a proxy that did not lead anywhere yet."""


@dataclass(frozen=True)
class _Finding:
    what: str
    """The sentence after the proxy's name."""
    passes: bool
    """Whether it may be otherwise at the next attempt, also for a proxy that did not lead anywhere yet."""
    do: str = _ADVICE


def is_one(causes: tuple[BaseException, ...], request: RequestInfo) -> bool:
    """Whether the way to the proxy, or the proxy, is what failed."""
    kinds = requests.exceptions.ProxyError | urllib3.exceptions.ProxyError | TunnelError
    if any(isinstance(cause, kinds) for cause in causes):
        return True
    # With a proxy the only address that is connected to is the proxy's.
    reached = urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError
    return bool(request.proxy) and any(isinstance(cause, reached) for cause in causes)


def from_causes(causes: tuple[BaseException, ...], request: RequestInfo) -> UpstreamError | TransientError:
    """The error to raise for a failure of which :func:`is_one` is true."""
    found = _finding(causes, request)
    shown = redact_url(request.proxy or "").rstrip("/")
    error = UpstreamError(f"the proxy {shown} {found.what}", details=_innermost(causes), do=found.do)
    if request.proxy_proved and found.do is not _CREDENTIALS:
        return TransientError(error)
    return TransientError(error, retries=_RETRIES) if found.passes else error


def _finding(causes: tuple[BaseException, ...], request: RequestInfo) -> _Finding:
    host = request.host
    status = next((int(found[1]) for cause in causes if (found := _STATUS.search(str(cause)))), 0)
    if status == 407:
        return _Finding(f"requires credentials for {host}", passes=False, do=_CREDENTIALS)
    if status:
        return _Finding(f"does not connect to {host} (HTTP {status})", passes=status in _PASSING)
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return _Finding("cannot be resolved", passes=False)
        if isinstance(cause, ConnectionRefusedError):
            return _Finding("refuses the connection", passes=False)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _Finding("presents a certificate that is not trusted here", passes=False)
    return _silent_or_foreign(causes, request)


def _silent_or_foreign(causes: tuple[BaseException, ...], request: RequestInfo) -> _Finding:
    kinds = tuple(map(type, causes))
    if any(issubclass(kind, urllib3.exceptions.ConnectTimeoutError) for kind in kinds):
        return _Finding(f"did not answer within {request.connect_timeout:g} s", passes=True)
    if any(issubclass(kind, TimeoutError) for kind in kinds):
        return _Finding(f"did not connect to {request.host} in time", passes=True)
    if any(issubclass(kind, ConnectionError | http.client.RemoteDisconnected) for kind in kinds):
        return _Finding(f"closes the connection instead of connecting to {request.host}", passes=False)
    if any(issubclass(kind, ssl.SSLError) for kind in kinds):
        return _Finding("does not speak TLS; its address begins with https", passes=False)
    if any(issubclass(kind, http.client.HTTPException) for kind in kinds):
        return _Finding("is not an HTTP proxy: its answer is not HTTP", passes=False)
    return _Finding("cannot be reached", passes=False)


def _innermost(causes: tuple[BaseException, ...]) -> list[str]:
    last = causes[-1]
    return [str(last) or type(last).__name__]
