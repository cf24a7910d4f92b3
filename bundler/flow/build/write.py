"""Writes a build's outputs into a staging folder, reads them back, and moves them to their final folder together."""

from __future__ import annotations

from pathlib import Path

from bundler.errors import WriteError
from bundler.flow import provenance, review
from bundler.flow.build import reuse
from bundler.flow.build.outputs import BuildOptions, OutputPlan, OutputResult
from bundler.flow.build.plans import BuildContext
from bundler.flow.verify import hashes
from bundler.formats.in_toto import Resource
from bundler.integrity import sums
from bundler.model.progress import Progress
from bundler.pack import manifest, writers
from bundler.pack.staging import Staging


def write(context: BuildContext, plans: tuple[OutputPlan, ...], progress: Progress) -> tuple[OutputResult, ...]:
    """Write every output and verify it; a failure deletes the staging folder with all of them.

    Raises:
        WriteError: disk space, permissions, an output that exists already, or a 7z in which py7zr finds other files.
        VerificationError: an output reads back as another bundle.
        SigningError: the provenance could not be signed.

    """
    options = context.options
    with Staging(context.final, needed=sum(plan.size for plan in plans)) as folder:
        results = tuple(_write_one(plan, folder, context, progress) for plan in plans)
        if options.sealer:  # unsigned provenance proves nothing
            path = folder / context.provenance
            path.write_bytes(provenance.signed(_statement(context, plans, results), options.sealer.key))
            reuse.require_provenance(path, plans, results, options.sealer)
        for plan in plans:
            found = hashes(folder / plan.file, password=options.password)
            reuse.verify_output(found, plan, options, context.at)
            _require_second_reader(folder, plan, options)
    return results


def _require_second_reader(folder: Path, plan: OutputPlan, options: BuildOptions) -> None:
    """Require that another program finds in a 7z what our own reader found in it."""
    if plan.output.format == "7z":
        from bundler.pack import second_reader

        second_reader.require_same(folder / plan.file, plan.tree, _password(plan, options), name=plan.file)


def _statement(context: BuildContext, plans: tuple[OutputPlan, ...], results: tuple[OutputResult, ...]) -> bytes:
    """The provenance statement; its subjects are the archives, and each bundle's SHA256SUMS, however packed."""
    archives = [
        Resource(plan.file, result.sha256)
        for plan, result in zip(plans, results, strict=True)
        if result.format != "directory"
    ]
    bundles = [Resource(f"{plan.tree.name}/{sums.SUMS}", plan.digest) for plan in plans]
    return provenance.statement(context.lock, plans[0].manifest, (*archives, *bundles))


def _write_one(plan: OutputPlan, folder: Path, context: BuildContext, progress: Progress) -> OutputResult:
    password = _password(plan, context.options)
    written = writers.write(plan.output.format, plan.tree, folder / plan.file, progress=progress, password=password)
    if plan.output.format != "directory":
        (folder / f"{plan.file}.sha256").write_bytes(f"{written.sha256}  {plan.file}\n".encode())
    # What a reviewer reads without unpacking: the manifest, the review page, and the seal over the manifest.
    document = plan.manifest_document
    (folder / f"{plan.tree.name}.manifest.json").write_bytes(document)
    (folder / f"{plan.tree.name}.{review.PATH}").write_bytes(review.outside(document))
    seal = sums.MANIFEST + sums.CMS
    if any(entry.path == seal for entry in plan.tree.entries):
        (folder / f"{plan.tree.name}.{seal}").write_bytes(manifest.document(plan.tree, seal))
    return plan.result(context.final / plan.file, written.size, written.sha256)


def _password(plan: OutputPlan, options: BuildOptions) -> str | None:
    if not plan.output.encrypted:
        return None
    if options.password is None:
        raise WriteError(
            f"the {plan.output.format} output must be encrypted, and no password was given",
            do="give it with `--password-file FILE` or in ARC_BUNDLER_PASSWORD",
        )
    return options.password()
