"""Put a bundle's tree together from a lock and the bytes held: a pure function of the two and the definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bundler import __version__
from bundler.fetch.store import Store
from bundler.flow.site import Site
from bundler.formats import records
from bundler.model.anchor import Anchors
from bundler.model.lock import Lock, Pin
from bundler.model.manifest import Manifest
from bundler.model.target import Target
from bundler.model.tree import Blob, Entry, Tree
from bundler.pack import manifest as manifests
from bundler.products.arc_server import scripts
from bundler.products.arc_server.endpoints import endpoints
from bundler.products.arc_server.onboarding import Onboarding, onboarding

TOOL = f"arc-bundler {__version__}"
PRODUCT = "arc-server"


@dataclass(frozen=True)
class Part:
    """One bundle of a build: the whole, or what one platform needs."""

    suffix: str
    """Empty for the whole, otherwise ``windows`` or ``linux``."""
    pins: tuple[Pin, ...]

    def name(self, lock: Lock) -> str:
        """The folder after unpacking, and the stem of the archives."""
        return "-".join(part for part in (lock.name, lock.version, self.suffix) if part)


def parts(lock: Lock, *, per_platform: bool) -> tuple[Part, ...]:
    """How a lock is divided into bundles."""
    if not per_platform:
        return (Part("", lock.pins),)
    by_platform: dict[str, list[Pin]] = {}
    for pin in lock.pins:
        by_platform.setdefault("windows" if pin.kind == "msi" else "linux", []).append(pin)
    return tuple(Part(platform, tuple(pins)) for platform, pins in sorted(by_platform.items()))


def tree(part: Part, *, site: Site, lock: Lock, store: Store, weakened: tuple[str, ...] = ()) -> Tree:
    """The part's tree: payload, evidence, scripts, manifest and sums.

    Every time in it is the lock's, every byte follows from lock, definition and this release.
    """
    wanted = onboarding(site.definition)
    description = _manifest(part, wanted, site=site, lock=lock, weakened=weakened)
    content = (
        *_payload(part.pins, store),
        *_evidence(part.pins, site.anchors, store),
        *_scripts(part, wanted, site=site, lock=lock),
    )
    return manifests.assemble(description, content, name=part.name(lock), time=lock.taken)


def _payload(pins: Iterable[Pin], store: Store) -> Iterable[Entry]:
    for pin in pins:
        yield Entry(pin.path, Blob(store.path(pin.sha256), pin.size, pin.sha256))


def _evidence(pins: Iterable[Pin], anchors: Anchors, store: Store) -> Iterable[Entry]:
    yield Entry("evidence/anchors.json", records.to_json(anchors))
    for pin in pins:
        yield Entry(f"evidence/{pin.place}/pin.json", records.to_json(pin))
        for evidence in pin.evidence:
            for document in evidence.documents:
                held = Blob(store.path(document.sha256), document.size, document.sha256)
                yield Entry(f"evidence/{pin.place}/{document.role}", held)


def _keys(pins: Sequence[Pin], anchors: Anchors) -> Mapping[str, bytes]:
    """The OpenPGP keys that vouch for the packages: a target's own tools may want to check with them."""
    used = {evidence.anchor for pin in pins for evidence in pin.evidence}
    keys = (key for key in anchors.package_keys if key.fingerprint in used)
    return {f"payload/keys/{key.fingerprint}.asc": key.armored.encode() for key in keys}


def _scripts(part: Part, wanted: Onboarding, *, site: Site, lock: Lock) -> Iterable[Entry]:
    table = {"config/endpoints.json": records.to_json(endpoints(site.definition))}
    return scripts.entries(
        wanted,
        part.pins,
        name=lock.name,
        version=lock.version,
        practice=_practice(site.anchors),
        tool=TOOL,
        extra={**table, **_keys(part.pins, site.anchors)},
    )


def _practice(anchors: Anchors) -> str:
    return "LAB" if anchors.practice else ""


def _manifest(part: Part, wanted: Onboarding, *, site: Site, lock: Lock, weakened: tuple[str, ...]) -> Manifest:
    return Manifest(
        name=lock.name,
        version=lock.version,
        product=PRODUCT,
        created=lock.taken,
        tool=TOOL,
        practice=_practice(site.anchors),
        targets=_targets(part.pins),
        parameters=parameters(wanted),
        anchors=lock.anchors,
        anchors_sha256=lock.anchors_sha256,
        lock_sha256=manifests.digest(records.to_json(lock)),
        weakened=weakened,
        pins=part.pins,
        files=(),
    )


def _targets(pins: Iterable[Pin]) -> tuple[Target, ...]:
    return tuple(sorted({target for pin in pins for target in pin.targets}, key=str))


def parameters(wanted: Onboarding) -> Mapping[str, str]:
    """What is baked into the scripts, by dotted name, for a reviewer and for ``inspect``."""
    bare = replace(wanted, settings=(), tags={})
    flat = {name: text for name, text in records.to_tree(bare).items() if isinstance(text, str) and text}
    flat |= {f"tags.{name}": text for name, text in wanted.tags.items()}
    flat |= {f"settings.{setting.key}": setting.value for setting in wanted.settings}
    return dict(sorted(flat.items()))
