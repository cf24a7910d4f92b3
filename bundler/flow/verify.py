"""Verifies a bundle offline: every hash, the seal, the scripts, and every package from its evidence."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

from bundler.flow import provenance, script_check
from bundler.flow.bundle_payload import PackageVerdict, product_of, require_anchors, unusual, verify_packages
from bundler.flow.provenance import Provenance
from bundler.flow.script_signing import require_signed
from bundler.flow.spool import PackageSpool, temporary_folder_errors
from bundler.integrity.check import CheckedBundle, check
from bundler.model.anchor import Anchors
from bundler.model.frozen import frozen
from bundler.model.script_runtime import KnownRuntime
from bundler.model.seal import Signer
from bundler.pack import container
from bundler.pack.members import Password
from bundler.trust import verify_seal
from bundler.trust.advice import advising
from bundler.trust.text_damage import naming_text_damage
from bundler.trust.verify_seal import TrustPolicy


@frozen
class Verified:
    """A bundle that verified, with every package in it."""

    name: str
    version: str
    digest: str
    """SHA-256 of SHA256SUMS, to compare with the digest that the builder published."""
    lab: bool
    anchors: str
    files: int
    packages: tuple[PackageVerdict, ...]
    sealed_by: Signer | None = None
    """None with ``--insecure-no-seal``."""
    openpgp: str = ""
    """Fingerprint of the sealer's OpenPGP key, where there is a second seal by it."""
    approved_by: tuple[Signer, ...] = ()
    scripts_signed_by: Signer | None = None
    """Signer of the Authenticode signature in each PowerShell script; None where the scripts are unsigned."""
    provenance: Provenance | None = None
    """The provenance beside the bundle; None without such a file, or with ``--insecure-no-seal``."""
    unused_revocation_lists: tuple[str, ...] = ()
    """Issuers of given revocation lists that issued no certificate of this seal."""
    weakened: tuple[str, ...] = ()
    """The ``--insecure-…`` and ``--allow-…`` switches of this verification that made a difference."""
    unknown_product: str = ""
    """The product with unverified packages, with ``--allow-unknown-product``; empty: all were."""
    tool: str = ""
    """The release that the manifest names as the bundle's maker."""
    runtimes: tuple[KnownRuntime, ...] = ()
    """The runtime of each script, computed from its bytes."""
    scripts_rendered_by: str = ""
    """The release that made the scripts' headers again and found them the same; empty where another one made them."""
    unusual: tuple[str, ...] = ()
    """What a reviewer should look at twice, such as certificates that come from the definition alone."""
    definition_warnings: tuple[str, ...] = ()
    """What the author of the definition was warned of, as the manifest states it."""


def hashes(bundle: Path, *, password: Password | None) -> CheckedBundle:
    """Check every hash and name of a bundle, without signatures. Raises VerificationError."""
    with container.open_bundle(bundle, password=password) as opened:
        return check(opened.walk())


def verify(
    bundle: Path,
    *,
    anchors: Anchors,
    trusted: TrustPolicy | None,
    at: datetime,
    password: Password | None = None,
    allow_unknown_product: bool = False,
) -> Verified:
    """Verify ``bundle``, a directory or an archive.

    1. Check names and hashes; of an archive, copy packages and scripts to temporary files that end with the call.
    2. Verify the seal and the approvals.
    3. Require that the bundle was built with ``anchors``, and that its payload is what it pins.
    4. Verify the Authenticode signatures of the scripts.
    5. Verify every package from its own evidence.
    6. Verify the runtimes and headers of the scripts. Last, because they follow from everything else: what is wrong
       with a package is reported as such.
    7. Verify the provenance, where it is beside the bundle.

    Args:
        bundle: The directory or archive.
        anchors: Trust anchors of the packages.
        trusted: Accepted signers and approvers; None skips the seal (``--insecure-no-seal``), which the result states.
        at: Time to verify for.
        password: Asked for where the archive is encrypted.
        allow_unknown_product: Accept a bundle of a product that is not installed, with its packages unverified.

    Raises:
        VerificationError: any step failed.

    """
    with ExitStack() as stack:
        stack.enter_context(advising(anchors))
        if bundle.is_file():
            stack.enter_context(naming_text_damage(stack.enter_context(container.open_archive(bundle))))
        opened = stack.enter_context(container.open_bundle(bundle, password=password))
        packages = PackageSpool(opened, stack)
        with temporary_folder_errors():
            found = check(opened.walk(), sink_for=packages.sink_for)
            packages.flush()
        seal = verify_seal.verify(found, trusted, at=at) if trusted else None
        product = product_of(found.manifest, sealed=seal is not None, allow_unknown=allow_unknown_product)
        if product:
            require_anchors(found, anchors)
        content = partial(packages.read_hashed, found.manifest)
        require_signed(found.manifest, content, at=at)
        verdicts = verify_packages(found, packages, product=product, anchors=anchors, at=at) if product else ()
        scripts = script_check.check(found.manifest, content)
    return Verified(
        name=found.manifest.name,
        version=found.manifest.version,
        digest=found.digest,
        lab=found.manifest.lab,
        anchors=anchors.name,
        files=len(found.manifest.files),
        packages=verdicts,
        sealed_by=seal.signer if seal else None,
        openpgp=seal.openpgp if seal else "",
        approved_by=seal.approved_by if seal else (),
        scripts_signed_by=found.manifest.scripts_signed_by,
        provenance=provenance.verify_beside(bundle, found) if seal else None,
        unused_revocation_lists=seal.unused_crls if seal else (),
        weakened=(*([] if seal else ["--insecure-no-seal"]), *([] if product else ["--allow-unknown-product"])),
        unknown_product="" if product else found.manifest.product,
        tool=found.manifest.tool,
        runtimes=scripts.runtimes,
        scripts_rendered_by=scripts.rendered_by,
        unusual=unusual(found),
        definition_warnings=found.manifest.warnings,
    )
