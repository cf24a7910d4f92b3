"""Thousands of mutants of each archive: what is accepted is unpacked by every unpacker as the original is.

For each container the run prints how many mutants were made, how many were accepted, and how many of these an unpacker
unpacks otherwise: other content, modes, links, files or folders, or not at all. The last number must be zero.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import random
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import py7zr
import pytest

from bundler.errors import UsageError, VerificationError
from bundler.integrity.check import check
from bundler.model.progress import NullProgress
from bundler.model.tree import Blob, Tree
from bundler.pack import container, manifest, sevenzip_cipher, writers
from tests.support import mutants, sevenzip_forge, thorough, trees, unpackers, zip_parts
from tests.support.printed import PROPERTY
from tests.support.unpackers import PASSWORD, UNPACKERS, Unpacker

pytestmark = pytest.mark.timeout(7200 if thorough.THOROUGH else 300)

MADE = {
    **dict.fromkeys(("zip", "tar.gz", "7z"), thorough.count(2500, 100_000)),
    "7z encrypted": thorough.count(600, 20_000),
}
OTHERWISE_PACKED = thorough.count(80, 3000)
"""Archives with the same headers and other streams, which a reader has to accept."""
NEEDED = 50
"""Accepted ones, of the containers in which streams may be packed otherwise."""
KINDS = ("zip", "tar.gz", "7z", "7z encrypted")
State = dict[str, tuple[str, int, bytes]]


@pytest.fixture(autouse=True)
def _one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive the key of each password once: it takes its time on purpose."""
    monkeypatch.setattr(sevenzip_cipher, "key", lru_cache(sevenzip_cipher.key))
    monkeypatch.setattr(py7zr.compressor, "calculate_key", lru_cache(py7zr.compressor.calculate_key))


def genuine(kind: str, folder: Path) -> bytes:
    kind, _, encrypted = kind.partition(" ")
    out = folder / "genuine"
    password = PASSWORD if encrypted else None
    writers.write(kind, trees.small(folder), out, progress=NullProgress(), password=password)  # type: ignore[arg-type]
    return out.read_bytes()


def made(kind: str, raw: bytes, folder: Path) -> Iterator[bytes]:
    """The mutants of one kind, each once; the same ones in every run."""
    chance = random.Random(kind)
    bits = mutants.every_bit(raw, thorough.count({"tar.gz": 37, "zip": 11}.get(kind, 7), 1))
    if kind == "zip":
        changed, packed = mutants.of_zip(raw, zip_parts.of_tree(trees.small(folder)), chance), iter(())
    elif kind == "tar.gz":
        changed, packed = mutants.of_tar(raw, chance), mutants.tar_packed_otherwise(raw, chance)
    elif kind == "7z":
        changed, packed = mutants.of_sevenzip(raw, chance), mutants.sevenzip_packed_otherwise(raw, chance)
    else:
        (folder / "plain").mkdir()
        plain = genuine("7z", folder / "plain")

        def sealed(forge: sevenzip_forge.Forge) -> bytes:
            return sevenzip_forge.Encrypted(forge, PASSWORD, chance.randbytes(16)).build()

        changed = mutants.of_encrypted(plain, raw, PASSWORD, chance)
        packed = mutants.sevenzip_packed_otherwise(plain, chance, sealed)
    seen = {_digest(raw)}
    for source, count in ((bits, len(raw)), (changed, MADE[kind]), (packed, OTHERWISE_PACKED)):
        yield from itertools.islice(_unseen(source, seen, 20 * count), count)


def _unseen(source: Iterator[bytes], seen: set[bytes], most: int) -> Iterator[bytes]:
    """What is new among the next ``most``."""
    for mutant in itertools.islice(source, most):
        if _digest(mutant) not in seen:
            seen.add(_digest(mutant))
            yield mutant


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def accepts(path: Path, raw: bytes) -> bool:
    """Whether ``raw`` passes as an intact bundle; every other error than our own fails the test."""
    path.write_bytes(raw)
    try:
        with container.open_bundle(path, password=lambda: PASSWORD) as opened:
            found = check(opened.walk())
    except (VerificationError, UsageError):
        return False
    assert found.digest == manifest.digest(found.signed["SHA256SUMS"])
    return True


def state(by: Unpacker, kind: str, archive: Path, folder: Path) -> State | None:
    """All that ``by`` leaves in a folder: kinds, modes and content by path; None where it fails."""
    if by.name == "Python":
        done = _by_python(kind, archive, folder)
    else:
        done = unpackers.unpacked(by, archive, folder) is not None
    found = {path.relative_to(folder).as_posix(): _seen(path) for path in sorted(folder.rglob("*"))}
    shutil.rmtree(folder)
    return found if done else None


def _by_python(kind: str, archive: Path, folder: Path) -> bool:
    """In this process, as starting another for each archive takes too long."""
    folder.mkdir()
    try:
        if kind == "zip":
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(folder)
        elif kind == "tar.gz":
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="fully_trusted")
        else:
            with py7zr.SevenZipFile(archive, password=PASSWORD if "encrypted" in kind else None) as seven:
                seven.extractall(folder)
    except Exception:  # noqa: BLE001  # each of these libraries has errors of its own
        return False
    return True


def _seen(path: Path) -> tuple[str, int, bytes]:
    status = path.lstat()
    kind = stat.filemode(status.st_mode)[0]
    if kind == "l":
        return kind, 0, str(path.readlink()).encode()
    return kind, stat.S_IMODE(status.st_mode), path.read_bytes() if kind == "-" else b""


def _unpackers(kind: str) -> tuple[Unpacker, ...]:
    unpackers.require(kind.split(maxsplit=1)[0])
    # libarchive decrypts no 7z.
    return tuple(
        one for one in UNPACKERS[kind.split(maxsplit=1)[0]] if not ("encrypted" in kind and one.name == "bsdtar")
    )


@pytest.fixture(params=KINDS)
def every_unpacker(request: pytest.FixtureRequest) -> tuple[str, tuple[Unpacker, ...]]:
    """One kind of archive, and the programs that unpack it."""
    return request.param, _unpackers(request.param)


def test_no_accepted_mutant_is_unpacked_otherwise(
    every_unpacker: tuple[str, tuple[Unpacker, ...]], tmp_path: Path, record_property
) -> None:
    kind, tools = every_unpacker
    raw = genuine(kind, tmp_path)
    archive = tmp_path / "archive"
    assert accepts(archive, raw)
    wanted = {by.name: state(by, kind, archive, tmp_path / "unpacked") for by in tools}
    tree = trees.small(tmp_path)
    for name, found in wanted.items():
        assert found is not None, name
        assert {path for path, (what, _, _) in found.items() if what == "-"} == {
            f"{tree.name}/{entry.path}" for entry in tree.entries
        }, name
    tried, accepted = 0, []
    for mutant in made(kind, raw, tmp_path):
        tried += 1
        if accepts(archive, mutant):
            accepted.append(mutant)
    otherwise = []
    for mutant in accepted:
        archive.write_bytes(mutant)
        otherwise += [
            (by.name, mutant) for by in tools if state(by, kind, archive, tmp_path / "unpacked") != wanted[by.name]
        ]
    names = ", ".join(by.name for by in tools)
    record_property(
        PROPERTY,
        f"{kind}: {tried} mutants made, {len(accepted)} accepted, "
        f"{len({mutant for _, mutant in otherwise})} of them unpacked otherwise by {names}",
    )
    for name, mutant in otherwise:
        (tmp_path / f"otherwise-{name}").write_bytes(mutant)
    assert not otherwise, f"see {tmp_path}: {sorted({name for name, _ in otherwise})}"
    assert tried > MADE[kind]
    assert kind == "zip" or len(accepted) >= NEEDED


def _tar(tree: Tree, *more: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for entry in tree.entries:
            info = tarfile.TarInfo(f"{tree.name}/{entry.path}")
            content = entry.content.path.read_bytes() if isinstance(entry.content, Blob) else entry.content
            info.size, info.mode = len(content), entry.mode
            archive.addfile(info, io.BytesIO(content))
        for info in more:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return out.getvalue()


def _info(name: str, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(f"{trees.NAME}/{name}")
    for field, value in fields.items():
        setattr(info, field, value)
    return info


OTHERWISE = {
    "another file": _info("more"),
    "other content": _info("install.sh", size=9, mode=0o755),
    "another mode": _info("install.sh", size=21, mode=0o777),
    "a link": _info("install.sh", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "an empty folder": _info("folder", type=tarfile.DIRTYPE, mode=0o755),
}


@pytest.mark.parametrize("more", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_the_measure_sees_what_is_unpacked_otherwise(more: tarfile.TarInfo, tmp_path: Path) -> None:
    tree = trees.small(tmp_path)
    archive = tmp_path / "archive"
    for by in _unpackers("tar.gz"):
        archive.write_bytes(_tar(tree))
        wanted = state(by, "tar.gz", archive, tmp_path / "unpacked")
        assert wanted
        archive.write_bytes(_tar(tree, more))
        assert state(by, "tar.gz", archive, tmp_path / "unpacked") != wanted, by.name
