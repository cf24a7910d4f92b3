"""Does what lies on the disk read back, as its receiver will read it, as the bundle that a build makes?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from bundler.errors import NotBelieved
from bundler.flow import verify
from bundler.flow.job import Job, Wish
from bundler.seal import belief
from bundler.seal.sealing import describe


def require_same(path: Path, job: Job, wish: Wish, at: datetime) -> None:
    """Refuse another bundle than the one of ``job``, sealed by another than the build's own sealer.

    Approvals come later, from others. Raises NotBelieved.
    """
    found = verify.hashes(path, password=wish.password)
    if wish.sealer:
        own = describe(wish.sealer).signer.sha256
        belief.believe_seal(found, belief.Trusted(frozenset([own])), at=at)
    if found.digest != job.digest:
        raise NotBelieved(
            f"{job.file} was written, but reads back as {found.digest}, not {job.digest}",
            reason="self-check",
            do="check this computer's disk and memory; nothing was kept",
        )
