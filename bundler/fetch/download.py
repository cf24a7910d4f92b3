"""Downloads requested files into the store: several in parallel, each address once."""

from __future__ import annotations

import random as chance
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from typing_extensions import Self

from bundler.errors import UpstreamError, VerificationError
from bundler.fetch import disk
from bundler.fetch.download_progress import DownloadProgress
from bundler.fetch.network import Network, require_usable
from bundler.fetch.request import Download, Fetch, Request
from bundler.fetch.store import Store
from bundler.model.progress import Progress

if TYPE_CHECKING:
    from bundler.fetch.transport import Transport

_LOOK_AGAIN = 0.2
"""Seconds between wake-ups of a waiting main thread: on Windows only these let Ctrl-C through."""


_Done = TypeVar("_Done")

Recover = Callable[[Request, UpstreamError | VerificationError, Fetch], Download]


class Cancelled(Exception):
    """This download stops because another one failed, or because the user interrupted it."""


class Downloader:
    """Downloads into one store over one network; safe for several threads."""

    def __init__(
        self,
        store: Store,
        network: Network,
        progress: Progress,
        *,
        offline: bool = False,
        threads: int = 4,
        sleep: Callable[[float], None] | None = None,
        random: Callable[[], float] = chance.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open nothing yet: connections are made at the first request.

        Args:
            store: where files are looked up and kept.
            network: proxy, authorities, timeouts and retries.
            progress: receives one task for each download.
            offline: use the store and never the network.
            threads: downloads at a time.
            sleep: waits that many seconds before a retry; without it a wait ends when the download is cancelled.
            random: a number from 0 up to 1, for the jitter of the back-off.
            clock: seconds that never go back, for stalls.

        Raises:
            UsageError: the CA file cannot be read.
        """
        self._store, self._network, self._progress = store, network, progress
        self.offline, self._threads = offline, threads
        self._sleep, self._random = sleep, random
        require_usable(network)
        self._clock = clock
        self._made: Transport | None = None
        self._making = threading.Lock()

    def fetch(self, request: Request) -> Download:
        """Download one file into the store, or find it there.

        Raises:
            UpstreamError: the server or the network failed, or ``offline`` and the store does not have it.
            WriteError: the store cannot be written.
            VerificationError: ``digest-mismatch`` or ``size-mismatch``.
        """
        return self._fetch(request, threading.Event())

    def fetch_all(self, requests: Sequence[Request], recover: Recover | None = None) -> tuple[Download, ...]:
        """Download several files in parallel; results in the order of ``requests``.

        The first failure cancels the others and is raised; partial files are kept and resumed by the next run.
        ``recover`` gets each failure with its request, and returns another download, or raises.
        """
        wanted = tuple(dict.fromkeys(requests))
        missing = [each for each in wanted if not (each.sha256 and self._store.holds(each.sha256))]
        if missing and not self.offline:
            disk.require(
                self._store.root,
                sum(each.size or 0 for each in missing),
                f"{len(missing)} downloads",
                elsewhere=disk.ANOTHER_STORE,
            )
        came = dict(
            zip(wanted, self.together([partial(fetch_or_recover, request, recover) for request in wanted]), strict=True)
        )
        return tuple(came[request] for request in requests)

    def unavailable(self, requests: Iterable[Request]) -> tuple[Request, ...]:
        """The requests that cannot be answered: with ``offline`` those that are neither local nor in the store."""
        if not self.offline:
            return ()
        return tuple(
            each
            for each in requests
            if urlsplit(each.url).scheme != "file" and not (each.sha256 and self._store.holds(each.sha256, each.size))
        )

    def together(self, works: Sequence[Callable[[Fetch], _Done]]) -> tuple[_Done, ...]:
        """Run several tasks that download, in parallel; results in the order of ``works``.

        Each task gets the function to download with. The first failure, or an interruption, cancels the others'
        downloads and is raised.
        """
        called_off = threading.Event()
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="fetch")
        active: set[object] = set()
        futures: list[Future[_Done]] = []
        try:
            fetch = partial(self._fetch, called_off=called_off)
            futures += [pool.submit(_noted, active, work, fetch) for work in works]
            _wait(futures)
        finally:
            called_off.set()
            self._stop(pool, active)
        failures = [error for future in futures if not future.cancelled() and (error := future.exception())]
        if failures:  # the failure that cancelled the others, not one of the cancellations
            raise min(failures, key=lambda error: isinstance(error, Cancelled))
        return tuple(future.result() for future in futures)

    def _stop(self, pool: ThreadPoolExecutor, active: Collection[object]) -> None:
        """End the pool, and abort connections until no task is ``active``.

        Neither futures nor threads tell that: an interruption can come while a thread is being started, which then
        runs although neither the pool nor ``futures`` lists it.
        """
        pool.shutdown(wait=False, cancel_futures=True)
        # Repeatedly: a thread that was connecting at the first abort is only now waiting for a response.
        while active:
            if self._made:
                self._made.abort()
            time.sleep(_LOOK_AGAIN / 4)

    def _fetch(self, request: Request, called_off: threading.Event) -> Download:
        held = self._held(request)
        if held:
            return held
        if urlsplit(request.url).scheme == "file":
            return self._adopt(request)
        if self.offline:
            known = f"sha256: {request.sha256}" if request.sha256 else "its digest is not known: there is no lock yet"
            raise UpstreamError(
                f"{request.label} is not in the store, and --offline does not allow a download",
                details=[f"address: {request.url}", known],
                do="run the same command without --offline once",
            )
        with DownloadProgress(self._progress, request.label, request.size) as telling:
            return self._bring(request, called_off, telling)

    def _bring(self, request: Request, called_off: threading.Event, telling: DownloadProgress) -> Download:
        def go_on() -> None:
            if called_off.is_set():
                raise Cancelled

        from bundler.fetch.resumable import DownloadContext, ResumableDownload

        context = DownloadContext(
            self._store, self._transport(), self._network, telling, go_on, self._sleep or called_off.wait, self._random
        )
        with self._store.exclusive(request.url, waiting=telling, go_on=go_on):
            # The process that had the lock before may have downloaded this very file.
            return self._held(request) or ResumableDownload(request, context).run()

    def _transport(self) -> Transport:
        """The transport, made at the first request: most builds find everything in the store."""
        from bundler.fetch.transport import Transport

        with self._making:
            if self._made is None:
                self._made = Transport(self._network, self._clock)
            return self._made

    def _held(self, request: Request) -> Download | None:
        sha256 = request.sha256
        if sha256 is None or not self._store.check(sha256, self._progress):
            return None
        path = self._store.path(sha256)
        return Download(path, sha256, path.stat().st_size, request.url)

    def _adopt(self, request: Request) -> Download:
        received = self._store.import_file(file_of(request.url), self._progress, max_size=request.max_size)
        if request.sha256 not in (None, received.sha256):
            raise VerificationError(
                f"{request.label}: the file differs from the one that was locked",
                reason="digest-mismatch",
                details=[f"expected: {request.sha256}", f"found:    {received.sha256}", f"file:     {request.url}"],
                do="find out who changed it; if the change is intended, run `arc-bundler lock --upgrade`",
            )
        return Download(received.path, received.sha256, received.size, request.url)

    def close(self) -> None:
        """Close the connections that were kept alive."""
        if self._made:
            self._made.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def file_of(url: str) -> Path:
    """The path of a ``file:`` address (RFC 8089; a host is a Windows share)."""
    parts = urlsplit(url)
    path = url2pathname(parts.path)
    return Path(f"//{parts.netloc}{path}") if parts.netloc not in ("", "localhost") else Path(path)


def _noted(active: set[object], work: Callable[[Fetch], _Done], fetch: Fetch) -> _Done:
    """Run ``work``, counted in ``active`` while it lasts."""
    mark = object()
    active.add(mark)
    try:
        return work(fetch)
    finally:
        active.discard(mark)


def fetch_or_recover(request: Request, recover: Recover | None, fetch: Fetch) -> Download:
    """Fetch ``request``; where that fails, what ``recover`` makes of it."""
    try:
        return fetch(request)
    except (UpstreamError, VerificationError) as error:
        if recover is None:
            raise
        return recover(request, error, fetch)


def _wait(futures: Sequence[Future[_Done]]) -> None:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=_LOOK_AGAIN, return_when=FIRST_EXCEPTION)
        if any(future.exception() for future in done):
            return
