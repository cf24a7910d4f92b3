"""A user without a home folder: any uid in a container, a service, a build agent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bundler.cli.cache_folder import cache_folder
from bundler.errors import UsageError
from tests.support import small_definition

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no HOME")
ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = 54321
"""A uid that the user database lacks."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bundle.yaml").write_text(small_definition.TEXT)
    tmp_path.chmod(0o777)
    return tmp_path


# Another user who may read everything (the checkout may be below /root), and write nothing of others.
BECOME = [
    "setpriv", f"--reuid={UNKNOWN}", f"--regid={UNKNOWN}", "--clear-groups",
    "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search",
]  # fmt: skip


def as_unknown(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv, to become another user")
    kept = {name: text for name, text in os.environ.items() if name not in {"HOME", "XDG_CACHE_HOME"}}
    kept |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [*BECOME, sys.executable, "-m", "bundler", *arguments],
        cwd=folder, env={**kept, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "setpriv:" in ran.stderr:
        pytest.skip(f"this system does not let it: {ran.stderr}")
    return ran


def test_a_user_without_any_home_is_told_of_store(folder: Path) -> None:
    ran = as_unknown(folder, "lock")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "no home folder" in ran.stderr
    assert "`--store DIR` or ARC_BUNDLER_STORE" in ran.stderr
    assert [path.name for path in folder.iterdir()] == ["bundle.yaml"]  # nothing called "~"


@pytest.mark.parametrize("where", [{"HOME": "/"}, {"HOME": "/proc"}, {"HOME": "/nonexistent"}, {"HOME": "/etc/passwd"}])
def test_a_home_that_cannot_be_written_is_named_with_store(folder: Path, where: dict[str, str]) -> None:
    ran = as_unknown(folder, "lock", **where)
    assert ran.returncode == 7, ran.stderr
    assert "--store DIR" in ran.stderr
    assert "internal error" not in ran.stderr


@pytest.mark.parametrize("given", [("--store", "store"), ()])
def test_with_a_store_it_works_up_to_the_network(folder: Path, given: tuple[str, ...]) -> None:
    environment = {} if given else {"ARC_BUNDLER_STORE": "store"}
    ran = as_unknown(folder, "lock", "--offline", *given, **environment)
    assert ran.returncode == 5, ran.stderr  # offline, and the store is empty


def test_what_needs_no_store_needs_no_home(folder: Path) -> None:
    for arguments in (
        ["--version", "-v"],
        ["plan", "--store", "s"],
        ["endpoints"],
        ["init", "-d", "b.yaml"],
        ["runtime"],
    ):
        ran = as_unknown(folder, *arguments)
        assert ran.returncode == 0, ran.stderr


def test_the_cache_is_where_the_specification_puts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "darwin":
        pytest.skip("macOS has a place of its own")
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError()))
    assert cache_folder({"HOME": "/home/a"}) == Path("/home/a/.cache/arc-bundler")
    assert cache_folder({"HOME": "/home/a", "XDG_CACHE_HOME": "/var/c"}) == Path("/var/c/arc-bundler")
    assert cache_folder({"XDG_CACHE_HOME": "/var/c"}) == Path("/var/c/arc-bundler")
    for ignored in ("relative", "~/c", "", " "):
        assert cache_folder({"HOME": "/home/a", "XDG_CACHE_HOME": ignored}) == Path("/home/a/.cache/arc-bundler")
    for home in ({}, {"HOME": ""}, {"HOME": "relative"}, {"HOME": "~"}):
        with pytest.raises(UsageError):
            cache_folder(home)
