"""Servers and bundles for the tests of the far side."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bundler.lab import agent, authority
from tests.support import bashes, windows_bench, wine_prefix
from tests.support.target_bundle import Bundles
from tests.support.target_machine import (
    UBUNTU_RELEASE,
    Machine,
    base_archive,
    copied,
    fast_folder,
    make_debian,
    make_rpm,
    make_zypper,
    need_roots,
    unpack,
)
from tests.support.wine_prefix import Windows


@pytest.fixture(scope="session", params=bashes.paths() or [""], ids=lambda path: path and bashes.name(path))
def bash(request) -> str:
    """Each bash that there is, one after the other."""
    if not request.param:
        pytest.skip("needs bash")
    return request.param


@pytest.fixture(scope="session")
def bundles(tmp_path_factory) -> Bundles:
    """Bundles of the lab's packages."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    held = authority.establish(tmp_path_factory.mktemp("authority"), now)
    return Bundles(tmp_path_factory.mktemp("bundles"), held, held.since + agent.HISTORY)


@pytest.fixture(scope="session")
def roots(tmp_path_factory) -> Iterator[Path]:
    """A folder for roots, emptied at the end: pytest would keep them."""
    need_roots()
    memory = fast_folder()
    folder = Path(tempfile.mkdtemp(prefix="arc-bundler-roots-", dir=memory or tmp_path_factory.mktemp("roots")))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def debian_root(roots) -> Path:
    """Debian's minimal root, not to be changed."""
    return unpack(base_archive("debian", make_debian, roots), roots / "debian")


@pytest.fixture(scope="session")
def rpm_root(roots, debian_root) -> Path:
    """A root with rpm and dnf, not to be changed."""
    return unpack(base_archive("rpm", lambda root: make_rpm(root, debian_root), roots), roots / "rpm")


@pytest.fixture(scope="session")
def zypper_root(roots, rpm_root) -> Path:
    """A root with rpm, dnf and zypper, not to be changed."""
    return unpack(base_archive("zypper", lambda root: make_zypper(root, rpm_root), roots), roots / "zypper")


@pytest.fixture
def debian(roots, debian_root) -> Iterator[Machine]:
    """A fresh Debian 12."""
    yield Machine(copied(debian_root, roots / "server"))
    shutil.rmtree(roots / "server")


@pytest.fixture
def ubuntu(debian) -> Machine:
    """A fresh machine that says that it is Ubuntu 22.04."""
    (debian / "etc/os-release").unlink()
    (debian / "etc/os-release").write_text(UBUNTU_RELEASE)
    return debian


@pytest.fixture
def rhel(roots, rpm_root) -> Iterator[Machine]:
    """A fresh machine with rpm and dnf that says that it is RHEL 9."""
    yield Machine(copied(rpm_root, roots / "server"))
    shutil.rmtree(roots / "server")


@pytest.fixture
def sles(roots, zypper_root) -> Iterator[Machine]:
    """A fresh machine with rpm, dnf and zypper that says that it is SLES 15 SP5."""
    yield Machine(copied(zypper_root, roots / "server"))
    shutil.rmtree(roots / "server")


@pytest.fixture(scope="session")
def prefixes(tmp_path_factory) -> Iterator[Path]:
    """A folder for Wine's prefixes, with one that is not to be changed; emptied at the end."""
    wine_prefix.need_wine()
    folder = Path(tempfile.mkdtemp(prefix="arc-bundler-wine-", dir=fast_folder() or tmp_path_factory.mktemp("wine")))
    wine_prefix.make_prefix(folder / "prefix")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def windows(prefixes, powershell) -> Iterator[Windows]:
    """A fresh Windows Server 2022, as far as Wine is one."""
    (prefixes / "server").mkdir()
    made = Windows(prefixes / "server", powershell)
    wine_prefix.copy_prefix(prefixes / "prefix", made / "prefix")
    made.prepare()
    with wine_prefix.running(made / "prefix"):
        yield made
    shutil.rmtree(made.root)


@pytest.fixture
def server(tmp_path, powershell) -> windows_bench.Server:
    """A Windows Server 2022 of folders, with the sample bundle."""
    if os.name != "posix":
        pytest.skip("the stand-ins are bash scripts")
    return windows_bench.make(tmp_path / "root", powershell)
