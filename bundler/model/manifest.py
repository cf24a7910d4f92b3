"""The manifest of a bundle: its files, parameters, pins and evidence."""

from __future__ import annotations

from collections.abc import Mapping

from bundler.model.frozen import Moment, frozen
from bundler.model.lock import Pin
from bundler.model.network_requirement import NetworkRequirement
from bundler.model.script_action import ScriptActions
from bundler.model.script_runtime import ScriptRuntime
from bundler.model.seal import Approval, Recognised, Seal, SealPolicy, SignatureForms, Signer
from bundler.model.target import Support, Target

MANIFEST_SCHEMA = "arc-bundler/manifest/1"
MANIFEST_FORMER_KEYS = frozenset({"practice", "procedures", "contacts"})
"""Keys of the form that was written before 0.2.0, under the same schema number."""


@frozen
class FileEntry:
    """One file of the bundle."""

    path: str
    """From the bundle's root, always with ``/``."""
    size: int
    """Bytes."""
    sha256: str
    mode: str
    """``0644`` or ``0755``: octal, as text."""


@frozen
class Manifest:
    """``manifest.json``: every other file, the parameters, the pins and their evidence.

    It lists neither itself nor ``SHA256SUMS`` (which lists it) nor the seals over the two.
    """

    schema: str = MANIFEST_SCHEMA
    name: str
    version: str
    product: str
    created: Moment
    """The lock's time; UTC, whole seconds."""
    tool: str
    """``arc-bundler X.Y.Z``."""
    lab: bool = False
    """True when a lab's anchors verified the packages."""
    serial: int = 0
    """Grows with each bundle of one name, so that a target detects a rollback: the lock's time as YYYYMMDDhhmmss."""
    not_after: Moment | None = None
    """When targets stop accepting the bundle; UTC. None: never."""
    seal: Seal | None = None
    """None where it is not signed."""
    scripts_signed_by: Signer | None = None
    """The signer of every PowerShell script (Authenticode); None where they are not signed, or there are none."""
    approval: Approval | None = None
    """None where the definition requires no approval."""
    targets: tuple[Target, ...]
    parameters: Mapping[str, str]
    """The parameters in the scripts, by dotted name; never a secret."""
    anchors: str
    anchors_sha256: str
    lock_sha256: str
    weakened: tuple[str, ...] = ()
    """The ``--insecure-…`` switches that were used."""
    unusual: tuple[str, ...] = ()
    """What a reviewer should check because of the definition: an embedded secret, certificates in the bundle."""
    warnings: tuple[str, ...] = ()
    """What the definition's author was warned of, on the lock's day: ``targets.0.version: debian 11 has …``."""
    script_actions: tuple[ScriptActions, ...] = ()
    """What each install script does, step by step, in the words of the release that wrote the script."""
    network_requirements: tuple[NetworkRequirement, ...] = ()
    """Every address that the servers, and the jump host before them, contact; required ones first."""
    support: tuple[Support, ...] = ()
    """Until when each version among the packages is supported."""
    runtimes: tuple[ScriptRuntime, ...] = ()
    """The runtime of each script, sorted by script; `verify` computes them again from the scripts' bytes."""
    header_templates: str = ""
    """SHA-256 of the templates that the scripts' headers are made from: 64 hex digits."""
    signature_forms: tuple[SignatureForms, ...] = ()
    """The forms of the sealer's and the approvers' signatures, which the scripts' headers show."""
    pins: tuple[Pin, ...]
    files: tuple[FileEntry, ...]

    @property
    def seal_policy(self) -> SealPolicy:
        """What the scripts of this bundle verify its seal by."""
        forms = {one.sha256: one.forms for one in self.signature_forms}

        def recognised(signer: Signer) -> Recognised:
            return Recognised(signer=signer, forms=forms.get(signer.sha256, ()))

        return SealPolicy(
            sealer=recognised(self.seal.signer) if self.seal else None,
            openpgp=self.seal.openpgp if self.seal else "",
            required=self.approval.required if self.approval else 0,
            approvers=tuple(map(recognised, self.approval.approvers)) if self.approval else (),
            serial=self.serial,
            not_after=self.not_after,
        )
