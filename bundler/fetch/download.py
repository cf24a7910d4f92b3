"""How does what was asked for get into the store? In parallel, one at a time for each address, or not at all."""

from __future__ import annotations

import random as chance
import threading
import time
from collections.abc import Callable, Collection, Sequence
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
"""Seconds after which a waiting main thread looks up: on Windows nothing else lets Ctrl-C through."""


_Done = TypeVar("_Done")


class Cancelled(Exception):
    """This download stops because another one failed, or because somebody said so."""


class Downloader:
    """Fetches into one store over one network; safe for several threads."""

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
        """``sleep`` and ``random`` (0 up to 1) serve the back-off, ``clock`` (seconds, never going back) the stalls.

        Without ``sleep``, a wait ends as soon as the download is called off. Raises UsageError for a CA file that is
        none.
        """
        self._store, self._network, self._progress = store, network, progress
        self._offline, self._threads = offline, threads
        self._sleep, self._random = sleep, random
        require_usable(network)
        self._clock = clock
        self._made: Transport | None = None
        self._making = threading.Lock()

    def fetch(self, request: Request) -> Download:
        """Bring one file into the store, or find it there.

        Raises UpstreamError, WriteError, or VerificationError (``digest-mismatch``, ``size-mismatch``).
        """
        return self._fetch(request, threading.Event())

    def fetch_all(self, requests: Sequence[Request]) -> tuple[Download, ...]:
        """Bring several files, some at a time; the results in the order of ``requests``.

        The first failure calls the others off and is raised; what they have stays for the next time.
        """
        wanted = tuple(dict.fromkeys(requests))
        self._require_space(wanted)
        came = dict(zip(wanted, self.together([partial(_one, request) for request in wanted]), strict=True))
        return tuple(came[request] for request in requests)

    def together(self, works: Sequence[Callable[[Fetch], _Done]]) -> tuple[_Done, ...]:
        """Do several works that fetch, some at a time; their results in the order of ``works``.

        Each is given what it fetches with. The first failure, or an interruption, calls the others off within their
        fetches, and is raised.
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
        _raise_first(futures)
        return tuple(future.result() for future in futures)

    def _stop(self, pool: ThreadPoolExecutor, active: Collection[object]) -> None:
        """End the pool, and cut whoever waits for an upstream.

        ``active`` counts, neither futures nor threads: an interruption can come while a thread is started, which then
        works though neither the pool nor we have noted it.
        """
        pool.shutdown(wait=False, cancel_futures=True)
        # Again and again: who was just connecting is only now waiting for an answer.
        while active:
            if self._made:
                self._made.abort()
            time.sleep(_LOOK_AGAIN / 4)

    def _require_space(self, requests: Sequence[Request]) -> None:
        missing = [each for each in requests if not (each.sha256 and self._store.holds(each.sha256))]
        if missing and not self._offline:
            disk.require(self._store.root, sum(each.size or 0 for each in missing), f"{len(missing)} downloads")

    def _fetch(self, request: Request, called_off: threading.Event) -> Download:
        held = self._held(request)
        if held:
            return held
        if urlsplit(request.url).scheme == "file":
            return self._adopt(request)
        if self._offline:
            raise _not_at_hand(request)
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
            # Whoever had the lock before may have brought just this.
            return self._held(request) or ResumableDownload(request, context).run()

    def _transport(self) -> Transport:
        """Made when something is asked of the network, and not before: most builds find everything in the store."""
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
                f"{request.label}: the file is not the one that was expected",
                reason="digest-mismatch",
                details=[f"expected: {request.sha256}", f"found:    {received.sha256}", f"file:     {request.url}"],
                do="look who changed it; if the change is meant, take the lock anew with `arc-bundler lock`",
            )
        return Download(received.path, received.sha256, received.size, request.url)

    def close(self) -> None:
        """End the kept connections."""
        if self._made:
            self._made.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def file_of(url: str) -> Path:
    """The path that a ``file:`` address names (RFC 8089; a host is a Windows share)."""
    parts = urlsplit(url)
    path = url2pathname(parts.path)
    return Path(f"//{parts.netloc}{path}") if parts.netloc not in ("", "localhost") else Path(path)


def _noted(active: set[object], work: Callable[[Fetch], _Done], fetch: Fetch) -> _Done:
    """Do ``work``, and be in ``active`` as long as that lasts."""
    mark = object()
    active.add(mark)
    try:
        return work(fetch)
    finally:
        active.discard(mark)


def _one(request: Request, fetch: Fetch) -> Download:
    return fetch(request)


def _not_at_hand(request: Request) -> UpstreamError:
    known = f"sha256: {request.sha256}" if request.sha256 else "no digest is known for it: nothing is locked yet"
    return UpstreamError(
        f"{request.label} is not in the store, and --offline asks no network",
        details=[f"address: {request.url}", known],
        do="run the same command once without --offline",
    )


def _wait(futures: Sequence[Future[_Done]]) -> None:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=_LOOK_AGAIN, return_when=FIRST_EXCEPTION)
        if any(future.exception() for future in done):
            return


def _raise_first(futures: Sequence[Future[_Done]]) -> None:
    """Raise the failure that called the others off, not one of those that were called off."""
    failures = [error for future in futures if not future.cancelled() and (error := future.exception())]
    for error in sorted(failures, key=lambda error: isinstance(error, Cancelled)):
        raise error
