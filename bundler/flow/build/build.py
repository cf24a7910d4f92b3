"""Builds a bundle: resolves or reads the lock, fetches, verifies, assembles, signs, packs, and verifies the result.

Outputs are written beside their final folder and moved there together: a build that is killed leaves nothing that
looks like a bundle.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bundler.fetch.download import Downloader
from bundler.fetch.store import Store
from bundler.flow import fetch_pins, lock_fit, secret_policy
from bundler.flow.build import reuse, seal_policy
from bundler.flow.build.outputs import BuildOptions, Built, OutputPlan, OutputResult
from bundler.flow.build.plans import BuildContext
from bundler.flow.build.write import write
from bundler.flow.project import Project
from bundler.model.progress import Progress
from bundler.signing.script_signature import require_ready
from bundler.signing.seal import describe

_LOG = logging.getLogger(__name__)


def build(
    project: Project,
    options: BuildOptions,
    downloader: Downloader,
    store: Store,
    *,
    at: datetime,
    environment: Mapping[str, str],
    progress: Progress,
) -> Built:
    """Make every output of the definition under ``output/<name>/<version>/``.

    1. Refuse what definition and keys do not allow, before anything is fetched.
    2. Read the lock, or resolve one.
    3. Where the final folder exists, verify that it holds exactly what this build makes; done.
    4. Assemble the trees, fetch every pin into the store, verify each pin from the stored bytes, scan for secrets.
    5. Sign and seal. Keys are used only now: a token, or the person at it, signs verified packages alone.
    6. Write, read back, and move the outputs to their final folder.

    Args:
        project: The loaded definition.
        options: Output folder, lock path, keys and passwords.
        downloader: Fetches pins that the store lacks.
        store: Content-addressed cache.
        at: Time of the build; signatures and certificates are verified for it.
        environment: Variables that the definition's version may name.
        progress: Receives the written bytes.

    Returns:
        What was made, or found unchanged: either all outputs exist, verified, or none does.

    Raises:
        BundlerError: any of its kinds, as the steps raise them.

    """
    seal_policy.require_sealer(project, options.sealer, at)
    if options.script_key:
        require_ready(options.script_key, at)
    embedded = project.product.embedded_secret(project.definition)
    secret_policy.require_allowed(embedded, options.secret, allowed=options.allow_embedded_secret)
    obtained = lock_fit.obtain(
        options.lock_path, project, downloader, locked=options.locked, at=at, environment=environment
    )
    lock = obtained.lock
    seal_policy.require_in_time(project, lock, at)
    context = BuildContext(project, options, lock, store, at)
    _LOG.debug("building %s %s from the lock of %s", lock.name, lock.version, lock.created)
    if context.final.exists():
        return replace(_built(context, *reuse.find(context), unchanged=True), lock_written=obtained.written)
    unsigned = context.plans()
    fetch_pins.fetch(lock, downloader, project.path.parent)
    fetch_pins.verify_pins(lock, store, anchors=project.anchors, at=at, product=project.product)
    secret_policy.refuse_leaks(embedded, (plan.tree for plan in unsigned), options.secret)
    plans = context.signed_plans(unsigned)
    built = _built(context, plans, write(context, plans, progress), unchanged=False)
    return replace(built, lock_written=obtained.written)


def _built(
    context: BuildContext, plans: tuple[OutputPlan, ...], results: tuple[OutputResult, ...], *, unchanged: bool
) -> Built:
    approval, sealer = context.project.definition.approval, context.options.sealer
    manifests = [plan.manifest for plan in plans]
    signers = (one.scripts_signed_by for one in manifests)
    return Built(
        name=context.lock.name,
        version=context.lock.version,
        folder=context.final.as_posix(),
        lab=context.project.anchors.lab,
        unchanged=unchanged,
        sealed_by=describe(sealer).signer if sealer else None,
        scripts_signed_by=next(filter(None, signers), None),
        missing_approvals=max(0, *(approval.required - one.approvals for one in results)) if approval else 0,
        unusual=tuple(dict.fromkeys(line for one in manifests for line in one.unusual)),
        outputs=results,
    )
