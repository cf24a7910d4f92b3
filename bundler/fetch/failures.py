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

from bundler.errors import UpstreamError
from bundler.fetch.bounded import TooMuchError, TooSlowError
from bundler.fetch.retry import TransientError, retry_after

CONTINUE = "run the same command again later: it continues where it stopped"
_START_LOCAL = "start the server on this computer; for a lab, run `arc-bundler lab --dir DIR`"
_CHECK_NETWORK = "check the network, the firewall and the proxy (--proxy, HTTPS_PROXY) of this computer"

# X509_V_ERR_* of OpenSSL's x509_vfy.h, as in ssl.SSLCertVerificationError.verify_code.
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN = frozenset({2, 18, 19, 20, 21, 27})
_OTHER_HOST = frozenset({62, 63, 64})
_ADVICE_UNKNOWN = (
    "if your company inspects TLS or the mirror uses a private CA, give the CA certificate with --ca FILE; otherwise "
    "do not continue from this network"
)


@dataclass(frozen=True)
class RequestInfo:
    """The request that failed."""

    url: str
    proxy: str | None
    connect_timeout: float
    """Seconds."""
    stall_timeout: float
    """Seconds."""

    @property
    def host(self) -> str:
        """The host, with its port where one is written."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


def redact_url(url: str) -> str:
    """``url`` as it may be redact_url and logged: without credentials and query, which can hold a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def from_exception(error: Exception, request: RequestInfo) -> UpstreamError | TransientError:
    """The error to raise for ``error``, which requests, urllib3, ssl or the system raised."""
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, TooMuchError | TooSlowError):
            return _beyond_bounds(cause, request)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause, request)
    if any(isinstance(cause, requests.exceptions.ProxyError | urllib3.exceptions.ProxyError) for cause in causes):
        return _proxy(causes, request)
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


def _certificate(cause: ssl.SSLCertVerificationError, request: RequestInfo) -> UpstreamError:
    host, code = request.host, cause.verify_code
    if code == _EXPIRED:
        what, do = (
            f"the certificate of {host} has expired",
            "check this computer's clock; if it is right, tell the operator of that host",
        )
    elif code == _NOT_YET_VALID:
        what, do = f"the certificate of {host} is not valid yet", "check this computer's clock"
    elif code in _OTHER_HOST or "mismatch" in str(cause).lower():
        what = f"the certificate presented for {host} belongs to another host"
        do = "check what this name resolves to from here: a portal, a proxy or a wrong DNS record is in between"
    elif code in _UNKNOWN:
        what, do = f"the certificate of {host} was issued by a CA that is not trusted here", _ADVICE_UNKNOWN
    else:
        what, do = f"the certificate of {host} cannot be verified", _ADVICE_UNKNOWN
    return UpstreamError(what, details=[cause.verify_message or str(cause)], do=do)


def _proxy(causes: tuple[BaseException, ...], request: RequestInfo) -> UpstreamError | TransientError:
    proxy = redact_url(request.proxy or "").rstrip("/")
    text = " ".join(str(cause) for cause in causes)
    if "407" in text:
        return UpstreamError(
            f"the proxy {proxy} requires credentials for {request.host}",
            do="set HTTPS_PROXY with a user and password that it accepts (http://USER:PASSWORD@HOST:PORT), or have its "
            "operator exempt this computer",
        )
    refused = UpstreamError(
        f"the proxy {proxy} does not connect to {request.host}",
        details=_innermost(causes),
        do="check the proxy's address (--proxy, HTTPS_PROXY), and have it allow that host",
    )
    final = any(f"failed: {status}" in text for status in (400, 401, 403, 404, 405))
    return refused if final else TransientError(refused)


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
    error = UpstreamError(
        f"{label}: {host} {meaning.what} (HTTP {status})", details=[f"requested: {redact_url(url)}"], do=meaning.do
    )
    if status in _TRANSIENT or status >= 500:
        return TransientError(error, after=retry_after(headers))
    return error
