"""Verifies outputs on the disk: those that an earlier build made, and those that this build has just written."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from bundler.errors import VerificationError, WriteError
from bundler.flow import provenance, review, script_signing
from bundler.flow.build.outputs import BuildOptions, OutputPlan, OutputResult
from bundler.flow.build.plans import BuildContext
from bundler.flow.verify import hashes
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle
from bundler.pack import container
from bundler.pack.members import Password
from bundler.signing.seal import describe
from bundler.signing.signing_key import Sealer
from bundler.trust import approvals, verify_seal

_SEAL = sums.MANIFEST + sums.CMS


class ArchiveCache:
    """CheckedBundle contents of earlier outputs, read in the background while this build puts its trees together."""

    def __init__(self, outputs: Iterable[Path]) -> None:
        """Start reading those of ``outputs`` that exist; an encrypted one is read when it is needed."""
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="archive-cache")
        there = [path for path in outputs if path.exists()]
        self._checked = {path: self._pool.submit(hashes, path, password=None) for path in there}
        self._sums = {path: self._pool.submit(container.sha256, path) for path in there if path.is_file()}

    def checked(self, path: Path, password: Password | None) -> CheckedBundle:
        """The bundle at ``path``, every hash checked. Raises as :func:`bundler.flow.verify.hashes`."""
        known = self._checked.get(path)
        return known.result() if known else hashes(path, password=password)

    def sha256(self, path: Path) -> str:
        """SHA-256 of the archive file in hex. Raises :class:`UsageError` where it cannot be read."""
        known = self._sums.get(path)
        return known.result() if known else container.sha256(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)


def find(context: BuildContext) -> tuple[tuple[OutputPlan, ...], tuple[OutputResult, ...]]:
    """Verify what an earlier build made in the final folder.

    Returns:
        The plans of all outputs, and their results.

    Raises:
        WriteError: a file is missing or differs from what this build makes.

    """
    final, options, at = context.final, context.options, context.at
    key = options.script_key
    # An ECDSA key signs with a random number: its earlier signatures are recognised, because they cannot be repeated.
    kept = (lambda file: script_signing.kept(key, at, final / file, options.password)) if key else (lambda _: None)
    with ArchiveCache(context.readable_outputs()) as cache:
        plans = context.plans(kept)
        results = tuple(_find_one(context, plan, cache) for plan in plans)
    if options.sealer:
        require_provenance(final / context.provenance, plans, results, options.sealer)
    return plans, results


def _find_one(context: BuildContext, plan: OutputPlan, cache: ArchiveCache) -> OutputResult:
    path = context.final / plan.file
    _require_side_files(context.final, plan)
    try:  # the content too: a matching .sha256 only shows that both files were written together
        checked = cache.checked(path, context.options.password)
        verify_output(checked, plan, context.options, context.at)
    except VerificationError:
        raise conflict(path, "differs from what this build makes") from None
    beside = context.final / f"{plan.tree.name}.{_SEAL}"
    seal = checked.signed.get(_SEAL)
    same = not beside.exists() if seal is None else _holds(beside, seal)
    if not same:
        raise conflict(beside, "is not the seal of the manifest next to it")
    approved = 0
    with suppress(VerificationError):  # no server accepts a bundle with one bad approval: then none counts
        approved = len(approvals.verify(checked, None, (), at=context.at))
    if plan.output.format == "directory":
        return plan.result(path, plan.size, plan.digest, approvals=approved)
    sha256, listed = cache.sha256(path), path.with_name(f"{path.name}.sha256")
    if not _holds(listed, f"{sha256}  {path.name}\n".encode()):
        raise conflict(listed, "does not match the archive next to it")
    return plan.result(path, path.stat().st_size, sha256, approvals=approved)


def _holds(file: Path, content: bytes) -> bool:
    """Whether ``file`` is there and has that content; no more of it is read."""
    if not file.exists():
        return False
    with file.open("rb") as opened:
        return opened.read(len(content) + 1) == content


def _require_side_files(final: Path, plan: OutputPlan) -> None:
    """Raise WriteError unless manifest and review page beside the archive are those of this bundle."""
    document = plan.manifest_document
    manifest, page = (final / f"{plan.tree.name}.{name}" for name in (sums.MANIFEST, review.PATH))
    for file in (final / plan.file, manifest, page):
        if not file.exists():
            raise conflict(file, "is missing from the earlier build")
    if not _holds(manifest, document):
        raise conflict(manifest, "belongs to another bundle of this name and version")
    if not _holds(page, review.outside(document)):
        raise conflict(page, "does not match the manifest next to it")


def verify_output(found: CheckedBundle, plan: OutputPlan, options: BuildOptions, at: datetime) -> None:
    """Raise unless the written bundle equals the plan's and is sealed by this build's sealer.

    Approvals are not required: they are added later.

    Raises:
        VerificationError: another sealer, or ``self-check`` for another digest.

    """
    if options.sealer:
        own = describe(options.sealer).signer.sha256
        verify_seal.verify_signatures(found, verify_seal.TrustPolicy(frozenset([own])), at=at)
    if found.digest != plan.digest:
        raise VerificationError(
            f"{plan.file} was written, but reads back as {found.digest}, not {plan.digest}",
            reason="self-check",
            do="check this computer's disk and memory; nothing was kept",
        )


def require_provenance(
    path: Path, plans: Iterable[OutputPlan], results: Iterable[OutputResult], sealer: Sealer
) -> None:
    """Raise WriteError unless the provenance file at ``path`` is sealed by ``sealer`` and covers every bundle.

    It must name every archive, too, unless approvals were added since.
    """
    document = provenance.read(path)
    if document is None:
        raise conflict(path, "is missing from the earlier build")
    try:
        for plan in plans:
            provenance.check(document, sealer.key.certificates[0], plan.manifest, digest=plan.digest)
        named = provenance.subjects(document, sealer.key.certificates[0])
    except VerificationError as error:
        raise conflict(path, f"does not describe what this build makes: {error.what}") from error
    for result in results:
        if not result.approvals and result.sha256 not in named:
            raise conflict(Path(result.path), "is not an archive that its provenance names")


def conflict(path: Path, why: str) -> WriteError:
    """The error for an existing file that differs from what a build makes."""
    return WriteError(
        f"{path} {why}",
        do="give the definition another version, or move the old bundle away: it is never overwritten",
    )
