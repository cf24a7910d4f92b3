"""The copy is what was checked; and a folder in which other users can exchange files is reported."""

from __future__ import annotations

import os

import pytest

from tests.support import sample_bundles as sample
from tests.support import small_root
from tests.support.small_root import put

# Exchanges what it is about to copy: after the check, before the use.
CP = """#!/bin/bash
for one; do [[ $one != /bundle/payload/* ]] || printf 'exchanged' >"$one"; done
exec /bin/busybox cp "$@"
"""
WARNING = "who can exchange files of this bundle"


@pytest.fixture
def server(tmp_path, bash):
    small_root.need()
    root = small_root.make(tmp_path / "root", sample.LINUX_VERSION, bash)
    sample.write(root / "bundle", lab=True)
    put(root / "root/secret", "a-secret-of-this-test\n", 0o600)
    return root


def test_a_package_that_is_exchanged_after_the_check_is_not_installed(server):
    (server / "bin/cp").unlink()
    put(server / "bin/cp", CP)
    ended = server.run("--secret-file", "/root/secret")
    assert ended.code == 200, ended.out
    assert "has changed" in ended.out
    assert not (server / "installed-sum").exists()


@pytest.mark.parametrize(
    ("path", "mode", "owner", "told"),
    [
        ("bundle", 0o755, 0, ""),
        ("bundle", 0o777, 0, "/bundle can be written by every user"),
        ("bundle", 0o775, 0, "/bundle can be written by the group"),
        ("bundle", 0o755, 1000, "/bundle can be written by its owner"),
        ("bundle/payload", 0o757, 0, "/bundle/payload can be written by every user"),
        ("bundle/install.sh", 0o666, 0, "/bundle/install.sh can be written by every user"),
    ],
)
def test_a_folder_that_others_can_write_is_told(server, path, mode, owner, told):
    (server / path).chmod(mode)
    os.chown(server / path, owner, owner)
    ended = server.run("--check")
    assert (WARNING in ended.out) == bool(told), ended.out
    assert told in ended.out
