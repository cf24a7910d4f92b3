"""How does one download come to its end? ResumableDownload that each go on where the one before stopped.

1. What is there of it is hashed; if that is already what was promised, nothing is asked.
2. Ask, from the first missing byte on where the server gave a strong validator (RFC 9110, 13.1.5), otherwise anew.
3. Believe a 206 only if it continues what was begun; begin anew on 200, 416 or a changed file.
4. Write and hash each chunk as it comes, within the bounds.
5. On transient that may pass, wait and go to 2, as long as it gets further or patience lasts.
6. Hold the whole to its promised size and digest, and only then give it its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from bundler.errors import UpstreamError, VerificationError
from bundler.fetch import disk, failures, ranges, retry
from bundler.fetch.download_progress import DownloadProgress
from bundler.fetch.network import Network
from bundler.fetch.partial import Origin, Partial
from bundler.fetch.request import Download, Request
from bundler.fetch.retry import RetryBudget, TransientError
from bundler.fetch.store import Store
from bundler.fetch.transport import Response, Transport

_STALE_BEGINNINGS = 1
"""How often a kept beginning may turn out to be useless before ranges are not tried any more."""


@dataclass(frozen=True)
class DownloadContext:
    """What a download works with."""

    store: Store
    transport: Transport
    network: Network
    progress: DownloadProgress
    go_on: Callable[[], None]
    """Raises when the download is called off."""
    sleep: Callable[[float], object]
    random: Callable[[], float]


class StalePartial(Exception):
    """What was kept of a download cannot be continued."""


class ResumableDownload:
    """One download; its lock must be held."""

    def __init__(self, request: Request, context: DownloadContext) -> None:
        self._request, self._context = request, context
        self._stale = 0
        self._budget = RetryBudget(context.network.retries)
        self._pieced = False
        """Whether the bytes come from more than one answer: then a wrong digest may be the joint's fault."""
        self._html = False

    def run(self) -> Download:
        """Bring the whole file. Raises UpstreamError, WriteError, VerificationError."""
        with self._context.store.open_partial(self._request.url) as partial:
            self._pieced = partial.offset > 0
            if self._already_there(partial):
                return self._kept(partial, ())
            redirects = None
            while redirects is None:
                redirects = self._try(partial)
            return self._kept(partial, redirects)

    def _try(self, partial: Partial) -> tuple[str, ...] | None:
        """One attempt; the redirects on its way when the whole is there, None when there is to be another one."""
        try:
            redirects = self._attempt(partial)
            self._require_promises(partial)
        except TransientError as transient:
            self._pause(transient, partial)
        except StalePartial as reason:
            self._start_over(partial, str(reason))
        else:
            return redirects
        return None

    def _already_there(self, partial: Partial) -> bool:
        """Killed between the last byte and the name: only a promised digest can tell without asking."""
        return partial.offset > 0 and partial.sha256 == self._request.sha256

    def _kept(self, partial: Partial, redirects: tuple[str, ...]) -> Download:
        size = partial.offset
        sha256 = self._context.store.commit(partial)
        return Download(self._context.store.path(sha256), sha256, size, self._request.url, redirects)

    def _attempt(self, partial: Partial) -> tuple[str, ...]:
        self._context.go_on()
        offset = self._continue_from(partial)
        headers = (
            {"Range": f"bytes={offset}-", "If-Range": partial.origin.validator} if partial.origin and offset else {}
        )
        with self._context.transport.get(self._request.url, self._request.hosts, headers) as answer:
            for address in answer.redirects:
                self._context.progress.note(f"redirected to {failures.redact_url(address)}")
            total = self._accept(answer, partial, offset)
            self._receive(answer, partial, total)
        return answer.redirects

    def _continue_from(self, partial: Partial) -> int:
        """The first byte to ask for; the kept beginning is dropped where it is of no use."""
        origin, offset = partial.origin, partial.offset
        if not offset:
            return 0
        beyond = origin is not None and origin.size is not None and offset >= origin.size
        if origin is None or not origin.validator or beyond or self._stale > _STALE_BEGINNINGS:
            partial.discard()
            return 0
        return offset

    def _accept(self, answer: Response, partial: Partial, offset: int) -> int | None:
        """Decide what this answer is; bytes of the whole, where anybody says so."""
        if offset and answer.status == 206:
            return self._go_on_with(answer, partial, offset)
        if offset and answer.status == 416:
            raise StalePartial("the server does not have the rest of what was begun")
        if answer.status != 200:
            raise failures.from_status(answer.status, answer.headers, answer.url, self._request.label)
        if offset:
            self._context.progress.note("the server begins anew: the file changed there, or it knows no ranges")
        return self._begin_with(answer, partial)

    def _go_on_with(self, answer: Response, partial: Partial, offset: int) -> int | None:
        origin = partial.origin
        if origin is None or answer.url != origin.served_by:
            raise StalePartial("another address answers now")
        if not ranges.continues(answer.headers, offset=offset, validator=origin.validator, size=origin.size):
            raise StalePartial("the server's answer does not continue what was begun")
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
        disk.require(self._context.store.root, total or self._request.size or 0, self._request.label)
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
                "the answer is an HTML page; a proxy or portal may answer instead of the upstream"
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
            what = f"{self._request.label}: the answer ended after {partial.offset} of {total} bytes"
            raise TransientError(UpstreamError(what, do=failures.CONTINUE))

    def _require_sizes(self, total: int | None) -> None:
        """Refuse by ``Content-Length``, before the first byte, what the bytes would be refused for."""
        if total is None:
            return
        if self._request.size is not None and total != self._request.size:
            raise self._wrong_size(str(total))
        if total > self._request.max_size:
            raise self._too_large(total)

    def _require_plain(self, headers: Mapping[str, str]) -> None:
        """Refuse an encoding that nobody asked for: what arrives must be the file itself.

        Apache's ``AddEncoding`` calls a ``.gz`` file gzip-encoded, though the file is meant as it is: that one is left.
        """
        encoding = headers.get("Content-Encoding", "identity").strip().lower()
        compressed_file = urlsplit(self._request.url).path.endswith(".gz")
        if encoding in ("", "identity") or (encoding in ("gzip", "x-gzip") and compressed_file):
            return
        raise UpstreamError(
            f"{self._request.label}: the answer is encoded as {encoding}, though the file itself was asked for",
            do="look at the proxy or mirror in between: it must not change what it passes on",
        )

    def _require_promises(self, partial: Partial) -> None:
        """Hold the whole to the size and digest that signed metadata promised."""
        size, sha256 = self._request.size, self._request.sha256
        wrong_size = size is not None and partial.offset != size
        if not wrong_size and sha256 in (None, partial.sha256):
            return
        found, found_size, pieced = partial.sha256, partial.offset, self._pieced
        partial.discard()
        if pieced:
            raise StalePartial("what was put together from several answers is not what was promised")
        if wrong_size:
            raise self._wrong_size(str(found_size))
        raise VerificationError(
            f"{self._request.label}: the bytes are not the ones that were promised",
            reason="digest-mismatch",
            details=[f"promised: {sha256}", f"received: {found}", *self._where()],
            do=self._suspicion(),
        )

    def _wrong_size(self, found: str) -> VerificationError:
        return VerificationError(
            f"{self._request.label}: {found} bytes came, {self._request.size} were promised",
            reason="size-mismatch",
            details=self._where(),
            do=self._suspicion(),
        )

    def _too_large(self, found: int) -> UpstreamError:
        return UpstreamError(
            f"{self._request.label}: {found} bytes or more, and {self._request.max_size} is the most it may be",
            details=self._where(),
            do=self._suspicion(),
        )

    def _where(self) -> list[str]:
        page = ["it is an HTML page: a proxy, portal or login answered instead of the upstream"] if self._html else []
        return [f"address:  {failures.redact_url(self._request.url)}", *page]

    def _suspicion(self) -> str:
        return "try again later or from another network; if it stays so, the upstream or what is in between is wrong"

    def _start_over(self, partial: Partial, reason: str) -> None:
        self._stale += 1
        if self._stale > self._context.network.retries:
            raise UpstreamError(f"{self._request.label}: {reason}, again and again", do=failures.CONTINUE)
        self._context.progress.note(f"{reason}; starting over")
        partial.discard()

    def _pause(self, transient: TransientError, partial: Partial) -> None:
        self._context.go_on()
        network = self._context.network
        if not self._budget.record_failure(partial.offset):
            raise self._given_up(transient.error, partial.offset) from transient
        failed = self._budget.failures
        own = retry.backoff(failed, base=network.backoff, limit=network.backoff_limit, random=self._context.random)
        seconds = max(own, transient.after or 0.0)
        if transient.after is not None and transient.after > network.retry_after_limit:
            raise _too_long(transient.error, transient.after) from transient
        self._context.progress.note(
            f"{transient.error.what}; trying again in {seconds:.1f} s ({failed} of {network.retries})"
        )
        self._context.sleep(seconds)

    def _given_up(self, error: UpstreamError, offset: int) -> UpstreamError:
        kept = [f"{offset} bytes are kept for the next time"] if offset else []
        tries = f"tried {self._budget.failures} times without getting further"
        return UpstreamError(error.what, details=(*error.details, tries, *kept), do=error.do)


def _too_long(error: UpstreamError, seconds: float) -> UpstreamError:
    return UpstreamError(
        error.what,
        details=(*error.details, f"the server asks to come back in {seconds:.0f} s"),
        do="run the same command again then",
    )


def _is_html(answer: Response) -> bool:
    said = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return said in ("text/html", "application/xhtml+xml") and not urlsplit(answer.url).path.endswith((".html", ".htm"))
