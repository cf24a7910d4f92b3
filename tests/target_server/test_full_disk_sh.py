"""A full file system is "no space", and never a damaged or a forged bundle."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest

from tests.support import sample_bundles as sample
from tests.support import seal_cases as cases
from tests.support import sealed_bundles as sealed
from tests.support import small_root

WORDS = "no space is left in /var/tmp"


@pytest.fixture
def server(tmp_path, bash):
    small_root.need()
    root = small_root.make(tmp_path / "root", sample.LINUX_VERSION, bash)
    root.add("openssl")
    yield root
    for place in ("var/tmp", "tmp"):
        subprocess.run(["umount", root / place], check=False, capture_output=True)


def full(folder: Path) -> None:
    """Nothing can be written there any more."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=1777", "tmpfs", folder], check=True)
    with (folder / "filler").open("wb", buffering=0) as file:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass


@pytest.mark.parametrize("script", ["verify.sh", "install.sh"])
@pytest.mark.parametrize("sealer", [True, False])
def test_a_full_place_is_no_damage(server, script, sealer):
    if sealer:
        sealed.write(server / "bundle", cases.APPROVED)
    else:
        sample.write(server / "bundle", lab=True)
    full(server / "var/tmp")
    full(server / "tmp")
    before = set((server / "var/tmp").iterdir())
    ended = server.run(*(("--check",) if script == "install.sh" and sealer else ()), script=script)
    assert "DAMAGED" not in ended.out
    assert "WRONG: no space" in ended.out or script == "install.sh"
    assert (ended.code, WORDS in ended.out) == (202, True), ended.out
    assert set((server / "var/tmp").iterdir()) == before


@pytest.mark.parametrize("script", ["verify.sh", "install.sh"])
def test_the_help_needs_no_room(server, script):
    sample.write(server / "bundle", lab=True)
    full(server / "var/tmp")
    full(server / "tmp")
    ended = server.run("--help", script=script)
    assert ended.code == 0
    assert ended.out.startswith(f"{script} of the bundle arc-tokyo ")
    assert "\n  --signer FINGERPRINT " in ended.out


def test_a_damaged_bundle_is_damaged_where_there_is_room(server):
    sealed.write(server / "bundle", cases.APPROVED)
    (server / "bundle/SHA256SUMS").write_bytes(b"")
    ended = server.run(script="verify.sh")
    assert ended.code == 200
    assert "DAMAGED" in ended.out
