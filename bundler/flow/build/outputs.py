"""Values of a build: its options, the outputs that it plans, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bundler.definition.common import Output
from bundler.formats import json_codec
from bundler.model.frozen import frozen
from bundler.model.lock import Lock, Pin
from bundler.model.manifest import Manifest
from bundler.model.seal import Signer
from bundler.model.tree import Tree
from bundler.pack import content
from bundler.pack.manifest import manifest_bytes
from bundler.pack.members import Password
from bundler.signing.signing_key import Sealer, SigningKey


@dataclass(frozen=True)
class BuildOptions:
    """Options of one build."""

    output: Path
    lock_path: Path
    locked: bool = False
    password: Password | None = None
    sealer: Sealer | None = None
    script_key: SigningKey | None = None
    """Signs the PowerShell scripts; None leaves them unsigned."""
    secret: str = field(default="", repr=False)
    """The servers' secret, to embed it, or to check that no file of the bundle leaks it."""
    allow_embedded_secret: bool = False


@dataclass(frozen=True)
class Part:
    """One bundle of a build: the whole, or what one platform needs."""

    name: str
    """The folder after unpacking, and the stem of the archives."""
    pins: tuple[Pin, ...]


@dataclass(frozen=True)
class PlannedOutput:
    """One output: a part, and the format to pack it in."""

    output: Output
    part: Part

    @property
    def file(self) -> str:
        """Name below the version's folder: the bundle's folder, or its archive."""
        return self.part.name if self.output.format == "directory" else f"{self.part.name}.{self.output.format}"


def planned_outputs(lock: Lock, outputs: Iterable[Output]) -> Iterator[PlannedOutput]:
    """Everything that a build from ``lock`` makes for the ``outputs`` of its definition, in their order."""
    whole = f"{lock.name}-{lock.version}"
    for output in outputs:
        parts = [Part(whole, lock.pins)]
        if output.archives == "per-platform":
            by_platform: dict[str, list[Pin]] = {}
            for pin in lock.pins:
                windows = any(target.os == "windows" for target in pin.targets)
                by_platform.setdefault("windows" if windows else "linux", []).append(pin)
            parts = [Part(f"{whole}-{platform}", tuple(pins)) for platform, pins in sorted(by_platform.items())]
        for part in parts:
            yield PlannedOutput(output, part)


@frozen
class OutputResult:
    """One output that was made, or found already made."""

    path: str
    format: str
    size: int
    """Bytes; for a directory the sum of its files."""
    sha256: str
    """Of the archive; of a directory the same as ``digest``."""
    digest: str
    """SHA-256 of the bundle's SHA256SUMS: the value that the target server shows."""
    encrypted: bool = False
    approvals: int = 0
    """Number of approvers that have signed it."""


@dataclass(frozen=True)
class OutputPlan:
    """One output with the tree that it holds."""

    output: Output
    file: str
    tree: Tree
    digest: str

    @property
    def manifest_document(self) -> bytes:
        """The bytes of ``manifest.json`` in the tree."""
        return manifest_bytes(self.tree)

    @property
    def manifest(self) -> Manifest:
        """The manifest in the tree."""
        return json_codec.from_json(Manifest, self.manifest_document)

    @property
    def size(self) -> int:
        """Bytes of all files in the tree."""
        return content.total(self.tree)

    def result(self, path: Path, size: int, sha256: str, *, approvals: int = 0) -> OutputResult:
        """The result for this output, written to ``path``; ``size`` in bytes."""
        return OutputResult(
            path=path.as_posix(),
            format=self.output.format,
            size=size,
            sha256=sha256,
            digest=self.digest,
            encrypted=self.output.encrypted,
            approvals=approvals,
        )


@frozen
class Built:
    """Result of a build."""

    name: str
    version: str
    folder: str
    lab: bool
    unchanged: bool
    """True where the same bundle existed already and verified."""
    lock_written: bool = False
    """True where the build wrote the lock: there was none, or the definition had changed."""
    sealed_by: Signer | None = None
    """None for an unsealed bundle: the target server cannot tell who made it."""
    scripts_signed_by: Signer | None = None
    """None where the PowerShell scripts are unsigned, or there are none."""
    missing_approvals: int = 0
    """Approvals that servers demand and that are still missing, of the output that lacks most."""
    fingerprint_file: str = ""
    """To send through a separate channel; empty for an unsealed bundle, or where it could not be written."""
    unusual: tuple[str, ...] = ()
    """What a reviewer should look at twice, as the manifest states it: a secret inside, a root that travels along."""
    outputs: tuple[OutputResult, ...]
