"""Runs one resumable download: attempts that each continue where the last one stopped.

1. Hash the partial file; if it is already the expected file, skip the network.
2. Request the missing bytes if the server sent a strong validator (RFC 9110, 13.1.5), otherwise the whole file.
3. Accept a 206 only if it continues the partial file; start over on 200, 416 or a changed file.
4. Write and hash each chunk as it arrives, within the limits.
5. After a transient error wait, then go to 2, as long as there is progress or the retry budget lasts.
6. Verify the expected size and digest; only then does the file get its name in the store.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from bundler.errors import UpstreamError, VerificationError
from bundler.fetch import disk, failures, ranges, retry
from bundler.fetch.download_progress import DownloadProgress
from bundler.fetch.network import Network
from bundler.fetch.partial import Origin, Partial
from bundler.fetch.request import ASKED_AGAIN, Download, Request
from bundler.fetch.request_info import redact_url
from bundler.fetch.retry import RetryBudget, TransientError
from bundler.fetch.store import Store
from bundler.fetch.transport import Response, Transport

_LOG = logging.getLogger(__name__)

_STALE_BEGINNINGS = 1
"""Useless partial files of one download before it stops requesting ranges."""


_NO_CACHE = {"Cache-Control": "no-cache", "Pragma": "no-cache"}
"""RFC 9111, 5.2.1.4 and 5.4: the second is for caches of HTTP/1.0."""
_SUSPICION = "try again later or from another network; if it persists, the upstream or a proxy in between is at fault"


@dataclass(frozen=True)
class DownloadContext:
    """What a download needs besides its request."""

    store: Store
    transport: Transport
    network: Network
    progress: DownloadProgress
    go_on: Callable[[], None]
    """Raises when the download is cancelled."""
    sleep: Callable[[float], object]
    random: Callable[[], float]


class StalePartial(Exception):
    """The partial file cannot be continued."""


class ResumableDownload:
    """One download. The caller holds its lock."""

    def __init__(self, request: Request, context: DownloadContext) -> None:
        self._request, self._context = request, context
        self._stale = 0
        self._budget = RetryBudget(context.network.retries)
        self._pieced = False
        """Whether the bytes come from more than one response: a wrong digest then may come from combining them."""
        self._html = False
        self._past_caches = request.past_caches

    def run(self) -> Download:
        """Download the whole file. Raises UpstreamError, WriteError, VerificationError."""
        with self._context.store.open_partial(self._request.url) as partial:
            self._pieced = partial.offset > 0
            # Killed between the last byte and the rename: only an expected digest can tell that the file is complete.
            if partial.offset > 0 and partial.sha256 == self._request.sha256:
                return self._kept(partial, ())
            redirects = None
            while redirects is None:
                redirects = self._try(partial)
            return self._kept(partial, redirects)

    def _try(self, partial: Partial) -> tuple[str, ...] | None:
        """Make one attempt; its redirects if the file is complete, None if another attempt must follow."""
        try:
            redirects = self._attempt(partial)
            self._require_promises(partial)
        except TransientError as transient:
            self._pause(transient, partial)
        except StalePartial as reason:
            self._start_over(partial, str(reason))
        except VerificationError as refused:
            self._ask_past_caches(refused, partial)
        else:
            return redirects
        return None

    def _kept(self, partial: Partial, redirects: tuple[str, ...]) -> Download:
        size = partial.offset
        sha256 = self._context.store.commit(partial)
        _LOG.debug("%s: stored %d bytes, SHA-256 %s", self._request.label, size, sha256)
        return Download(self._context.store.path(sha256), sha256, size, self._request.url, redirects)

    def _attempt(self, partial: Partial) -> tuple[str, ...]:
        self._context.go_on()
        offset = self._continue_from(partial)
        headers = (
            {"Range": f"bytes={offset}-", "If-Range": partial.origin.validator} if partial.origin and offset else {}
        )
        if self._past_caches:
            headers |= _NO_CACHE
        with self._context.transport.get(self._request.url, self._request.hosts, headers) as answer:
            for address in answer.redirects:
                self._context.progress.note(f"redirected to {redact_url(address)}")
            total = self._accept(answer, partial, offset)
            self._receive(answer, partial, total)
        return answer.redirects

    def _continue_from(self, partial: Partial) -> int:
        """The first byte to request; a partial file that cannot be continued is dropped."""
        origin, offset = partial.origin, partial.offset
        if not offset:
            return 0
        beyond = origin is not None and origin.size is not None and offset >= origin.size
        if origin is None or not origin.validator or beyond or self._stale > _STALE_BEGINNINGS:
            partial.discard()
            return 0
        return offset

    def _accept(self, answer: Response, partial: Partial, offset: int) -> int | None:
        """Decide how the response continues the download; bytes of the whole file, where known."""
        if offset and answer.status == 206:
            return self._go_on_with(answer, partial, offset)
        if offset and answer.status == 416:
            raise StalePartial("the server no longer has the rest of this file")
        if answer.status != 200:
            raise failures.from_status(answer.status, answer.headers, answer.url, self._request.label)
        if offset:
            self._context.progress.note("starting over: the file changed on the server, or it does not support ranges")
        return self._begin_with(answer, partial)

    def _go_on_with(self, answer: Response, partial: Partial, offset: int) -> int | None:
        origin = partial.origin
        if origin is None or answer.url != origin.served_by:
            raise StalePartial("another address serves the file now")
        if not ranges.continues(answer.headers, offset=offset, validator=origin.validator, size=origin.size):
            raise StalePartial("the server's response does not continue the partial file")
        self._require_plain(answer.headers)
        total = origin.size if origin.size is not None else ranges.whole_size(answer.headers)
        self._pieced = True
        self._context.progress.begin(total, offset)
        self._context.progress.note(f"continued after {offset} bytes")
        return total

    def _begin_with(self, answer: Response, partial: Partial) -> int | None:
        self._require_plain(answer.headers)
        self._html = _is_html(answer)
        total = ranges.content_length(answer.headers)
        self._require_sizes(total)
        disk.require(
            self._context.store.root,
            total or self._request.size or 0,
            self._request.label,
            elsewhere=disk.ANOTHER_STORE,
        )
        partial.begin(
            Origin(
                url=self._request.url,
                served_by=answer.url,
                validator=ranges.validator(answer.headers),
                etag=answer.headers.get("ETag", ""),
                last_modified=answer.headers.get("Last-Modified", ""),
                size=total,
            )
        )
        self._pieced = False
        self._context.progress.begin(total if total is not None else self._request.size, 0)
        if self._html:
            self._context.progress.note(
                "the response is an HTML page; a proxy or portal may answer instead of the upstream"
            )
        return total if total is not None else self._request.size

    def _receive(self, answer: Response, partial: Partial, total: int | None) -> None:
        for chunk in answer.chunks:
            self._context.go_on()
            held = partial.offset + len(chunk)
            if self._request.size is not None and held > self._request.size:
                partial.discard()
                raise self._wrong_size(f"more than {held}")
            if held > self._request.max_size:
                partial.discard()
                raise self._too_large(held)
            partial.append(chunk)
            self._context.progress.advance(len(chunk))
        if total is not None and partial.offset < total:
            what = f"{self._request.label}: the response ended after {partial.offset} of {total} bytes"
            raise TransientError(UpstreamError(what, do=failures.CONTINUE))

    def _require_sizes(self, total: int | None) -> None:
        """Apply the limits to ``Content-Length``, before the first byte arrives."""
        if total is None:
            return
        if self._request.size is not None and total != self._request.size:
            raise self._wrong_size(str(total))
        if total > self._request.max_size:
            raise self._too_large(total)

    def _require_plain(self, headers: Mapping[str, str]) -> None:
        """Refuse a content encoding: the bytes that arrive must be the file itself.

        Exception: Apache's ``AddEncoding`` labels a ``.gz`` file as gzip-encoded although it sends the file as it is.
        """
        encoding = headers.get("Content-Encoding", "identity").strip().lower()
        compressed_file = urlsplit(self._request.url).path.endswith(".gz")
        if encoding in ("", "identity") or (encoding in ("gzip", "x-gzip") and compressed_file):
            return
        raise UpstreamError(
            f"{self._request.label}: the response is encoded as {encoding}, but identity was requested",
            do="check the proxy or mirror in between: it must not change what it passes on",
        )

    def _require_promises(self, partial: Partial) -> None:
        """Verify the size and digest that signed metadata gives."""
        size, sha256 = self._request.size, self._request.sha256
        wrong_size = size is not None and partial.offset != size
        if not wrong_size and sha256 in (None, partial.sha256):
            return
        found, found_size, pieced = partial.sha256, partial.offset, self._pieced
        partial.discard()
        if pieced:
            raise StalePartial("the file combined from several responses has the wrong digest")
        if wrong_size:
            raise self._wrong_size(str(found_size))
        raise VerificationError(
            f"{self._request.label}: the digest does not match",
            reason="digest-mismatch",
            details=[f"expected: {sha256}", f"received: {found}", *self._where()],
            do=_SUSPICION,
        )

    def _wrong_size(self, found: str) -> VerificationError:
        return VerificationError(
            f"{self._request.label}: received {found} bytes, expected {self._request.size}",
            reason="size-mismatch",
            details=self._where(),
            do=_SUSPICION,
        )

    def _too_large(self, found: int) -> UpstreamError:
        return UpstreamError(
            f"{self._request.label}: {found} bytes or more; at most {self._request.max_size} are allowed",
            details=self._where(),
            do=_SUSPICION,
        )

    def _where(self) -> list[str]:
        page = ["the response is an HTML page: a proxy, portal or login page answered"] if self._html else []
        return [f"address:  {redact_url(self._request.url)}", *page]

    def _start_over(self, partial: Partial, reason: str) -> None:
        self._stale += 1
        if self._stale > self._context.network.retries:
            raise UpstreamError(f"{self._request.label}: {reason}, after {self._stale} attempts", do=failures.CONTINUE)
        _LOG.info("%s: %s; starting over", self._request.label, reason)
        self._context.progress.note(f"{reason}; starting over")
        partial.discard()

    def _ask_past_caches(self, refused: VerificationError, partial: Partial) -> None:
        """Try once more where the bytes are not the promised ones: a cache in between may serve an older file."""
        if self._past_caches:
            details = (*refused.details, ASKED_AGAIN)
            raise VerificationError(refused.what, reason=refused.reason, details=details, do=refused.do) from refused
        self._past_caches = True
        _LOG.info("%s; asking again past caches", refused.what)
        self._context.progress.note(f"{refused.what}; asking again past caches (no-cache)")
        partial.discard()

    def _pause(self, transient: TransientError, partial: Partial) -> None:
        self._context.go_on()
        network = self._context.network
        if not self._budget.record_failure(partial.offset, transient.retries):
            kept = [f"{partial.offset} bytes are kept for the next run"] if partial.offset else []
            attempts = f"gave up after {self._budget.failures} attempts without progress"
            raise _with(transient.error, attempts, *kept) from transient
        failed, allowed = self._budget.failures, min(network.retries, transient.retries or network.retries)
        own = retry.backoff(failed, base=network.backoff, limit=network.backoff_limit, random=self._context.random)
        seconds = max(own, transient.after or 0.0)
        if transient.after is not None and transient.after > network.retry_after_limit:
            asked = f"the server asks to retry in {transient.after:.0f} s"
            raise _with(transient.error, asked, do="run the same command again after that time") from transient
        self._context.progress.note(f"{transient.error.what}; retrying in {seconds:.1f} s ({failed} of {allowed})")
        _LOG.info("%s: %s; retrying in %.1f s", self._request.label, transient.error.what, seconds)
        self._context.sleep(seconds)


def _with(error: UpstreamError, *details: str, do: str = "") -> UpstreamError:
    """The same error with more details, and other advice if given."""
    return UpstreamError(error.what, details=(*error.details, *details), do=do or error.do)


def _is_html(answer: Response) -> bool:
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") and not urlsplit(answer.url).path.endswith((".html", ".htm"))
