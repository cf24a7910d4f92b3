"""Does what lies on the disk read back, as its receiver will read it, as the bundle that a build makes?"""

from __future__ import annotations

from datetime import datetime

from bundler.errors import VerificationError
from bundler.flow.build.job import BuildOptions, OutputPlan
from bundler.integrity.check import CheckedBundle
from bundler.signing.seal import describe
from bundler.trust import verify_seal


def require_same(found: CheckedBundle, job: OutputPlan, wish: BuildOptions, at: datetime) -> None:
    """Refuse another bundle than the one of ``job``, or one that another than the build's own sealer sealed.

    Approvals come later, from others. Raises VerificationError.
    """
    if wish.sealer:
        own = describe(wish.sealer).signer.sha256
        verify_seal.verify_signatures(found, verify_seal.TrustPolicy(frozenset([own])), at=at)
    if found.digest != job.digest:
        raise VerificationError(
            f"{job.file} was written, but reads back as {found.digest}, not {job.digest}",
            reason="self-check",
            do="check this computer's disk and memory; nothing was kept",
        )
