"""One HTTP GET: HTTPS only, redirects followed and checked here, the body in chunks as they arrive."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.utils import requote_uri
from typing_extensions import Self

import bundler
from bundler.errors import UpstreamError
from bundler.fetch import bounded, failures, presented, proxies
from bundler.fetch.connections import Adapter, Connections
from bundler.fetch.contexts import Contexts
from bundler.fetch.network import Network
from bundler.fetch.partial import CHUNK
from bundler.fetch.request_info import RequestInfo, authority, redact_url
from bundler.fetch.stall_timer import StallTimer

_LOG = logging.getLogger(__name__)

MAX_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass
class Response:
    """A response before its body was read; a context manager that ends the connection."""

    url: str
    redirects: tuple[str, ...]
    status: int
    headers: Mapping[str, str]
    """Names are case-insensitive."""
    chunks: Iterator[bytes] = field(repr=False)
    """The body as it arrives, at most 1 MiB at a time. Raises TransientError."""
    _close: Callable[[], None] = field(repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


class Transport:
    """Connections to the upstream, kept alive between requests; safe for several threads."""

    def __init__(self, network: Network, clock: Callable[[], float]) -> None:
        """``clock``: seconds that never go back."""
        self._network = network
        self._clock = clock
        self._serials = presented.Serials(network.warn)
        self._connections = Connections(bounded.response_class(network.stall_timeout, clock), self._serials.look)
        self._contexts = Contexts(network)
        self._made: dict[int, requests.Session] = {}
        """By the identity of the context that verifies its hosts."""
        self._making = threading.Lock()
        self._proved: set[str] = set()
        """The proxies that led to a host."""

    def get(self, url: str, hosts: tuple[str, ...], headers: Mapping[str, str]) -> Response:
        """Request ``url`` and follow redirects, which must end at the host of ``url`` or at one of ``hosts``.

        Raises:
            UpstreamError: a failure that another attempt would meet again.
            TransientError: a failure that another attempt may not meet.
        """
        hops = [require_https(url)]
        while True:
            answer = self._hop(tuple(hops), headers)
            if answer.status not in _REDIRECTS:
                break
            with answer:
                hops.append(_next(hops, answer.headers.get("Location", "")))
        try:
            _require_host(hops, hosts)
        except UpstreamError:
            answer._close()
            raise
        return answer

    def _hop(self, hops: tuple[str, ...], headers: Mapping[str, str]) -> Response:
        url, network = hops[-1], self._network
        session, context = self._session(urlsplit(url).hostname or "")
        proxy = proxies.choose(url, proxy=network.proxy, environment=network.environment)
        request = RequestInfo(
            url,
            proxy,
            network.connect_timeout,
            network.stall_timeout,
            proxy_proved=proxy in self._proved,
            context=context,
            vendors=self._contexts.vendors,
        )
        try:
            response = session.get(
                url,
                headers=dict(headers),
                stream=True,
                allow_redirects=False,
                timeout=(network.connect_timeout, network.stall_timeout),
                proxies={"https": proxy} if proxy else {},
            )
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
            raise failures.from_exception(error, request) from error
        if proxy:
            self._proved.add(proxy)
        _LOG.debug("GET %s: %s, proxy: %s", redact_url(url), response.status_code, "yes" if proxy else "no")
        chunks = self._chunks(response.raw, request)
        return Response(url, hops[1:], response.status_code, response.headers, chunks, response.close)

    def _chunks(self, raw: Any, request: RequestInfo) -> Iterator[bytes]:
        timer = StallTimer(self._clock, request, self._network.min_rate)
        # The response below those of requests and urllib3, which requests, too, reads by this name.
        guard: bounded.Guard = raw._original_response.guard
        while True:
            guard.allow("body", request.stall_timeout, CHUNK + bounded.AROUND_PIECE)
            try:
                chunk = raw.read1(CHUNK, decode_content=False)
            except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
                raise failures.from_exception(error, request) from error
            if not chunk:
                return
            yield chunk
            timer.touch(len(chunk))

    def _session(self, host: str) -> tuple[requests.Session, ssl.SSLContext]:
        """The session for ``host``, and its TLS context.

        Made at the first request: loading the public CAs takes longer than a build from the store.
        """
        with self._making:
            context = self._contexts.of(host)
            if id(context) not in self._made:
                adapter = Adapter(context, self._contexts.ordinary(), self._connections)
                self._made[id(context)] = _session(adapter)
            return self._made[id(context)], context

    def abort(self) -> None:
        """Abort every connection, from any thread, so that no thread waits for a silent server.

        A reader on one of them gets TransientError: a cancelled download ends with it, any other continues.
        """
        self._connections.abort()

    def close(self) -> None:
        """Close the connections that were kept alive."""
        for session in self._made.values():
            session.close()


def require_https(url: str) -> str:
    """``url`` in the form that is sent. Raises UpstreamError for another scheme, credentials, or an invalid address."""
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise UpstreamError(f"{url[:200]!r} is not a valid address") from None
    if parts.scheme != "https" or not sound:
        raise UpstreamError(
            f"{redact_url(url)} is not https",
            do="give an https address; for plain-text mirrors, copy the files and use them as files",
        )
    if "@" in parts.netloc:
        raise UpstreamError(f"the address {redact_url(url)} holds credentials, which would end up in locks and logs")
    return str(requote_uri(url.partition("#")[0]))


def _next(hops: list[str], location: str) -> str:
    """The address that the last of ``hops`` redirects to."""
    here = redact_url(hops[-1])
    if not location:
        raise UpstreamError(f"{here} redirects without an address")
    if len(hops) > MAX_REDIRECTS:
        raise UpstreamError(f"{redact_url(hops[0])} redirects more than {MAX_REDIRECTS} times", details=_steps(hops))
    try:
        # Header fields arrive as Latin-1; non-ASCII bytes in them are UTF-8 (as requests reads them).
        there = urljoin(hops[-1], location.encode("latin-1").decode("utf-8"))
        parts = urlsplit(there)
    except (UnicodeError, ValueError):
        raise UpstreamError(f"{here} redirects to an invalid address") from None
    if parts.scheme != "https":
        raise UpstreamError(
            f"{here} redirects to {redact_url(there)}, which is not https",
            details=_steps(hops),
            do="open the address in a browser on this host: a portal or proxy may answer instead of the upstream",
        )
    there = require_https(there)
    if there in hops:
        raise UpstreamError(
            f"{redact_url(hops[0])} redirects in a circle",
            details=_steps([*hops, there]),
            do="open the address in a browser on this host: a portal or proxy may require to sign in first",
        )
    return there


def _require_host(hops: list[str], hosts: tuple[str, ...]) -> None:
    allowed = {authority(hops[0]), *(authority(f"https://{host}") for host in hosts)}
    if authority(hops[-1]) not in allowed:
        raise UpstreamError(
            f"{redact_url(hops[0])} redirects to {urlsplit(hops[-1]).netloc}, which is not an allowed host",
            details=[*_steps(hops), f"allowed: {', '.join(sorted(allowed))}"],
            do="add this host to the definition if it is right; otherwise a portal or proxy answers for the upstream",
        )


def _steps(hops: list[str]) -> list[str]:
    return [f"redirect {number}: {redact_url(url)}" for number, url in enumerate(hops[1:], start=1)]


class _Session(requests.Session):
    """A session that follows no redirect, not even to prepare the next request: that would read the whole body."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: redirects are followed by :class:`Transport`, from the header field alone."""
        return None


def _session(adapter: Adapter) -> requests.Session:
    session = _Session()
    session.trust_env = False  # the environment is passed in: no .netrc, no proxy variables of the process
    session.headers.clear()
    session.headers.update(
        {"User-Agent": f"arc-bundler/{bundler.__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
    )
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", adapter)
    return session
