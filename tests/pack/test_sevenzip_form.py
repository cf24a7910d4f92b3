"""Our own 7z is that of 0.2.0, which py7zr wrote: the same bytes, with any py7zr that was admitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.model.progress import NullProgress
from bundler.model.tree import Entry, Tree
from bundler.pack import container, sevenzip
from tests.support import sevenzip_of_0_2_0, trees

PASSWORD = "geheim \u79d8\u5bc6"


def _tree(*entries: Entry) -> Tree:
    return Tree("b-1", tuple(sorted(entries, key=lambda entry: entry.path.encode())), trees.TIME)


def _numbered(documents: int, packages: int) -> Tree:
    names = [f"d{n}" for n in range(documents)] + [f"payload/p{n}" for n in range(packages)]
    return _tree(*(Entry(name, name.encode() * 9, 0o755 if len(name) % 2 else 0o644) for name in names))


COUNTS = [(1, 1), (1, 2), (2, 1), (1, 3), (0, 2), (2, 0), (0, 1), (1, 0), (3, 3), (130, 20)]
TREES = {f"{documents} and {packages}": _numbered(documents, packages) for documents, packages in COUNTS} | {
    "an empty document": _tree(Entry("a", b""), Entry("b", b"x"), Entry("payload/c", b"p")),
    "an empty package": _tree(Entry("a", b"1"), Entry("payload/b", b""), Entry("payload/c", b"p")),
    "an empty package alone": _tree(Entry("a", b"1"), Entry("payload/b", b"")),
    "all empty": _tree(Entry("a", b""), Entry("payload/b", b"")),
    "large": _tree(Entry("a\U0001f600", b"q" * 70_000), Entry("payload/\u30a8", b"z" * 3_000_000)),
    "long names": _tree(*(Entry(f"{'n' * 120}/{at}", b"x" * at) for at in range(70)), Entry("payload/b", bytes(300))),
}


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES.keys())
def test_the_bytes_are_those_of_0_2_0(tree: Tree, tmp_path: Path) -> None:
    sevenzip_of_0_2_0.write(tree, tmp_path / "old")
    sevenzip.write(tree, tmp_path / "new", NullProgress())
    assert (tmp_path / "new").read_bytes() == (tmp_path / "old").read_bytes()


@pytest.mark.parametrize("name", ["1 and 1", "3 and 3", "2 and 0", "an empty package alone", "large"])
def test_an_encrypted_archive_of_0_2_0_is_read(name: str, tmp_path: Path) -> None:
    sevenzip_of_0_2_0.write(TREES[name], tmp_path / "old", PASSWORD)
    with container.open_bundle(tmp_path / "old", password=lambda: PASSWORD) as opened:
        found = {member.path: (member.mode, b"".join(member.chunks())) for member in opened.walk()}
    assert found == {entry.path: (entry.mode, entry.content) for entry in TREES[name].entries}
    sevenzip.write(TREES[name], tmp_path / "new", NullProgress(), PASSWORD)
    assert (tmp_path / "new").stat().st_size == (tmp_path / "old").stat().st_size
