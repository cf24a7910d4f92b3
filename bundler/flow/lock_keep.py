"""Keeps pins: tells which of a lock still answer a definition, and verifies those again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from bundler.errors import UpstreamError, VerificationError
from bundler.fetch.download import Downloader, fetch_or_recover
from bundler.fetch.request import MISMATCHES, Download, Fetch
from bundler.fetch.request_info import authority
from bundler.flow import fetch_pins, verify_package
from bundler.flow.project import Project
from bundler.formats import chunks
from bundler.model.artifact import AptOrigin, Artifact, FileOrigin, Origin, UrlOrigin
from bundler.model.lock import Pin
from bundler.trust.advice import with_advice

_ADVICE = dict.fromkeys(MISMATCHES, "give the store that has its bytes (--store); or upstream has replaced them")
"""What to do about a pin that does not verify, by the error's reason."""


def answering(pins: Sequence[Pin], artifacts: Sequence[Artifact]) -> tuple[Pin | None, ...]:
    """For each of ``artifacts`` the pin that still answers it, at its place and for its targets; None for none.

    A pin answers a request for the same package and architecture from the same repository, address or file, where its
    version is accepted. Its folder is no part of that: another target in the definition may give it another one.
    """
    return tuple(_answer(pins, artifact) for artifact in artifacts)


def _answer(pins: Sequence[Pin], artifact: Artifact) -> Pin | None:
    def closeness(pin: Pin) -> tuple[bool, bool]:
        return pin.place == artifact.place, bool({*pin.targets} & {*artifact.targets})

    fitting = [pin for pin in pins if not misfit(pin, artifact)]
    best = max(fitting, key=closeness, default=None)
    return best and replace(best, place=artifact.place, targets=artifact.targets)


def misfit(pin: Pin, artifact: Artifact) -> str:
    """Why ``pin`` does not answer ``artifact``: a clause; empty where it does."""
    if (pin.name, pin.kind, pin.facts.architecture) != (artifact.name, artifact.kind, artifact.architecture):
        return f"the lock has {pin.name} ({pin.kind}) for {pin.facts.architecture}"
    if not artifact.accepts(pin.facts.version):
        return f"the lock has {pin.facts.version}"
    if not _is_from(pin, artifact.origin):
        return f"the lock has one from {pin.repository.origin if pin.repository else pin.url}"
    return "" if artifact.sha256 in ("", pin.sha256) else f"the lock has one with the SHA-256 {pin.sha256}"


def _is_from(pin: Pin, origin: Origin) -> bool:
    if isinstance(origin, UrlOrigin):
        allowed = {authority(origin.url), *(authority(f"https://{host}") for host in origin.hosts)}
        return pin.url == origin.url and authority((pin.redirects or (pin.url,))[-1]) in allowed
    if isinstance(origin, FileOrigin):
        return pin.url == file_url(origin)
    state = f"{origin.base} {origin.suite}" if isinstance(origin, AptOrigin) else origin.base
    index = f"{origin.base}/dists/{origin.suite}/{origin.component}/" if isinstance(origin, AptOrigin) else origin.base
    known = pin.repository is not None and pin.repository.origin == state
    return known and any(document.url.startswith(index) for document in pin.documents)


def file_url(origin: FileOrigin) -> str:
    """The address of a local file in a lock: the definition's own path, so that no lock holds a path of this host."""
    return f"file:{Path(origin.path).as_posix()}"


def verified(pins: Sequence[Pin], project: Project, downloader: Downloader, at: datetime) -> tuple[Pin, ...]:
    """Verify kept pins again: by today's anchors and revocation lists, as of ``at``, from the bytes in the store.

    Bytes that the store lacks are downloaded from the pin's own address, where the network is allowed.

    Args:
        pins: Those to keep, as :func:`answering` returns them.
        project: The loaded definition.
        downloader: Gives the bytes.
        at: Time to verify for.

    Raises:
        VerificationError: a pin does not verify any more; it is named, with the way to replace it.
        UpstreamError: bytes are missing, and offline or not at their address any more.

    """
    folder = project.path.parent
    _require_at_hand(pins, downloader, folder)
    held = downloader.together([partial(_fetched, pin, folder) for pin in pins])
    return tuple(_verified(pin, came, project, at) for pin, came in zip(pins, held, strict=True))


def _require_at_hand(pins: Sequence[Pin], downloader: Downloader, folder: Path) -> None:
    """Raise UpstreamError where bytes are missing and the network is not allowed: all of them are named at once."""
    missing = {
        request.label: request for pin in pins for request in downloader.unavailable(fetch_pins.of_pin(pin, folder))
    }
    if missing:
        raise UpstreamError(
            f"{len(missing)} files of the lock are not in the store, and --offline does not allow a download",
            details=[f"{label}: sha256 {one.sha256}, from {one.url}" for label, one in missing.items()],
            do="run the same command without --offline once",
        )


def _fetched(pin: Pin, folder: Path, fetch: Fetch) -> tuple[Download, ...]:
    recover = fetch_pins.served_again([pin])
    with _naming(pin):
        _require_unchanged(pin, folder)
        return tuple(fetch_or_recover(request, recover, fetch) for request in fetch_pins.of_pin(pin, folder))


def _require_unchanged(pin: Pin, folder: Path) -> None:
    """Raise VerificationError for a local file that is another one than the lock pins."""
    if not pin.url.startswith("file:"):
        return
    path = folder / pin.url.removeprefix("file:")
    if not path.is_file():
        return  # what the store has is what was reviewed
    with path.open("rb") as file:
        found = chunks.sha256(file)
    if found != pin.sha256:
        raise VerificationError(
            f"{path} is not the file that was locked",
            reason="replaced",
            details=[f"locked: {pin.sha256}", f"now:    {found}"],
        )


def _verified(pin: Pin, came: Sequence[Download], project: Project, at: datetime) -> Pin:
    package, *documents = came
    held = {one.role: got.path.read_bytes() for one, got in zip(pin.documents, documents, strict=True)}
    with _naming(pin), package.path.open("rb") as file:
        found = verify_package.reverify(pin, file, held, anchors=project.anchors, at=at, product=project.product)
    # The evidence of other anchors is theirs; by the same ones it is what the pin has.
    same = all(one.anchors == project.anchors.name for one in pin.evidence)
    return pin if same else replace(pin, evidence=found)


@contextmanager
def _naming(pin: Pin) -> Iterator[None]:
    """Name ``pin`` in an error of the block, and the command that replaces it: nothing replaces it unasked."""
    subject = f"{pin.place}: the locked {pin.facts.name} {pin.facts.version}"
    replace_it = f"`arc-bundler lock --upgrade {fetch_pins.target_word(pin)}` replaces it by what upstream has now"
    try:
        yield
    except VerificationError as error:
        told = with_advice(error)
        raise VerificationError(
            f"{subject} does not verify any more: {error.what}",
            reason=error.reason,
            details=(*told.details, f"pinned: SHA-256 {pin.sha256}"),
            do=f"{_ADVICE.get(error.reason, 'find out why')}; {replace_it}",
        ) from error
    except UpstreamError as error:
        raise UpstreamError(
            f"{subject} is not in the store, and cannot be downloaded again: {error.what}",
            details=error.details,
            do=f"{error.do}; or {replace_it}" if error.do else replace_it,
        ) from error
