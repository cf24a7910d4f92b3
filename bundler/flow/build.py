"""Make the bundle: plan, fetch, believe, render, pack, and check what was packed.

Written beside its final name and moved there whole: a killed build leaves nothing that looks like a bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bundler.errors import LockError, NotBelieved, WriteError
from bundler.fetch.download import Downloader
from bundler.fetch.store import Store
from bundler.flow import assemble, embedding, fetching, lock_file, provenance, review, script_signing, vouching
from bundler.flow import verify as verifying
from bundler.flow.plan import file_name
from bundler.flow.script_signing import Signing
from bundler.flow.site import Site
from bundler.formats import records
from bundler.model.lock import Lock
from bundler.model.manifest import Manifest
from bundler.model.progress import Progress
from bundler.model.seal import Signer
from bundler.model.tree import Tree
from bundler.model.value import value
from bundler.pack import container, content, manifest, writers
from bundler.pack.staging import Staging
from bundler.products.arc_server.definition import Output
from bundler.seal import belief, sums
from bundler.seal.check import Checked
from bundler.seal.script_signature import require_ready
from bundler.seal.sealing import describe
from bundler.seal.signing import Sealer, SigningKey

Password = Callable[[], str]


@value
class Made:
    """One output of a build."""

    path: str
    format: str
    size: int
    """Bytes; for a directory the sum of its files."""
    sha256: str
    """Of the archive; for a directory, and to compare on the far side, see ``digest``."""
    digest: str
    """SHA-256 of the bundle's SHA256SUMS: what the far side compares."""
    encrypted: bool = False


@value
class Built:
    """What a build ends with."""

    name: str
    version: str
    folder: str
    practice: str
    unchanged: bool
    """True where the same bundle was there already, found whole."""
    sealed_by: Signer | None = None
    """None where nobody sealed it: the far side cannot tell who made it."""
    scripts_signed_by: Signer | None = None
    """None where nobody signed the PowerShell scripts, or there are none."""
    not_yet_approved: int = 0
    """Approvals that a server will demand and that nobody has given yet."""
    made: tuple[Made, ...]


@dataclass(frozen=True)
class Wish:
    """How a build was asked for."""

    output: Path
    lock_path: Path
    locked: bool = False
    weakened: tuple[str, ...] = ()
    password: Password | None = None
    sealer: Sealer | None = None
    script_key: SigningKey | None = None
    """Signs the PowerShell scripts; None leaves them unsigned."""
    secret: str = ""
    """The secret that the servers will need, where this build was given it: to embed it, or to see that nobody did."""
    allow_embedded_secret: bool = False


@dataclass(frozen=True)
class _Job:
    """One output still to be made."""

    output: Output
    file: str
    tree: Tree
    digest: str


def build(
    site: Site,
    wish: Wish,
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
    vouching.require_sealer(site, wish.sealer, at)
    key = wish.script_key
    if key:
        require_ready(key, at)
    embedding.require_allowed(site.definition, wish.secret, allowed=wish.allow_embedded_secret)
    lock = obtain_lock(site, wish, downloader, at=at, environment=environment)
    jobs = _jobs(site, lock, store, wish)
    final = wish.output / lock.name / lock.version
    if final.exists():
        if key:
            # A key that draws at random would sign another way: what it signed then is recognised, not made again.
            jobs = _jobs(
                site, lock, store, wish, lambda file: script_signing.kept(key, at, final / file, wish.password)
            )
        return _unchanged(final, lock, jobs, site, wish, at)
    fetching.fetch(lock, downloader, site.path.parent)
    fetching.believe(lock, store, anchors=site.anchors, at=at)
    embedding.refuse_leaks(site.definition, (job.tree for job in jobs), wish.secret)
    # Not before everything is believed: a key in a token, or its owner, is asked to vouch for nothing else.
    if key:
        by = script_signing.by(key, at)
        jobs = _jobs(site, lock, store, wish, lambda _: by)
    jobs = _sealed(jobs, wish.sealer)
    with Staging(final, needed=sum(content.total(job.tree) for job in jobs)) as folder:
        made = tuple(_make(job, folder, final, wish, progress) for job in jobs)
        _attest(lock, jobs, made, folder, wish.sealer)
        _check(jobs, folder, wish, at)
    return _built(final, lock, jobs, site, wish, made, unchanged=False)


def obtain_lock(
    site: Site, wish: Wish, downloader: Downloader, *, at: datetime, environment: Mapping[str, str]
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

        lock = locks.take(site, downloader, at=at, environment=environment).lock
        lock_file.write(lock, wish.lock_path)
    lock_file.require_fit(lock, site, wish.lock_path)
    return lock


def _jobs(
    site: Site, lock: Lock, store: Store, wish: Wish, scripts_by: Callable[[str], Signing | None] = lambda _: None
) -> tuple[_Job, ...]:
    """Every output, with its tree; ``scripts_by`` says who signs the scripts of the first that has that tree."""
    trees: dict[str, Tree] = {}
    jobs = []
    for output in site.definition.outputs:
        for part in assemble.parts(lock, per_platform=output.archives == "per-platform"):
            if part.suffix not in trees:
                trees[part.suffix] = assemble.tree(
                    part,
                    site=site,
                    lock=lock,
                    store=store,
                    weakened=wish.weakened,
                    sealer=wish.sealer,
                    scripts_by=scripts_by(file_name(part, lock, output)),
                    secret=wish.secret,
                )
            tree = trees[part.suffix]
            jobs.append(_Job(output, file_name(part, lock, output), tree, manifest.bundle_digest(tree)))
    return tuple(jobs)


def _sealed(jobs: Iterable[_Job], sealer: Sealer | None) -> tuple[_Job, ...]:
    """The jobs with the seals in their trees; each tree is sealed once, whatever it is wrapped in."""
    trees: dict[str, Tree] = {}
    for job in jobs:
        if job.tree.name not in trees:
            trees[job.tree.name] = vouching.sealed(job.tree, sealer)
    return tuple(replace(job, tree=trees[job.tree.name]) for job in jobs)


def _make(job: _Job, folder: Path, final: Path, wish: Wish, progress: Progress) -> Made:
    password = _password(job.output, wish)
    written = writers.write(job.output.format, job.tree, folder / job.file, progress=progress, password=password)
    if job.output.format != "directory":
        (folder / f"{job.file}.sha256").write_bytes(f"{written.sha256}  {job.file}\n".encode())
    _beside(job, folder)
    return Made(
        path=(final / job.file).as_posix(),
        format=job.output.format,
        size=written.size,
        sha256=written.sha256,
        digest=job.digest,
        encrypted=job.output.encrypted,
    )


def _beside(job: _Job, folder: Path) -> None:
    """What a reviewer reads without unpacking: the manifest, the page that is made of it, and the seal over it."""
    described = manifest.manifest_bytes(job.tree)
    (folder / f"{job.tree.name}.manifest.json").write_bytes(described)
    (folder / f"{job.tree.name}.{review.PATH}").write_bytes(review.outside(described))
    seal = sums.MANIFEST + sums.CMS
    if any(entry.path == seal for entry in job.tree.entries):
        (folder / f"{job.tree.name}.{seal}").write_bytes(manifest.document(job.tree, seal))


def _attest(lock: Lock, jobs: tuple[_Job, ...], made: tuple[Made, ...], folder: Path, sealer: Sealer | None) -> None:
    """How the archives came to be, signed: what nobody signs says nothing, so there is none without a seal."""
    if sealer is None:
        return
    archives = [
        provenance.archive(job.file, one.sha256)
        for job, one in zip(jobs, made, strict=True)
        if one.format != "directory"
    ]
    bundles = [provenance.bundle(job.tree.name, job.digest) for job in jobs]
    said = provenance.statement(lock, _manifest(jobs[0]), (*archives, *bundles))
    path = folder / provenance.file_name(lock.name, lock.version)
    path.write_bytes(provenance.signed(said, sealer.key))
    _require_attested(path, jobs, sealer)


def _require_attested(path: Path, jobs: tuple[_Job, ...], sealer: Sealer) -> None:
    """Raises WriteError where the provenance is missing, or is not of every bundle."""
    document = provenance.read(path)
    if document is None:
        raise _something_else(path, "is missing beside what an earlier build made")
    try:
        for job in jobs:
            provenance.check(document, sealer.key.certificates[0], _manifest(job), digest=job.digest)
    except NotBelieved as error:
        raise _something_else(path, f"is not of what this build makes: {error.what}") from error


def _manifest(job: _Job) -> Manifest:
    return records.from_json(Manifest, manifest.manifest_bytes(job.tree))


def _password(output: Output, wish: Wish) -> str | None:
    if not output.encrypted:
        return None
    if wish.password is None:
        raise WriteError(
            f"the {output.format} output is to be encrypted, and there is no password",
            do="give it with `--password-file FILE` or in ARC_BUNDLER_PASSWORD",
        )
    return wish.password()


def _check(jobs: tuple[_Job, ...], folder: Path, wish: Wish, at: datetime) -> None:
    """Read back what was written, as its receiver will; what does not hold is deleted by the staging."""
    for job in jobs:
        found = verifying.hashes(folder / job.file, password=wish.password)
        _believe_seal(found, wish, at)
        if found.digest != job.digest:
            raise NotBelieved(
                f"{job.file} was written, but reads back as {found.digest}, not {job.digest}",
                reason="self-check",
                do="check this computer's disk and memory; nothing was kept",
            )


def _believe_seal(found: Checked, wish: Wish, at: datetime) -> None:
    """The seal of this build's own sealer; approvals come later, from others."""
    if wish.sealer:
        own = describe(wish.sealer).signer.sha256
        belief.believe_seal(found, belief.Trusted(frozenset([own])), at=at)


def _unchanged(final: Path, lock: Lock, jobs: tuple[_Job, ...], site: Site, wish: Wish, at: datetime) -> Built:
    made = tuple(_there(final, job, wish, at) for job in jobs)
    if wish.sealer:
        _require_attested(final / provenance.file_name(lock.name, lock.version), jobs, wish.sealer)
    return _built(final, lock, jobs, site, wish, made, unchanged=True)


def _there(final: Path, job: _Job, wish: Wish, at: datetime) -> Made:
    """The output that an earlier build made, found whole. Raises WriteError where it is missing or differs."""
    path = final / job.file
    described = manifest.manifest_bytes(job.tree)
    beside, page = (final / f"{job.tree.name}.{name}" for name in (sums.MANIFEST, review.PATH))
    for file in (path, beside, page):
        if not file.exists():
            raise _something_else(file, "is missing beside what an earlier build made")
    if beside.read_bytes() != described:
        raise _something_else(beside, "is of another bundle under this name and version")
    if page.read_bytes() != review.outside(described):
        raise _something_else(page, "is not the page of the manifest beside it")
    size, sha256 = (
        _folder_there(path, job, wish, at) if job.output.format == "directory" else _archive_there(path, job, wish, at)
    )
    return Made(
        path=path.as_posix(),
        format=job.output.format,
        size=size,
        sha256=sha256,
        digest=job.digest,
        encrypted=job.output.encrypted,
    )


def _something_else(path: Path, why: str) -> WriteError:
    return WriteError(
        f"{path} {why}",
        do="give the definition another version, or move the old bundle away: it is never overwritten",
    )


def _folder_there(path: Path, job: _Job, wish: Wish, at: datetime) -> tuple[int, str]:
    _require_held(path, job, wish, at)
    return content.total(job.tree), job.digest


def _archive_there(path: Path, job: _Job, wish: Wish, at: datetime) -> tuple[int, str]:
    sums = path.with_name(f"{path.name}.sha256")
    # The archive's own sum and those of the files in it: two readings, one for each core.
    with ThreadPoolExecutor(1) as beside:
        summed = beside.submit(container.sha256, path)
        _require_held(path, job, wish, at)
        sha256 = summed.result()
    if not sums.exists() or sums.read_bytes() != f"{sha256}  {path.name}\n".encode():
        raise _something_else(sums, "does not fit the archive beside it")
    return path.stat().st_size, sha256


def _require_held(path: Path, job: _Job, wish: Wish, at: datetime) -> None:
    """That this very bundle is in ``path``: a sum that fits says only that whoever wrote both was consistent."""
    with suppress(NotBelieved):
        found = verifying.hashes(path, password=wish.password)
        _believe_seal(found, wish, at)
        if found.digest == job.digest:
            return
    raise _something_else(path, "is not what this build makes")


def _built(
    final: Path,
    lock: Lock,
    jobs: Iterable[_Job],
    site: Site,
    wish: Wish,
    made: tuple[Made, ...],
    *,
    unchanged: bool,
) -> Built:
    approval = site.definition.approval
    signers = (_manifest(job).scripts_signed_by for job in jobs)
    return Built(
        name=lock.name,
        version=lock.version,
        folder=final.as_posix(),
        practice="LAB" if site.anchors.practice else "",
        unchanged=unchanged,
        sealed_by=describe(wish.sealer).signer if wish.sealer else None,
        scripts_signed_by=next(filter(None, signers), None),
        not_yet_approved=approval.required if approval else 0,
        made=made,
    )
