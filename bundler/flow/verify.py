"""Check a bundle: every hash first, then every package again from its evidence, offline."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

from bundler.errors import VerificationError
from bundler.flow import provenance, script_check, verify_package
from bundler.flow.provenance import Provenance
from bundler.flow.script_signing import require_signed
from bundler.flow.spool import CERTIFICATES, KEYS, PAYLOAD, PackageSpool, temporary_folder_errors, toctou_error
from bundler.formats import cms
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle, check
from bundler.model.anchor import Anchors
from bundler.model.frozen import frozen
from bundler.model.lock import Pin
from bundler.model.manifest import Manifest
from bundler.model.script_runtime import KnownRuntime
from bundler.model.seal import Signer
from bundler.pack import container
from bundler.pack.members import Password
from bundler.trust import anchors as trusted
from bundler.trust import verify_seal
from bundler.trust.verify_seal import TrustPolicy


@frozen
class PackageVerdict:
    """One package of a bundle that was judged again."""

    path: str
    version: str
    signer: str
    methods: tuple[str, ...]
    notes: tuple[str, ...] = ()


@frozen
class Verified:
    """A bundle that is what its maker made, with every package believed."""

    name: str
    version: str
    digest: str
    """SHA-256 of SHA256SUMS: compare it with what the maker said."""
    lab: bool
    anchors: str
    files: int
    packages: tuple[PackageVerdict, ...]
    sealed_by: Signer | None = None
    """None where the seal was not asked for."""
    openpgp: str = ""
    """Fingerprint of the OpenPGP key that sealed as well."""
    approved_by: tuple[Signer, ...] = ()
    scripts_signed_by: Signer | None = None
    """Whose Authenticode signature each PowerShell script carries; None where the manifest names nobody."""
    provenance: Provenance | None = None
    """What the file beside it says of how it was built; None where there is no such file, or no seal was asked for."""
    idle_revocation_lists: tuple[str, ...] = ()
    """Issuers of revocation lists that were given and told of nobody who signed here."""
    weakened: tuple[str, ...] = ()
    """The ``--insecure-…`` switches of this very check."""
    runtimes: tuple[KnownRuntime, ...] = ()
    """The runtime of each script, computed from its bytes."""
    scripts_rendered_by: str = ""
    """The release that made the scripts' headers again and found them the same; empty where another one made them."""
    unusual: tuple[str, ...] = ()
    """What nobody vouches for but whoever wrote the definition: certificates that travel along."""


def hashes(bundle: Path, *, password: Password | None) -> CheckedBundle:
    """Check every hash and name of a bundle, without judging its packages. Raises VerificationError."""
    with container.open_bundle(bundle, password=password) as opened:
        return check(opened.walk())


def verify(
    bundle: Path, *, anchors: Anchors, trusted: TrustPolicy | None, at: datetime, password: Password | None = None
) -> Verified:
    """Check ``bundle``, a directory or an archive: its seal by ``trusted``, and its packages by ``anchors``.

    ``trusted`` of None asks for no seal (``--insecure-no-seal``), and the result says so.
    Of an archive, the packages and scripts alone go to temporary files, which end with the call; a directory's are
    judged where they lie.
    Raises VerificationError where anything is not as its maker left it, or its anchors are not ``anchors``.
    """
    with ExitStack() as stack:
        opened = stack.enter_context(container.open_bundle(bundle, password=password))
        packages = PackageSpool(opened, stack)
        with temporary_folder_errors():
            found = check(opened.walk(), sink_for=packages.sink_for)
        vouched = verify_seal.verify(found, trusted, at=at) if trusted else None
        _require_anchors(found, anchors)
        _require_vouched(found, anchors)
        content = partial(_content, packages, found.manifest)
        require_signed(found.manifest, content, at=at)
        scripts = script_check.check(found.manifest, content)
        verdicts = tuple(_again(pin, packages, found, anchors, at) for pin in found.manifest.pins)
    return Verified(
        name=found.manifest.name,
        version=found.manifest.version,
        digest=found.digest,
        lab=found.manifest.lab,
        anchors=anchors.name,
        files=len(found.manifest.files),
        packages=verdicts,
        sealed_by=vouched.signer if vouched else None,
        openpgp=vouched.openpgp if vouched else "",
        approved_by=vouched.approved_by if vouched else (),
        scripts_signed_by=found.manifest.scripts_signed_by,
        provenance=_provenance(bundle, found) if vouched else None,
        idle_revocation_lists=vouched.unused_crls if vouched else (),
        weakened=() if vouched else ("--insecure-no-seal",),
        runtimes=scripts.runtimes,
        scripts_rendered_by=scripts.rendered_by,
        unusual=_unusual(found),
    )


def _provenance(bundle: Path, found: CheckedBundle) -> Provenance | None:
    """The provenance beside ``bundle``, whose seal is believed; it must be by the same certificate, and of it."""
    name = provenance.file_name(found.manifest.name, found.manifest.version)
    document = provenance.read(bundle.resolve().parent / name)
    if document is None:
        return None
    sealer = cms.read(found.signed[sums.SUMS + sums.CMS]).certificates[0]
    try:
        return provenance.check(document, sealer, found.manifest, digest=found.digest)
    except VerificationError as error:
        what = f"{name}, which lies beside the bundle, is not its provenance"
        raise VerificationError(what, reason=error.reason, details=[f"{error.what}."], do=error.do) from error


def _require_anchors(found: CheckedBundle, anchors: Anchors) -> None:
    """A bundle cannot vouch for itself: whom to believe is said by the one who verifies."""
    manifest = found.manifest
    if manifest.anchors_sha256 == trusted.digest(anchors):
        _require_named(found, anchors)
        return
    raise VerificationError(
        f"the bundle was judged by the anchors {manifest.anchors!r} ({manifest.anchors_sha256[:12]}…), "
        f"you believe {anchors.name!r} ({trusted.digest(anchors)[:12]}…)",
        reason="other-anchors",
        do="if you trust these anchors, get their file from whoever runs that upstream (not from the bundle) "
        "and give it with `--anchors FILE`",
    )


def _require_named(found: CheckedBundle, anchors: Anchors) -> None:
    """The manifest must call the anchors by their name, and practice what it is: people read it by itself."""
    manifest = found.manifest
    if (manifest.anchors, manifest.lab) != (anchors.name, anchors.lab):
        raise VerificationError(
            f"the bundle says that it was judged by {manifest.anchors!r}{_labelled(manifest.lab)}, "
            f"but it was by {anchors.name!r}{_labelled(anchors.lab)}",
            reason="disguised-anchors",
            do="do not use it: somebody rewrote what it says of itself",
        )


def _labelled(lab: bool) -> str:
    return " (LAB)" if lab else ""


def _require_vouched(found: CheckedBundle, anchors: Anchors) -> None:
    """Everything below ``payload/`` is a pinned package, which is judged, or a key of ``anchors``.

    Certificates that the definition sends along are the exception, and are told: see :attr:`Verified.unusual`.
    """
    vouched = {pin.path: pin.sha256 for pin in found.manifest.pins}
    if not vouched:
        raise VerificationError("the bundle pins no package: there is nothing to believe", reason="not-pinned")
    for key in anchors.package_keys:
        vouched[f"{KEYS}{key.fingerprint}.asc"] = hashlib.sha256(key.armored.encode()).hexdigest()
    for entry in found.manifest.files:
        if entry.path.startswith(CERTIFICATES):
            continue
        if entry.path.startswith(PAYLOAD) and vouched.get(entry.path) != entry.sha256:
            raise VerificationError(
                f"{entry.path} is neither a pinned package nor a key of {anchors.name!r}: nobody vouches for it",
                reason="not-pinned",
                do="do not use it: the build puts nothing else there",
            )


def _unusual(found: CheckedBundle) -> tuple[str, ...]:
    """What the manifest says is unusual, and every certificate: the files decide, not what is said of them."""
    carried = (entry.path for entry in found.manifest.files if entry.path.startswith(CERTIFICATES))
    return (*found.manifest.unusual, *(f"{path} is vouched for by the definition alone" for path in carried))


def _again(pin: Pin, packages: PackageSpool, found: CheckedBundle, anchors: Anchors, at: datetime) -> PackageVerdict:
    package = packages.open(pin.path)
    evidence = verify_package.reverify(pin, package, _documents(pin, found), anchors=anchors, at=at)
    packages.require_unchanged(pin.path, package, pin.sha256)
    return PackageVerdict(
        path=pin.path,
        version=pin.facts.version,
        signer=evidence[0].signer,
        methods=tuple(e.method for e in evidence),
        notes=tuple(note for e in evidence for note in e.notes),
    )


def _content(packages: PackageSpool, manifest: Manifest, path: str) -> bytes:
    """The bytes of a script, or of its settings, that were hashed."""
    entry = next((one for one in manifest.files if one.path == path), None)
    if entry is None:
        raise VerificationError(f"{path} is not in the bundle", reason="missing-file")
    content = packages.open(path).read(entry.size + 1)
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise toctou_error(path)
    return content


def _documents(pin: Pin, found: CheckedBundle) -> dict[str, bytes]:
    held = {}
    for document in pin.documents:
        path = f"evidence/{pin.place}/{document.role}"
        if path not in found.documents:
            raise VerificationError(f"{path} is named as evidence, but not in the bundle", reason="missing-file")
        held[document.role] = found.documents[path]
    return held
