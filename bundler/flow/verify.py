"""Check a bundle: every hash first, then every package again from its evidence, offline."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO

from bundler.errors import NotBelieved
from bundler.flow import fetching, judge
from bundler.model.anchor import Anchors
from bundler.model.lock import Pin
from bundler.model.value import value
from bundler.pack import container
from bundler.seal.check import Checked, check
from bundler.trust import anchors as trusted

Password = Callable[[], str]


@value
class PackageVerdict:
    """One package of a bundle that was judged again."""

    path: str
    version: str
    signer: str
    methods: tuple[str, ...]
    notes: tuple[str, ...] = ()


@value
class Verified:
    """A bundle that is what its maker made, with every package believed."""

    name: str
    version: str
    digest: str
    """SHA-256 of SHA256SUMS: compare it with what the maker said."""
    practice: str
    anchors: str
    files: int
    packages: tuple[PackageVerdict, ...]


def hashes(bundle: Path, *, password: Password | None) -> Checked:
    """Check every hash and name of a bundle, without judging its packages. Raises NotBelieved."""
    with container.open_bundle(bundle, password=password) as opened:
        return check(opened.walk(), keep=lambda _: None)


def verify(bundle: Path, *, anchors: Anchors, at: datetime, password: Password | None = None) -> Verified:
    """Check ``bundle``, a directory or an archive, and judge its packages by ``anchors``.

    Of an archive, the packages alone go to temporary files, which end with the call.
    Raises NotBelieved where anything is not as its maker left it, or its anchors are not ``anchors``.
    """
    with ExitStack() as stack:
        spooled: dict[str, IO[bytes]] = {}

        def keep(path: str) -> IO[bytes] | None:
            if not path.startswith("payload/") or path.startswith(("payload/keys/", "payload/certificates/")):
                return None
            spooled[path] = stack.enter_context(tempfile.TemporaryFile())
            return spooled[path]

        opened = stack.enter_context(container.open_bundle(bundle, password=password))
        found = check(opened.walk(), keep=keep)
        _require_anchors(found, anchors)
        packages = tuple(_again(pin, spooled, found, anchors, at) for pin in found.manifest.pins)
    return Verified(
        name=found.manifest.name,
        version=found.manifest.version,
        digest=found.digest,
        practice=found.manifest.practice,
        anchors=found.manifest.anchors,
        files=len(found.manifest.files),
        packages=packages,
    )


def _require_anchors(found: Checked, anchors: Anchors) -> None:
    """A bundle cannot vouch for itself: whom to believe is said by the one who verifies."""
    manifest = found.manifest
    if manifest.anchors_sha256 == trusted.digest(anchors):
        return
    raise NotBelieved(
        f"the bundle was judged by the anchors {manifest.anchors!r} ({manifest.anchors_sha256[:12]}…), "
        f"you believe {anchors.name!r} ({trusted.digest(anchors)[:12]}…)",
        reason="other-anchors",
        do="if you trust these anchors, get their file from whoever runs that upstream (not from the bundle) "
        "and give it with `--anchors FILE`",
    )


def _again(pin: Pin, spooled: dict[str, IO[bytes]], found: Checked, anchors: Anchors, at: datetime) -> PackageVerdict:
    package = spooled.get(pin.path)
    listed = {entry.path: entry.sha256 for entry in found.manifest.files}
    if package is None or listed.get(pin.path) != pin.sha256:
        raise NotBelieved(f"{pin.path} is not in the bundle as it is pinned", reason="missing-file")
    package.seek(0)
    evidence = judge.again(pin, _binary(package), _documents(pin, found), anchors=anchors, at=at)
    return PackageVerdict(
        path=pin.path,
        version=pin.facts.version,
        signer=evidence[0].signer,
        methods=tuple(e.method for e in evidence),
        notes=tuple(note for e in evidence for note in e.notes),
    )


def _binary(file: IO[bytes]) -> BinaryIO:
    return file  # type: ignore[return-value]  # typeshed's TemporaryFile is not BinaryIO by name, but is one


def _documents(pin: Pin, found: Checked) -> dict[str, bytes]:
    held = {}
    for document in fetching.documents(pin):
        path = f"evidence/{pin.place}/{document.role}"
        if path not in found.documents:
            raise NotBelieved(f"{path} is named as evidence, but not in the bundle", reason="missing-file")
        held[document.role] = found.documents[path]
    return held
