"""Is what a build would make there already, and whole?"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from bundler.errors import VerificationError, WriteError
from bundler.flow import review
from bundler.flow.build.job import BuildOptions, OutputPlan, OutputResult
from bundler.flow.build.self_check import require_same
from bundler.flow.verify import hashes
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle
from bundler.pack import container, content, manifest
from bundler.pack.members import Password
from bundler.trust import approvals

_SEAL = sums.MANIFEST + sums.CMS


class Readings:
    """What earlier outputs hold, read in the background: reading takes one core, putting trees together another."""

    def __init__(self, outputs: Iterable[Path]) -> None:
        """Begin with those of ``outputs`` that are there; whatever needs a password is read when it is asked for."""
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="readings")
        there = [path for path in outputs if path.exists()]
        self._held = {path: self._pool.submit(hashes, path, password=None) for path in there}
        self._sums = {path: self._pool.submit(container.sha256, path) for path in there if path.is_file()}

    def held(self, path: Path, password: Password | None) -> CheckedBundle:
        """Its files, every hash checked. Raises as :func:`bundler.flow.verify.hashes`."""
        known = self._held.get(path)
        return known.result() if known else hashes(path, password=password)

    def sha256(self, path: Path) -> str:
        """Of the archive itself, in hex. Raises :class:`UsageError` where it cannot be read."""
        known = self._sums.get(path)
        return known.result() if known else container.sha256(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)


def found(final: Path, job: OutputPlan, wish: BuildOptions, at: datetime, readings: Readings) -> OutputResult:
    """The output that an earlier build made, found whole. Raises WriteError where it is missing or differs."""
    path = final / job.file
    _require_beside(final, job)
    held = _require_held(path, job, wish, at, readings)
    _require_seal_beside(final / f"{job.tree.name}.{_SEAL}", held)
    approved = _approvals(held, at)
    if job.output.format == "directory":
        return job.made(path, content.total(job.tree), job.digest, approvals=approved)
    return _archive(path, job, readings.sha256(path), approved)


def _approvals(held: CheckedBundle, at: datetime) -> int:
    """How many approvers have signed it; 0 where one of the approvals does not hold, as no server takes it then."""
    with suppress(VerificationError):
        return len(approvals.verify(held, None, (), at=at))
    return 0


def _require_beside(final: Path, job: OutputPlan) -> None:
    """What a reviewer reads without unpacking is that of this very bundle."""
    described = manifest.manifest_bytes(job.tree)
    beside, page = (final / f"{job.tree.name}.{name}" for name in (sums.MANIFEST, review.PATH))
    for file in (final / job.file, beside, page):
        if not file.exists():
            raise something_else(file, "is missing beside what an earlier build made")
    if beside.read_bytes() != described:
        raise something_else(beside, "is of another bundle under this name and version")
    if page.read_bytes() != review.outside(described):
        raise something_else(page, "is not the page of the manifest beside it")


def _require_seal_beside(path: Path, held: CheckedBundle) -> None:
    """The manifest beside is sealed as that in the bundle is, or as little."""
    if (path.read_bytes() if path.exists() else None) != held.signed.get(_SEAL):
        raise something_else(path, "is not the seal of the manifest beside it")


def _archive(path: Path, job: OutputPlan, sha256: str, approved: int) -> OutputResult:
    listed = path.with_name(f"{path.name}.sha256")
    if not listed.exists() or listed.read_bytes() != f"{sha256}  {path.name}\n".encode():
        raise something_else(listed, "does not fit the archive beside it")
    return job.made(path, path.stat().st_size, sha256, approvals=approved)


def _require_held(path: Path, job: OutputPlan, wish: BuildOptions, at: datetime, readings: Readings) -> CheckedBundle:
    """That this very bundle is in ``path``: a sum that fits says only that whoever wrote both was consistent."""
    with suppress(VerificationError):
        held = readings.held(path, wish.password)
        require_same(held, job, wish, at)
        return held
    raise something_else(path, "is not what this build makes")


def something_else(path: Path, why: str) -> WriteError:
    """The refusal of a file that is in the way of a build."""
    return WriteError(
        f"{path} {why}",
        do="give the definition another version, or move the old bundle away: it is never overwritten",
    )
