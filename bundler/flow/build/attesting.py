"""Is it stated and signed beside the archives how they came to be?"""

from __future__ import annotations

from pathlib import Path

from bundler.errors import VerificationError
from bundler.flow import provenance
from bundler.flow.build.job import OutputPlan, OutputResult
from bundler.flow.build.reuse import something_else
from bundler.model.lock import Lock
from bundler.signing.signing_key import Sealer


def attest(
    lock: Lock, jobs: tuple[OutputPlan, ...], made: tuple[OutputResult, ...], folder: Path, sealer: Sealer
) -> None:
    """Write the provenance of what was ``made`` in ``folder``, signed by the sealer, and read it back.

    Raises SigningError, WriteError.
    """
    archives = [
        provenance.archive(job.file, one.sha256)
        for job, one in zip(jobs, made, strict=True)
        if one.format != "directory"
    ]
    bundles = [provenance.bundle(job.tree.name, job.digest) for job in jobs]
    said = provenance.statement(lock, jobs[0].manifest, (*archives, *bundles))
    path = folder / provenance.file_name(lock.name, lock.version)
    path.write_bytes(provenance.signed(said, sealer.key))
    require_attested(path, jobs, sealer)


def require_attested(path: Path, jobs: tuple[OutputPlan, ...], sealer: Sealer) -> None:
    """Raises WriteError where the provenance is missing, or is not of every bundle."""
    document = provenance.read(path)
    if document is None:
        raise something_else(path, "is missing beside what an earlier build made")
    try:
        for job in jobs:
            provenance.check(document, sealer.key.certificates[0], job.manifest, digest=job.digest)
    except VerificationError as error:
        raise something_else(path, f"is not of what this build makes: {error.what}") from error
