"""Bring everything that a lock names into the store, and believe it again from the bytes held."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from bundler.errors import about
from bundler.fetch.download import Downloader
from bundler.fetch.request import Request
from bundler.fetch.store import Store
from bundler.flow import verify_package
from bundler.model.anchor import Anchors
from bundler.model.lock import Lock, Pin


def requests(lock: Lock, folder: Path) -> tuple[Request, ...]:
    """Everything a build needs, each by its pinned digest, so that the store answers before the network does.

    Files at hand are looked for from ``folder``, the definition's own.
    """
    needed: dict[str, Request] = {}
    for pin in lock.pins:
        for request in _of_pin(pin, folder):
            needed.setdefault(request.sha256 or request.url, request)
    return tuple(needed.values())


def _of_pin(pin: Pin, folder: Path) -> Iterable[Request]:
    yield Request(
        url=_address(pin.url, folder),
        label=f"{pin.filename} for {pin.place}",
        hosts=tuple(_host(address) for address in pin.redirects),
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


def _address(url: str, folder: Path) -> str:
    if not url.startswith("file:"):
        return url
    return (folder / url.removeprefix("file:")).absolute().as_uri()


def _host(address: str) -> str:
    return urlsplit(address).netloc


def fetch(lock: Lock, downloader: Downloader, folder: Path) -> None:
    """Bring what is missing into the store. Raises UpstreamError, VerificationError, WriteError."""
    downloader.fetch_all(requests(lock, folder))


def believe(lock: Lock, store: Store, *, anchors: Anchors, at: datetime) -> None:
    """Judge every pin again from the bytes in the store. Raises VerificationError."""
    for pin in lock.pins:
        held = {document.role: store.path(document.sha256).read_bytes() for document in pin.documents}
        take_anew = "take the lock anew with `arc-bundler lock`"
        with store.path(pin.sha256).open("rb") as package, about(pin.place, do=take_anew):
            verify_package.reverify(pin, package, held, anchors=anchors, at=at)
