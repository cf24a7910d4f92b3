"""Make the bundle: plan, fetch, believe, render, pack, and check what was packed.

Written beside its final name and moved there whole: a killed build leaves nothing that looks like a bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bundler.errors import LockError, NotBelieved, WriteError
from bundler.fetch.download import Downloader
from bundler.fetch.store import Store
from bundler.flow import assemble, fetching, lock_file
from bundler.flow import lock as locks
from bundler.flow import verify as verifying
from bundler.flow.plan import file_name
from bundler.flow.site import Site
from bundler.model.lock import Lock
from bundler.model.progress import Progress
from bundler.model.tree import Tree
from bundler.model.value import value
from bundler.pack import container, content, manifest, writers
from bundler.pack.staging import Staging
from bundler.products.arc_server.definition import Output

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
    made: tuple[Made, ...]


@dataclass(frozen=True)
class Wish:
    """How a build was asked for."""

    output: Path
    lock_path: Path
    locked: bool = False
    weakened: tuple[str, ...] = ()
    password: Password | None = None


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
    lock = obtain_lock(site, wish, downloader, at=at, environment=environment)
    fetching.fetch(lock, downloader, site.path.parent)
    jobs = _jobs(site, lock, store, wish)
    final = wish.output / lock.name / lock.version
    if final.exists():
        return _unchanged(final, lock, jobs, site, wish)
    fetching.believe(lock, store, anchors=site.anchors, at=at)
    with Staging(final, needed=sum(content.total(job.tree) for job in jobs)) as folder:
        made = tuple(_make(job, folder, final, wish, progress) for job in jobs)
        _check(jobs, folder, wish)
    return _built(final, lock, site, made, unchanged=False)


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
        lock = locks.take(site, downloader, at=at, environment=environment).lock
        lock_file.write(lock, wish.lock_path)
    lock_file.require_fit(lock, site, wish.lock_path)
    return lock


def _jobs(site: Site, lock: Lock, store: Store, wish: Wish) -> tuple[_Job, ...]:
    trees: dict[str, Tree] = {}
    jobs = []
    for output in site.definition.outputs:
        for part in assemble.parts(lock, per_platform=output.archives == "per-platform"):
            if part.suffix not in trees:
                trees[part.suffix] = assemble.tree(part, site=site, lock=lock, store=store, weakened=wish.weakened)
            tree = trees[part.suffix]
            jobs.append(_Job(output, file_name(part, lock, output), tree, manifest.bundle_digest(tree)))
    return tuple(jobs)


def _make(job: _Job, folder: Path, final: Path, wish: Wish, progress: Progress) -> Made:
    password = _password(job.output, wish)
    written = writers.write(job.output.format, job.tree, folder / job.file, progress=progress, password=password)
    if job.output.format != "directory":
        (folder / f"{job.file}.sha256").write_bytes(f"{written.sha256}  {job.file}\n".encode())
    (folder / f"{job.tree.name}.manifest.json").write_bytes(manifest.manifest_bytes(job.tree))
    return Made(
        path=(final / job.file).as_posix(),
        format=job.output.format,
        size=written.size,
        sha256=written.sha256,
        digest=job.digest,
        encrypted=job.output.encrypted,
    )


def _password(output: Output, wish: Wish) -> str | None:
    if not output.encrypted:
        return None
    if wish.password is None:
        raise WriteError(
            f"the {output.format} output is to be encrypted, and there is no password",
            do="give it with `--password-file FILE` or in ARC_BUNDLER_PASSWORD",
        )
    return wish.password()


def _check(jobs: tuple[_Job, ...], folder: Path, wish: Wish) -> None:
    """Read back what was written, as its receiver will; what does not hold is deleted by the staging."""
    for job in jobs:
        found = verifying.hashes(folder / job.file, password=wish.password)
        if found.digest != job.digest:
            raise NotBelieved(
                f"{job.file} was written, but reads back as {found.digest}, not {job.digest}",
                reason="self-check",
                do="check this computer's disk and memory; nothing was kept",
            )


def _unchanged(final: Path, lock: Lock, jobs: tuple[_Job, ...], site: Site, wish: Wish) -> Built:
    made = []
    for job in jobs:
        there = _there(final, job, wish)
        if there is None:
            raise WriteError(
                f"{final / job.file} is already there, or should be, and is not what this build makes",
                do="give the definition another version, or move the old bundle away: it is never overwritten",
            )
        made.append(there)
    return _built(final, lock, site, tuple(made), unchanged=True)


def _there(final: Path, job: _Job, wish: Wish) -> Made | None:
    """The output that an earlier build made, found whole; None where it is missing or differs."""
    path = final / job.file
    beside = final / f"{job.tree.name}.manifest.json"
    if not path.exists() or not beside.exists() or beside.read_bytes() != manifest.manifest_bytes(job.tree):
        return None
    found = _folder_there(path, job, wish) if job.output.format == "directory" else _archive_there(path, job, wish)
    if found is None:
        return None
    size, sha256 = found
    return Made(
        path=path.as_posix(),
        format=job.output.format,
        size=size,
        sha256=sha256,
        digest=job.digest,
        encrypted=job.output.encrypted,
    )


def _folder_there(path: Path, job: _Job, wish: Wish) -> tuple[int, str] | None:
    return (content.total(job.tree), job.digest) if _holds(path, job, wish) else None


def _archive_there(path: Path, job: _Job, wish: Wish) -> tuple[int, str] | None:
    sums = path.with_name(f"{path.name}.sha256")
    sha256 = container.sha256(path)
    whole = sums.exists() and sums.read_bytes() == f"{sha256}  {path.name}\n".encode()
    return (path.stat().st_size, sha256) if whole and _holds(path, job, wish) else None


def _holds(path: Path, job: _Job, wish: Wish) -> bool:
    """Whether this very bundle is in ``path``: that its sum fits says only that whoever wrote both was consistent."""
    try:
        return verifying.hashes(path, password=wish.password).digest == job.digest
    except NotBelieved:
        return False


def _built(final: Path, lock: Lock, site: Site, made: tuple[Made, ...], *, unchanged: bool) -> Built:
    return Built(
        name=lock.name,
        version=lock.version,
        folder=final.as_posix(),
        practice="LAB" if site.anchors.practice else "",
        unchanged=unchanged,
        made=made,
    )
