"""The copy is what was checked; and a folder in which other users can exchange files is reported."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

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
    return small_root.with_lab_bundle(tmp_path / "root", bash)


def test_a_package_that_is_exchanged_after_the_check_is_not_installed(server):
    (server / "bin/cp").unlink()
    put(server / "bin/cp", CP)
    ended = server.run("--secret-file", "/root/secret")
    assert ended.code == 200, ended.out
    assert "has changed" in ended.out
    assert not (server / "installed-sum").exists()


KEY = "payload/keys/packages.asc"
RHEL = 'ID=rhel\nVERSION_ID="9.4"\nPRETTY_NAME="Red Hat Enterprise Linux 9.4"\n'
RPM = """#!/bin/bash
case $1 in
    --import) cat "$2" >>/imported ;;
    -q) [[ -e /dpkg-version ]] && printf 'installed %s\\n' "$(</dpkg-version)" ;;
esac
"""


@pytest.mark.parametrize("exchanged", [False, True])
def test_a_key_that_is_exchanged_after_the_check_is_not_imported(server, exchanged):
    shutil.rmtree(server / "bundle")
    sample.write(server / "bundle", lab=True, extra={KEY: b"the packed key"})
    put(server / "etc/os-release", RHEL, 0o644)
    put(server / "usr/bin/rpm", RPM)
    put(server / "usr/bin/dnf", small_root.APT_GET)
    if exchanged:
        (server / "bin/cp").unlink()
        put(server / "bin/cp", CP)
    ended = server.run("--secret-file", "/root/secret", "--import-keys")
    assert ended.code == (200 if exchanged else 0), ended.out
    assert (f"{KEY} has changed" in ended.out) == exchanged
    assert (server / "imported").exists() != exchanged
    assert exchanged or (server / "imported").read_text() == "the packed key"


@pytest.mark.parametrize("exchanged", ["", "another-secret\n", "a-secret-of-this-test\nmore\n"])
def test_an_embedded_secret_that_is_exchanged_after_the_check_is_not_used(server, exchanged):
    shutil.rmtree(server / "bundle")
    (server / "root/secret").unlink()
    parameters = replace(sample.SECRET, embedded_secret="config/secret")
    sample.write(server / "bundle", parameters, lab=True, extra={"config/secret": b"a-secret-of-this-test\n"})
    if exchanged:
        # Called after the files were checked.
        put(server / "exchange", exchanged, 0o600)
        put(server / "usr/bin/systemctl", "#!/bin/bash\n")
        (server / "bin/df").unlink()
        put(server / "bin/df", '#!/bin/bash\ncat /exchange >/bundle/config/secret\nexec /bin/busybox df "$@"\n')
    ended = server.run()
    assert ended.code == (203 if exchanged else 0), ended.out
    assert ("config/secret has changed" in ended.out) == bool(exchanged)
    assert (server / "packages").exists() != bool(exchanged)
    assert "another-secret" not in ended.out


# As ls shows an access control list.
LS = """#!/bin/bash
/bin/busybox ls "$@" | sed 's|^\\(..........\\)\\(.* /bundle/payload\\)$|\\1+\\2|'
"""


@pytest.mark.parametrize(("mode", "told"), [(0o775, True), (0o755, False)])
def test_an_access_control_list_that_lets_others_write_is_told(server, mode, told):
    (server / "bin/ls").unlink()
    put(server / "bin/ls", LS)
    (server / "bundle/payload").chmod(mode)
    ended = server.run("--check")
    assert ("/bundle/payload can be written by the users in its access control list" in ended.out) == told, ended.out


@pytest.mark.parametrize(
    ("mode", "owner", "told"),
    [
        (0o755, 0, ""),
        (0o1777, 0, ""),
        (0o777, 0, "/media can be written by every user"),
        (0o775, 0, "/media can be written by the group"),
        (0o755, 1000, "/media can be written by its owner"),
        (0o1777, 1000, "/media can be written by its owner"),
    ],
)
def test_a_folder_above_that_others_can_write_is_told(server, mode, owner, told):
    (server / "media/usb").mkdir(parents=True)
    (server / "bundle").rename(server / "media/usb/bundle")
    (server / "bundle").symlink_to("/media/usb/bundle")
    (server / "media").chmod(mode)
    os.chown(server / "media", owner, owner)
    ended = server.run("--check")
    assert (WARNING in ended.out) == bool(told), ended.out
    assert told in ended.out


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
