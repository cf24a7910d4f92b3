"""Trees and bundles that the tests of packing and checking start from."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from pathlib import Path

from bundler.integrity.check import check
from bundler.model.manifest import Manifest
from bundler.model.target import Target
from bundler.model.tree import Blob, Entry, Tree
from bundler.pack import container, manifest

TIME = datetime(2026, 11, 22, 3, 4, 5, tzinfo=timezone.utc)
NAME = "arc-lab-2026.11.22"


def describe() -> Manifest:
    return Manifest(
        name="arc-lab",
        version="2026.11.22",
        product="arc-server",
        created=TIME,
        tool="arc-bundler test",
        lab=True,
        targets=(Target(os="ubuntu", version="22.04", architecture="x64"),),
        parameters={"location": "japaneast"},
        anchors="LAB",
        anchors_sha256="0" * 64,
        lock_sha256="1" * 64,
        pins=(),
        files=(),
    )


def blob(path: Path, content: bytes) -> Blob:
    path.write_bytes(content)
    return Blob(path, len(content), hashlib.sha256(content).hexdigest())


def small(store: Path, payload: bytes = b"package" * 300) -> Tree:
    return manifest.assemble(
        describe(),
        [
            Entry("install.sh", b"#!/bin/bash\necho LAB\n", 0o755),
            Entry("config/settings.json", b"{}\n"),
            Entry("evidence/ubuntu/22.04/amd64/InRelease", b"Origin: LAB\n"),
            Entry("payload/ubuntu/22.04/amd64/agent.deb", blob(store / "agent.deb", payload)),
            Entry("payload/ubuntu/22.04/amd64/\u30a8\u30fc\u30b8\u30a7\u30f3\u30c8.deb", b"\0" * 700),
        ],
        name=NAME,
        time=TIME,
    )


def digest_of(path: Path, password: str | None = None) -> str:
    """The bundle digest of what is packed at ``path``; raises what refuses it."""
    with container.open_bundle(path, password=None if password is None else lambda: password) as opened:
        return check(opened.walk()).digest
