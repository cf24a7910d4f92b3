"""A file of any kind that ends early is called truncated, wherever its own sizes show it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.flow.verify_file import verify_files
from bundler.trust import anchors as trusted
from tests.support.lab_project import NOW

FILES = {
    "deb/good-packages-microsoft-prod.deb": (20, 1),
    "rpm/good-packages-microsoft-prod.rpm": (7, 0),
    "authenticode/good-microsoft-2023.msi": (20, 0),
    "authenticode/good-microsoft-pca2024.dll": (100, 0),
    "authenticode/good-microsoft.psd1": (0, 0),
    "repository/InRelease": (100, 1),
    "repository/main_binary-amd64_Packages.gz": (3, 0),
}
"""By genuine file: the fewest bytes that show its kind, and how many at its end it does not need (a line end)."""


@pytest.mark.parametrize("name", FILES)
def test_a_part_of_a_genuine_file_is_truncated(corpus: Path, tmp_path: Path, name: str) -> None:
    content = (corpus / name).read_bytes()
    least, spare = FILES[name]
    least = least or content.index(b"# SIG # Begin") + 40  # before, it is a script without a signature
    size = len(content) - spare
    cuts = {
        least,
        least + 1,
        130,
        500,
        513,
        1000,
        4096,
        size - 513,
        size - 512,
        size - 100,
        size - 61,
        size - 2,
        size - 1,
    }
    cuts |= {size * part // 8 for part in range(1, 8)}
    paths = []
    for cut in sorted(cut for cut in cuts if least <= cut < size):
        paths.append(tmp_path / str(cut))
        paths[-1].write_bytes(content[:cut])
    found = {v.path.rpartition("/")[2]: v.reason for v in verify_files(paths, anchors=trusted.microsoft(), at=NOW)}
    assert {cut: reason for cut, reason in found.items() if reason != "truncated"} == {}
