"""Make the bundle: plan, fetch, believe, render, pack, and check what was packed.

Written beside its final name and moved there whole: a killed build leaves nothing that looks like a bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bundler.definition.common import Output
from bundler.errors import LockError, WriteError
from bundler.fetch.download import Downloader
from bundler.fetch.store import Store
from bundler.flow import fetch_pins, lock_file, provenance, review, script_signing, secret_policy
from bundler.flow.build import assemble, attesting, reuse, seal_policy, self_check
from bundler.flow.build.job import BuildOptions, OutputPlan, OutputResult
from bundler.flow.build.outputs import Part, Planned, planned
from bundler.flow.project import Project
from bundler.flow.script_signing import Signing
from bundler.flow.verify import hashes
from bundler.integrity import sums
from bundler.model.frozen import frozen
from bundler.model.lock import Lock
from bundler.model.progress import Progress
from bundler.model.seal import Signer
from bundler.model.tree import Tree
from bundler.pack import content, manifest, writers
from bundler.pack.staging import Staging
from bundler.signing.script_signature import require_ready
from bundler.signing.seal import describe
from bundler.signing.signing_key import Sealer

SignedBy = Callable[[str], Signing | None]
"""Who signs the scripts of the output with this file name."""


@frozen
class Built:
    """What a build ends with."""

    name: str
    version: str
    folder: str
    lab: bool
    unchanged: bool
    """True where the same bundle was there already, found whole."""
    sealed_by: Signer | None = None
    """None where nobody sealed it: the far side cannot tell who made it."""
    scripts_signed_by: Signer | None = None
    """None where nobody signed the PowerShell scripts, or there are none."""
    not_yet_approved: int = 0
    """Approvals that a server will demand and that nobody has given yet, of the output that lacks most."""
    unusual: tuple[str, ...] = ()
    """What the manifest says that a reviewer should look at twice: a secret inside, a root that travels."""
    made: tuple[OutputResult, ...]


@dataclass(frozen=True)
class _Basis:
    """Everything that the outputs of one build follow from."""

    project: Project
    wish: BuildOptions
    lock: Lock
    store: Store
    at: datetime

    @property
    def final(self) -> Path:
        """Where all outputs go."""
        return self.wish.output / self.lock.name / self.lock.version

    @property
    def provenance(self) -> str:
        """Name of the file that says how they came to be."""
        return provenance.file_name(self.lock.name, self.lock.version)

    @property
    def planned(self) -> Iterable[Planned]:
        """Every output, in the definition's order."""
        return planned(self.lock, self.project.definition.outputs)

    def outputs(self) -> Iterable[Path]:
        """Where the outputs are, or will be, that can be read without a password."""
        return (self.final / one.file for one in self.planned if not one.output.encrypted)

    def jobs(self, scripts_by: SignedBy = lambda _: None) -> tuple[OutputPlan, ...]:
        """Every output, with its tree; ``scripts_by`` says who signs the scripts of the first that has that tree."""
        trees: dict[str, Tree] = {}
        jobs = []
        for one in self.planned:
            if one.part.name not in trees:
                trees[one.part.name] = self._tree(one.part, scripts_by(one.file))
            tree = trees[one.part.name]
            jobs.append(OutputPlan(one.output, one.file, tree, manifest.bundle_digest(tree)))
        return tuple(jobs)

    def _tree(self, part: Part, scripts_by: Signing | None) -> Tree:
        return assemble.tree(
            part,
            project=self.project,
            lock=self.lock,
            store=self.store,
            sealer=self.wish.sealer,
            scripts_by=scripts_by,
            secret=self.wish.secret,
        )


def build(
    project: Project,
    wish: BuildOptions,
    downloader: Downloader,
    store: Store,
    *,
    at: datetime,
    environment: Mapping[str, str],
    progress: Progress,
) -> Built:
    """Make every output of the definition under ``output/<name>/<version>/``.

    Raises what any step raises; afterwards either all outputs are there, checked, or none is.
    """
    _require_allowed(project, wish, at)
    lock = obtain_lock(project, wish, downloader, at=at, environment=environment)
    seal_policy.require_in_time(project, lock, at)
    basis = _Basis(project, wish, lock, store, at)
    if basis.final.exists():
        with reuse.Readings(basis.outputs()) as readings:
            return _unchanged(basis, readings)
    unsigned = basis.jobs()
    fetch_pins.fetch(lock, downloader, project.path.parent)
    fetch_pins.believe(lock, store, anchors=project.anchors, at=at)
    secret_policy.refuse_leaks(project.definition, (job.tree for job in unsigned), wish.secret)
    # Not before everything is believed: a key in a token, or its owner, is asked to vouch for nothing else.
    return _made(basis, _sealed(_signed(basis, unsigned), wish.sealer), progress)


def _require_allowed(project: Project, wish: BuildOptions, at: datetime) -> None:
    """Refuse, before anything is fetched, what the definition or the keys do not allow."""
    seal_policy.require_sealer(project, wish.sealer, at)
    if wish.script_key:
        require_ready(wish.script_key, at)
    secret_policy.require_allowed(project.definition, wish.secret, allowed=wish.allow_embedded_secret)


def obtain_lock(
    project: Project, wish: BuildOptions, downloader: Downloader, *, at: datetime, environment: Mapping[str, str]
) -> Lock:
    """The lock that is there, held against the definition; without one it is taken.

    Raises LockError where the wish forbids taking one, or the lock does not fit, and what taking one raises.
    """
    lock = lock_file.read(wish.lock_path)
    if lock is None:
        if wish.locked:
            raise LockError(
                f"there is no lock at {wish.lock_path}, and --locked forbids taking one",
                do="run `arc-bundler lock`, review the file, commit it",
            )
        # Only here: a build from a lock needs none of the sources, nor what judges their documents.
        from bundler.flow import lock as locks

        lock = locks.resolve(project, downloader, at=at, environment=environment).lock
        lock_file.write(lock, wish.lock_path)
    lock_file.require_fit(lock, project, wish.lock_path)
    return lock


def _signed(basis: _Basis, unsigned: tuple[OutputPlan, ...]) -> tuple[OutputPlan, ...]:
    key = basis.wish.script_key
    if key is None:
        return unsigned
    by = script_signing.by(key, basis.at)
    return basis.jobs(lambda _: by)


def _sealed(jobs: Iterable[OutputPlan], sealer: Sealer | None) -> tuple[OutputPlan, ...]:
    """The jobs with the seals in their trees; each tree is sealed once, whatever it is wrapped in."""
    trees: dict[str, Tree] = {}
    for job in jobs:
        if job.tree.name not in trees:
            trees[job.tree.name] = seal_policy.sealed(job.tree, sealer)
    return tuple(replace(job, tree=trees[job.tree.name]) for job in jobs)


def _unchanged(basis: _Basis, readings: reuse.Readings) -> Built:
    """What an earlier build made, found whole. Raises WriteError where it is something else."""
    final, wish, at = basis.final, basis.wish, basis.at
    key = wish.script_key
    # A key that draws at random would sign another way: what it signed then is recognised, not made again.
    kept = (lambda file: script_signing.kept(key, at, final / file, wish.password)) if key else (lambda _: None)
    jobs = basis.jobs(kept)
    made = tuple(reuse.found(final, job, wish, at, readings) for job in jobs)
    if wish.sealer:
        attesting.require_attested(final / basis.provenance, jobs, wish.sealer)
    return _built(basis, jobs, made, unchanged=True)


def _made(basis: _Basis, jobs: tuple[OutputPlan, ...], progress: Progress) -> Built:
    """Write every output, and read each back; what does not hold is deleted by the staging."""
    wish = basis.wish
    with Staging(basis.final, needed=sum(content.total(job.tree) for job in jobs)) as folder:
        made = tuple(_make(job, folder, basis.final, wish, progress) for job in jobs)
        if wish.sealer:  # what nobody signs says nothing
            attesting.attest(basis.lock, jobs, made, folder, wish.sealer)
        for job in jobs:
            self_check.require_same(hashes(folder / job.file, password=wish.password), job, wish, basis.at)
    return _built(basis, jobs, made, unchanged=False)


def _make(job: OutputPlan, folder: Path, final: Path, wish: BuildOptions, progress: Progress) -> OutputResult:
    password = _password(job.output, wish)
    written = writers.write(job.output.format, job.tree, folder / job.file, progress=progress, password=password)
    if job.output.format != "directory":
        (folder / f"{job.file}.sha256").write_bytes(f"{written.sha256}  {job.file}\n".encode())
    _beside(job, folder)
    return job.made(final / job.file, written.size, written.sha256)


def _beside(job: OutputPlan, folder: Path) -> None:
    """What a reviewer reads without unpacking: the manifest, the page that is made of it, and the seal over it."""
    described = manifest.manifest_bytes(job.tree)
    (folder / f"{job.tree.name}.manifest.json").write_bytes(described)
    (folder / f"{job.tree.name}.{review.PATH}").write_bytes(review.outside(described))
    seal = sums.MANIFEST + sums.CMS
    if any(entry.path == seal for entry in job.tree.entries):
        (folder / f"{job.tree.name}.{seal}").write_bytes(manifest.document(job.tree, seal))


def _password(output: Output, wish: BuildOptions) -> str | None:
    if not output.encrypted:
        return None
    if wish.password is None:
        raise WriteError(
            f"the {output.format} output is to be encrypted, and there is no password",
            do="give it with `--password-file FILE` or in ARC_BUNDLER_PASSWORD",
        )
    return wish.password()


def _built(basis: _Basis, jobs: Iterable[OutputPlan], made: tuple[OutputResult, ...], *, unchanged: bool) -> Built:
    approval, sealer = basis.project.definition.approval, basis.wish.sealer
    manifests = [job.manifest for job in jobs]
    signers = (one.scripts_signed_by for one in manifests)
    return Built(
        name=basis.lock.name,
        version=basis.lock.version,
        folder=basis.final.as_posix(),
        lab=basis.project.anchors.lab,
        unchanged=unchanged,
        sealed_by=describe(sealer).signer if sealer else None,
        scripts_signed_by=next(filter(None, signers), None),
        not_yet_approved=max(0, *(approval.required - one.approvals for one in made)) if approval else 0,
        unusual=tuple(dict.fromkeys(line for one in manifests for line in one.unusual)),
        made=made,
    )
