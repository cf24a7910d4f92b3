"""An archive that another program packed anew is refused by name, and the folder that it unpacks to verifies."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bundler.errors import VerificationError
from bundler.model.progress import NullProgress
from bundler.pack import manifest, writers
from bundler.pack.form import Form
from tests.support import trees, unpackers

PACKERS = {
    "7zz, zip": ("zip", "7zz a -bd -tzip ../out.zip {top}"),
    "7zz, zip, stored": ("zip", "7zz a -bd -tzip -mx0 ../out.zip {top}"),
    "bsdtar, zip": ("zip", "bsdtar -cf ../out.zip --format zip {top}"),
    "GNU tar": ("tar.gz", "tar -czf ../out.tar.gz {top}"),
    "GNU tar, sorted, without owner": (
        "tar.gz",
        "tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=2026-11-22T03:04:05Z -czf ../out.tar.gz {top}",
    ),
    "GNU tar, pax": ("tar.gz", "tar --format=pax -czf ../out.tar.gz {top}"),
    "bsdtar": ("tar.gz", "bsdtar -czf ../out.tar.gz {top}"),
    "busybox": ("tar.gz", "busybox tar -czf ../out.tar.gz {top}"),
    "gzip of our own tar": ("tar.gz", "sh -c 'gzip -dc ../ours > ../out.tar && gzip ../out.tar'"),
    "7zz, 7z": ("7z", "7zz a -bd -t7z ../out.7z {top}"),
}


def _environment() -> dict[str, str]:
    return os.environ | {"LC_ALL": "C.UTF-8"}


@pytest.mark.parametrize(("kind", "command"), PACKERS.values(), ids=PACKERS.keys())
def test_another_packer(kind: str, command: str, tmp_path: Path) -> None:
    if shutil.which(command.split(maxsplit=1)[0]) is None:
        pytest.skip("not installed")
    tree = trees.small(tmp_path)
    writers.write("tar.gz", tree, tmp_path / "ours", progress=NullProgress())
    folder = tmp_path / "folder"
    folder.mkdir()
    writers.write("directory", tree, folder / tree.name, progress=NullProgress())
    arguments = ["sh", "-c", command.format(top=tree.name)]
    subprocess.run(arguments, cwd=folder, env=_environment(), check=True, capture_output=True)
    archive = tmp_path / f"out.{kind}"
    with pytest.raises(VerificationError) as refused:
        trees.digest_of(archive)
    assert (refused.value.reason, refused.value.exit_code) == ("rewrapped", 6)
    assert "packed again" in refused.value.what
    assert "unpack it into an empty folder and verify that folder" in refused.value.do
    by = unpackers.UNPACKERS[kind][0]
    assert unpackers.unpacked(by, archive, tmp_path / "unpacked")
    assert trees.digest_of(tmp_path / "unpacked" / tree.name) == manifest.bundle_digest(tree)


def test_what_to_do_is_not_lost_below_a_deviation_of_every_file() -> None:
    form = Form()
    for number in [*range(200), 0, 1]:
        form.note(f"file {number} differs")
    with pytest.raises(VerificationError) as refused:
        form.require_ours()
    assert list(refused.value.details) == [*(f"file {number} differs" for number in range(3)), "and 197 more"]


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_changed_content_is_the_graver_reason(kind: str, tmp_path: Path) -> None:
    """Whoever changed a file and packed again must not be told that unpacking helps."""
    tree = trees.small(tmp_path)
    folder = tmp_path / "folder" / tree.name
    folder.parent.mkdir()
    writers.write("directory", tree, folder, progress=NullProgress())
    (folder / "install.sh").write_bytes(b"#!/bin/bash\necho EVI\n")
    arguments = ["bsdtar", "-c", "--format", "zip" if kind == "zip" else "ustar", "-f", "../out", tree.name]
    if kind == "tar.gz":
        arguments.insert(1, "-z")
    if shutil.which("bsdtar") is None:
        pytest.skip("not installed")
    subprocess.run(arguments, cwd=folder.parent, env=_environment(), check=True)
    with pytest.raises(VerificationError) as refused:
        trees.digest_of(tmp_path / "out")
    assert refused.value.reason == "digest-mismatch"
    assert "do not use it" in refused.value.do
