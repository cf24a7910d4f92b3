"""Assembles a bundle's tree from definition, lock and stored bytes.

The same input and the same release give the same bytes; every time in the tree is the lock's.
"""

from __future__ import annotations

from dataclasses import replace

from bundler.fetch.store import Store
from bundler.flow import review, script_check, script_signing
from bundler.flow.build import description, payload, seal_policy
from bundler.flow.build.outputs import Part
from bundler.flow.project import Project
from bundler.flow.script_signing import Signing
from bundler.model.lock import Lock
from bundler.model.tree import Entry, Tree
from bundler.pack import manifest as manifests
from bundler.signing.seal import describe, keyring
from bundler.signing.signing_key import Sealer


def tree(
    part: Part,
    *,
    project: Project,
    lock: Lock,
    store: Store,
    sealer: Sealer | None = None,
    scripts_by: Signing | None = None,
    secret: str = "",
) -> Tree:
    """The tree of one part, not yet sealed.

    Args:
        part: Name of the tree, and the pins in it.
        project: The loaded definition.
        lock: Gives name, version and time.
        store: Holds the pinned packages and their evidence.
        sealer: Named in manifest and scripts as the one who seals.
        scripts_by: Signs the PowerShell scripts; None leaves them unsigned.
        secret: Embedded where the definition says so.

    Returns:
        Payload, evidence, scripts, SBOM, review page, manifest and SHA256SUMS.

    """
    # Imported here: a build that is refused earlier does not load the SBOM library.
    from bundler.pack import sbom

    policy = seal_policy.policy(project, lock, sealer)
    given = description.bundle_part(part, policy, project=project, lock=lock, scripts_by=scripts_by)
    made = project.product.contents(given)
    secret_path = project.product.embedded_secret(project.definition)
    content = (
        *payload.payload(part.pins, store),
        *payload.evidence(part.pins, project.anchors, store),
        *(Entry(path, content) for path, content in (keyring(sealer) if sealer else {}).items()),
        *([Entry(secret_path, f"{secret}\n".encode())] if secret_path else []),
        *script_signing.signed(made.entries, scripts_by),
    )
    stated = replace(
        description.manifest(part, made, project=project, lock=lock),
        serial=policy.serial,
        not_after=policy.not_after,
        seal=describe(sealer) if sealer else None,
        scripts_signed_by=script_signing.signer(content, scripts_by),
        runtimes=script_check.stated(content, project.product.name),
        header_templates=project.product.scripts.header_templates(),
        signature_forms=seal_policy.signature_forms(policy),
        approval=seal_policy.approval(policy),
    )
    stated = replace(stated, script_actions=project.product.script_actions(given, stated))
    vendor = project.product.review(stated).vendor
    bill = Entry(sbom.PATH, sbom.document(stated, content, folder=part.name, vendor=vendor))
    entries = (*content, bill)
    page = review.inside(manifests.completed(stated, entries))
    return manifests.assemble(stated, (*entries, page), name=part.name, time=lock.created)
