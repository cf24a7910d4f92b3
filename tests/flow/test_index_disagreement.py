"""A signed index and its package that disagree: exit 5 where the package is genuine, and 6 where it is not."""

from __future__ import annotations

import hashlib
import json

import pytest

from bundler.lab import behaviour
from bundler.lab.upstream import DISTRIBUTIONS
from tests.support.lab_project import Project

NEWER = "1.69.03560.1450"
CASES = {"deb": "*azcmagent*.deb", "rpm": "*azcmagent*.rpm"}


@pytest.fixture
def locked(project: Project) -> Project:
    project.define(targets='[{os: ubuntu, version: "22.04"}, {os: rhel, version: "9"}]')
    assert project.run("lock").code == 0
    project.lab.publish(NEWER)
    return project


def served(project: Project, ending: str) -> tuple[str, bytes]:
    """Path and bytes of the newest package."""
    upstream, folder = project.lab._upstream, {"deb": "ubuntu/22.04", "rpm": "rhel/9"}[ending]
    distribution = next(one for one in DISTRIBUTIONS if one.path == folder)
    files = upstream._repository(distribution)
    path = max(name for name in files if name.endswith((f"amd64.{ending}", f"x86_64.{ending}")) and "1.69" in name)
    return f"/packages.microsoft.com/{folder}/prod/{path}", files[path]


def rebuilt(project: Project, ending: str) -> tuple[str, bytes]:
    """The newest package, built again: genuine, of the same version, with other bytes; the old index stays."""
    path, _ = served(project, ending)
    project.lab.replace(NEWER)
    again, content = served(project, ending)
    assert path == again
    project.lab.republish_older()
    return path, content


@pytest.mark.parametrize("ending", CASES)
def test_a_genuine_package_that_the_index_does_not_list_is_nobody_s_fault_here(locked: Project, ending: str) -> None:
    before = locked.lock.read_bytes()
    _, listed = served(locked, ending)
    path, content = rebuilt(locked, ending)
    locked.lab.misbehave(path, behaviour.Instead(content))
    for command in (("lock", "--upgrade"), ("lock", "--check")):
        refused = locked.run(*command, "--format", "json")
        assert refused.code == 5, refused.err
        error = refused.json["error"]
        assert error["reason"] == "index-disagrees"
        assert "index and package disagree; nothing is wrong on your side" in error["message"]
        told = "\n".join(error["details"])
        for sent in (listed, content):
            assert hashlib.sha256(sent).hexdigest() in told
            assert f"{len(sent)} bytes" in told
        assert f"https://{locked.lab.host}{path}" in told
        assert "past caches" in told
        assert "report the address and both digests" in error["do"]
    assert locked.lock.read_bytes() == before
    assert locked.run("build", "--locked").code == 0
    assert locked.run("lock").code == 0
    locked.lab.behave()
    assert locked.run("lock", "--upgrade").code == 0


@pytest.mark.parametrize("ending", CASES)
@pytest.mark.parametrize("fault", ["one bit", "cut", "another version", "another system's", "page"])
def test_a_package_whose_own_signature_does_not_hold_is_refused(locked: Project, ending: str, fault: str) -> None:
    before = locked.lock.read_bytes()
    older = next(
        path.read_bytes()
        for path in (locked.store / "objects").rglob("*")
        if path.is_file() and path.read_bytes()[:4] == (b"!<ar" if ending == "deb" else b"\xed\xab\xee\xdb")
    )
    path, content = rebuilt(locked, ending)
    other = served(locked, "rpm" if ending == "deb" else "deb")[1]
    bad = {
        "one bit": content[:-20] + bytes([content[-20] ^ 1]) + content[-19:],
        "cut": content[:-20],
        "another version": older,
        "another system's": other,
        "page": behaviour.PORTAL,
    }[fault]
    locked.lab.misbehave(path, behaviour.Instead(bad))
    refused = locked.run("lock", "--upgrade", "--format", "json")
    assert refused.code == 6, refused.err
    assert refused.json["error"]["reason"] in {"digest-mismatch", "size-mismatch"}
    assert "by its own signature" in "\n".join(refused.json["error"]["details"])
    assert locked.lock.read_bytes() == before


@pytest.mark.parametrize("pattern", ["*.deb", "*.rpm", "*Packages*", "*primary*", "*InRelease", "*repomd.xml"])
def test_a_cache_that_serves_an_old_file_once_is_asked_again(locked: Project, pattern: str) -> None:
    """And asked for what upstream has now: `Cache-Control: no-cache`."""
    locked.lab.misbehave(pattern, behaviour.Instead(b"an older file"), times=1)
    done = locked.run("lock", "--upgrade", "--format", "json")
    assert done.code == (6 if pattern == "*InRelease" else 0), done.err
    if done.code == 0:
        assert {pin["facts"]["version"][:4] for pin in json.loads(locked.lock.read_text())["pins"]} == {"1.69"}
    assert "no-cache" in {request.cache_control for request in locked.lab.requests} or pattern == "*InRelease"
