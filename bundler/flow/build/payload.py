"""Files of a bundle that come from the store: packages, evidence, and the keys of package signatures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bundler.fetch.store import Store
from bundler.formats import json_codec
from bundler.model.anchor import Anchors
from bundler.model.lock import Pin
from bundler.model.tree import Blob, Entry


def payload(pins: Iterable[Pin], store: Store) -> Iterable[Entry]:
    """The packages."""
    for pin in pins:
        yield Entry(pin.path, Blob(store.path(pin.sha256), pin.size, pin.sha256))


def evidence(pins: Iterable[Pin], anchors: Anchors, store: Store) -> Iterable[Entry]:
    """Trust anchors, pins, and the signed metadata of every pin, to verify the packages from."""
    yield Entry("evidence/anchors.json", json_codec.to_json(anchors))
    for pin in pins:
        yield Entry(f"evidence/{pin.place}/pin.json", json_codec.to_json(pin))
        for evidence in pin.evidence:
            for document in evidence.documents:
                held = Blob(store.path(document.sha256), document.size, document.sha256)
                yield Entry(f"evidence/{pin.place}/{document.role}", held)


def keys(pins: Sequence[Pin], anchors: Anchors) -> Mapping[str, bytes]:
    """The OpenPGP keys that sign the packages, for rpm and apt on the target."""
    used = {evidence.anchor for pin in pins for evidence in pin.evidence}
    keys = (key for key in anchors.package_keys if key.fingerprint in used)
    return {f"payload/keys/{key.fingerprint}.asc": key.armored.encode() for key in keys}
