"""Show what is inside a bundle, as its manifest tells it: nothing is judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bundler.model.manifest import Manifest
from bundler.pack import container
from bundler.seal.check import read_manifest

Password = Callable[[], str]


def inspect(bundle: Path, *, password: Password | None = None) -> Manifest:
    """The manifest of ``bundle``, a directory or an archive. Raises NotBelieved where there is none to read."""
    with container.open_bundle(bundle, password=password) as opened:
        return read_manifest(opened.walk())
