"""Maps errors of requests, urllib3, ssl and the system, and HTTP statuses, to errors with advice.

The libraries wrap the same failure in many ways; the cause at the bottom of the chain decides. A failure that another
attempt may not meet becomes a :class:`~bundler.fetch.retry.TransientError`.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3

from bundler.errors import NotThereError, UpstreamError
from bundler.fetch import certificate_failures, proxy_failures
from bundler.fetch.bounded import TooMuchError, TooSlowError
from bundler.fetch.request_info import RequestInfo, redact_url
from bundler.fetch.retry import TransientError, retry_after

CONTINUE = "run the same command again later: it continues where it stopped"
_START_LOCAL = "start the server on this computer; for a lab, run `arc-bundler lab --dir DIR`"
_CHECK_NETWORK = "check the network, the firewall and the proxy (--proxy, HTTPS_PROXY) of this computer"


def from_exception(error: Exception, request: RequestInfo) -> UpstreamError | TransientError:
    """The error to raise for ``error``, which requests, urllib3, ssl or the system raised."""
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, TooMuchError | TooSlowError):
            return _beyond_bounds(cause, request)
    if proxy_failures.is_one(causes, request):
        return proxy_failures.from_causes(causes, request)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return certificate_failures.from_verification(cause, request)
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            unresolved = UpstreamError(
                f"the name {request.host} cannot be resolved", details=[str(cause)], do=_CHECK_NETWORK
            )
            return TransientError(unresolved) if cause.errno == socket.EAI_AGAIN else unresolved
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return UpstreamError(f"{redact_url(request.url)} is not a valid address", details=[str(error)])
    return _on_the_wire(causes, request)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and everything that it wraps, in whatever attribute, each once."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]


def _beyond_bounds(cause: TooMuchError | TooSlowError, request: RequestInfo) -> UpstreamError | TransientError:
    what = f"{request.host} {cause}"
    if isinstance(cause, TooSlowError):
        return TransientError(UpstreamError(what, do=CONTINUE))
    return UpstreamError(what, do="check the address, and that no proxy or portal answers for the upstream")


def _on_the_wire(causes: tuple[BaseException, ...], request: RequestInfo) -> UpstreamError | TransientError:
    host, do = request.host, CONTINUE
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        local = urlsplit(request.url).hostname in {"localhost", "127.0.0.1", "::1"}
        what, do = f"{host} refuses the connection", _START_LOCAL if local else _CHECK_NETWORK
    elif any(type(cause) is urllib3.exceptions.ConnectTimeoutError for cause in causes):
        what, do = f"{host} did not answer within {request.connect_timeout:g} s", _CHECK_NETWORK
    elif any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes):
        what, do = f"{host} cannot be reached", _CHECK_NETWORK
    elif any(isinstance(cause, urllib3.exceptions.ReadTimeoutError | TimeoutError) for cause in causes):
        what = f"{host} sent nothing for {request.stall_timeout:g} s"
    elif _foreign_tls(causes):
        return UpstreamError(f"the TLS handshake with {host} failed", details=_innermost(causes), do=_CHECK_NETWORK)
    else:
        what = f"the connection to {host} was lost"
    return TransientError(UpstreamError(what, details=_innermost(causes), do=do))


def _foreign_tls(causes: tuple[BaseException, ...]) -> bool:
    """Whether TLS itself failed: an error of TLS that is not just the end of the connection."""
    ended = ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError
    return any(isinstance(cause, ssl.SSLError) and not isinstance(cause, ended) for cause in causes)


def _innermost(causes: tuple[BaseException, ...]) -> list[str]:
    last = causes[-1]
    return [str(last) or type(last).__name__]


@dataclass(frozen=True)
class _Meaning:
    what: str
    do: str


_MEANINGS: Mapping[int, _Meaning] = {
    401: _Meaning("requires a login", "check the address: packages are public and need no login"),
    403: _Meaning(
        "denies access",
        "check that the version exists (storage answers 403 for a missing file), and that no proxy or firewall blocks "
        "the address",
    ),
    404: _Meaning("does not have it", "check the version and the base address in the definition"),
    407: _Meaning("is behind a proxy that requires credentials", "set HTTPS_PROXY with a user and password"),
    410: _Meaning("does not have it any more", "choose a version that is still published"),
    416: _Meaning("rejects a range that was not requested", CONTINUE),
    429: _Meaning("limits the rate: too many requests", CONTINUE),
    451: _Meaning("withholds it for legal reasons", "ask its operator"),
}
_TRANSIENT = frozenset({408, 425, 429})
_ABSENT = frozenset({404, 410})


def from_status(status: int, headers: Mapping[str, str], url: str, label: str) -> UpstreamError | TransientError:
    """The error to raise for a response with ``status``, which is neither success nor redirect.

    Args:
        status: the HTTP status.
        headers: of the response; ``Retry-After`` is read.
        url: that was requested, shown without query and credentials.
        label: what a person calls the file.
    """
    if status in _MEANINGS:
        meaning = _MEANINGS[status]
    elif status >= 500:
        meaning = _Meaning("reports an internal error", CONTINUE)
    else:
        meaning = _Meaning("sent an unexpected response", _CHECK_NETWORK)
    host = urlsplit(url).netloc.rpartition("@")[2]
    kind = NotThereError if status in _ABSENT else UpstreamError
    error = kind(
        f"{label}: {host} {meaning.what} (HTTP {status})", details=[f"requested: {redact_url(url)}"], do=meaning.do
    )
    if status in _TRANSIENT or status >= 500:
        return TransientError(error, after=retry_after(headers))
    return error
