"""The forms of tar and zip that we compute are those that 0.1.0 and 0.2.0 wrote, by Python's own modules."""

from __future__ import annotations

import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError, WriteError
from bundler.integrity.check import check
from bundler.model.progress import NullProgress
from bundler.model.tree import Tree
from bundler.pack import container, tar_form, writers, zip_form
from tests.support import trees

_name = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=160)
_size = st.one_of(st.integers(0, 1 << 40), st.sampled_from([8**11 - 1, 8**11, 0]))


@settings(max_examples=300, deadline=None)
@given(name=_name, size=_size, mode=st.sampled_from([0o644, 0o755]), time=st.integers(0, 8**11 - 1))
@example(name="n" * 100, size=8**11 - 1, mode=0o644, time=0)
@example(name="n" * 101, size=8**11, mode=0o755, time=8**11 - 1)
@example(name="n" * 88 + "\u8cc7", size=1, mode=0o644, time=1)
def test_a_tar_header_is_as_tarfile_writes_it(name: str, size: int, mode: int, time: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, mode, time
    assert tar_form.headers(name, size, mode, time) == info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _by_zipfile(path: Path, contents: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name, (2026, 11, 22, 3, 4, 4))
            info.create_system, info.external_attr, info.file_size = 3, 0o100644 << 16, len(content)
            with archive.open(info, "w") as member:
                member.write(content)
    return path.read_bytes()


def _by_form(contents: dict[str, bytes], *, late: bool) -> bytes:
    body, central = b"", []
    for name, content in contents.items():
        time = int(trees.TIME.timestamp())
        one = zip_form.Described(name, len(content), zlib.crc32(content), 0o644, time, len(body))
        headers = zip_form.headers(one, late=late)
        body += headers.local + content
        central.append(headers.central)
    return body + b"".join(zip_form.tail(central, len(body)))


@pytest.mark.parametrize("limit", [1 << 31, 1000, 300])
@pytest.mark.parametrize("sizes", [[0], [5, 290], [286, 5], [299, 301], [400, 3], [953, 2000], [1000, 1001], []])
def test_a_zip_is_as_zipfile_writes_it(
    limit: int, sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zip64 begins at 2 GiB; here both are told that it begins at ``limit`` bytes."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)
    monkeypatch.setattr(zip_form, "ZIP64_LIMIT", limit)
    contents = {f"top/{number}\u8cc7"[: 5 + number]: bytes(size) for number, size in enumerate(sizes)}
    assert _by_form(contents, late=sys.version_info < (3, 11, 4)) == _by_zipfile(tmp_path / "x", contents)


@pytest.mark.parametrize("late", [False, True])
def test_a_zip_by_an_older_python_is_read(late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A little below 2 GiB, Python before 3.11.4 wrote other headers."""
    tree = trees.small(tmp_path)
    largest = max(len(entry.content) for entry in tree.entries if isinstance(entry.content, bytes))
    monkeypatch.setattr(zip_form, "ZIP64_LIMIT", largest + 1)
    headers = zip_form.headers
    monkeypatch.setattr(zip_form, "headers", lambda one: headers(one, late=late))
    writers.write("zip", tree, tmp_path / "out", progress=NullProgress())
    monkeypatch.setattr(zip_form, "headers", headers)
    with container.open_bundle(tmp_path / "out") as opened:
        check(opened.walk())
    monkeypatch.setattr(zip_form, "ZIP64_LIMIT", (1 << 31) - 1)  # a release that needs no Zip64 here
    with pytest.raises(VerificationError) as refused, container.open_bundle(tmp_path / "out") as opened:
        check(opened.walk())
    assert refused.value.reason == "rewrapped"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(0, (1 << 31) - 1) | st.integers(1 << 31, 1 << 40), size=st.integers(0, 1 << 33), name=_name)
def test_large_sizes_and_offsets_are_read_back(offset: int, size: int, name: str) -> None:
    """What we write for sizes that no test can write to a disk, zipfile's own rules read back."""
    one = zip_form.Described(name, size, 7, 0o755, int(trees.TIME.timestamp()), offset)
    central = zip_form.headers(one).central
    packed, unpacked, names, extras = (
        int.from_bytes(central[at : at + n], "little") for at, n in ((20, 4), (24, 4), (28, 2), (30, 2))
    )
    extra = central[46 + names : 46 + names + extras]
    wide = [int.from_bytes(extra[at : at + 8], "little") for at in range(4, len(extra), 8)]
    read = [wide.pop(0) if shown == 0xFFFFFFFF else shown for shown in (unpacked, packed)]
    shown = int.from_bytes(central[42:46], "little")
    read.append(wide.pop(0) if shown == 0xFFFFFFFF else shown)
    assert (read, wide) == ([size, size, offset], [])


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_time_that_no_header_holds_is_not_written(kind: str, tmp_path: Path) -> None:
    tree = trees.small(tmp_path)
    early = Tree(tree.name, tree.entries, tree.time.replace(year=1969))
    with pytest.raises(WriteError, match="cannot hold the time"):
        writers.write(kind, early, tmp_path / "out", progress=NullProgress())  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
