"""What is a build asked for, and what does each of its outputs have to be?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bundler.definition.common import Output
from bundler.formats import json_codec
from bundler.model.frozen import frozen
from bundler.model.manifest import Manifest
from bundler.model.tree import Tree
from bundler.pack.manifest import manifest_bytes
from bundler.pack.members import Password
from bundler.signing.signing_key import Sealer, SigningKey


@dataclass(frozen=True)
class BuildOptions:
    """How a build was asked for."""

    output: Path
    lock_path: Path
    locked: bool = False
    password: Password | None = None
    sealer: Sealer | None = None
    script_key: SigningKey | None = None
    """Signs the PowerShell scripts; None leaves them unsigned."""
    secret: str = field(default="", repr=False)
    """The secret that the servers will need, where this build was given it: to embed it, or to see that nobody did."""
    allow_embedded_secret: bool = False


@frozen
class OutputResult:
    """One output of a build."""

    path: str
    format: str
    size: int
    """Bytes; for a directory the sum of its files."""
    sha256: str
    """Of the archive; for a directory, and to compare on the far side, see ``digest``."""
    digest: str
    """SHA-256 of the bundle's SHA256SUMS: what the far side compares."""
    encrypted: bool = False
    approvals: int = 0
    """How many approvers have signed it."""


@dataclass(frozen=True)
class OutputPlan:
    """One output that a build makes, or finds made."""

    output: Output
    file: str
    tree: Tree
    digest: str

    @property
    def manifest(self) -> Manifest:
        """What the bundle says of itself."""
        return json_codec.from_json(Manifest, manifest_bytes(self.tree))

    def made(self, path: Path, size: int, sha256: str, *, approvals: int = 0) -> OutputResult:
        """That the output lies at ``path``."""
        return OutputResult(
            path=path.as_posix(),
            format=self.output.format,
            size=size,
            sha256=sha256,
            digest=self.digest,
            encrypted=self.output.encrypted,
            approvals=approvals,
        )
