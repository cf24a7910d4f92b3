"""Fetches everything that a lock pins into the store, and verifies it from the stored bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from bundler.errors import NotThereError, UpstreamError, VerificationError, about
from bundler.fetch.download import Downloader, Recover
from bundler.fetch.request import MISMATCHES, Download, Fetch, Request
from bundler.fetch.store import Store
from bundler.flow import verify_package
from bundler.model.anchor import Anchors
from bundler.model.lock import Lock, Pin
from bundler.products.product import AnyProduct


def requests(lock: Lock, folder: Path) -> tuple[Request, ...]:
    """Every file that a build needs, each with its pinned digest: what the store holds is not downloaded again.

    Local files are resolved from ``folder``, the definition's own.
    """
    needed: dict[str, Request] = {}
    for pin in lock.pins:
        for request in of_pin(pin, folder):
            needed.setdefault(request.sha256 or request.url, request)
    return tuple(needed.values())


def of_pin(pin: Pin, folder: Path) -> Iterable[Request]:
    """The package, then its documents in the order of its evidence; as :func:`requests`."""
    local = pin.url.startswith("file:")
    yield Request(
        url=(folder / pin.url.removeprefix("file:")).absolute().as_uri() if local else pin.url,
        label=f"{pin.filename} for {pin.place}",
        hosts=tuple(urlsplit(address).netloc for address in pin.redirects),
        max_size=pin.size,
        size=pin.size,
        sha256=pin.sha256,
    )
    for document in pin.documents:
        yield Request(
            url=document.url,
            label=f"{document.role} for {pin.place}",
            hosts=(),
            max_size=document.size,
            size=document.size,
            sha256=document.sha256,
        )


def target_word(pin: Pin) -> str:
    """The word for ``lock --upgrade``."""
    return str(pin.targets[0]) if pin.targets else pin.place


def fetch(lock: Lock, downloader: Downloader, folder: Path) -> None:
    """Download what the store lacks. Raises UpstreamError, VerificationError, WriteError."""
    downloader.fetch_all(requests(lock, folder), served_again(lock.pins))


def served_again(pins: Iterable[Pin]) -> Recover:
    """For an address that has another file now: the address that it redirected to when it was locked.

    ``latest`` redirects to each release's own place, where the locked one stays; its digest decides.
    """
    places = {(pin.url, pin.sha256): pin.redirects[-1] for pin in pins if pin.redirects}

    def recover(request: Request, error: UpstreamError | VerificationError, fetch: Fetch) -> Download:
        place = places.get((request.url, request.sha256 or ""))
        gone = isinstance(error, NotThereError) or getattr(error, "reason", "") in MISMATCHES
        if place is None or not gone:
            raise error
        try:
            return fetch(replace(request, url=place))
        except (UpstreamError, VerificationError):
            raise error from None

    return recover


def verify_pins(lock: Lock, store: Store, *, anchors: Anchors, at: datetime, product: AnyProduct) -> None:
    """Verify every pin from the bytes in the store, as of ``at``. Raises VerificationError."""
    for pin in lock.pins:
        held = {document.role: store.path(document.sha256).read_bytes() for document in pin.documents}
        with (
            store.path(pin.sha256).open("rb") as package,
            about(pin.place, do=f"find out why; `arc-bundler lock --upgrade {target_word(pin)}` replaces it"),
        ):
            verify_package.reverify(pin, package, held, anchors=anchors, at=at, product=product)
