"""`arc-bundler runtime` and `--version -v`: the digests that a reviewer compares, and the files that they read."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from bundler import __version__
from bundler.cli.main import main
from bundler.flow import runtimes
from bundler.integrity import released_runtimes
from bundler.render.runtime import read_parts

SCRIPTS = tuple(runtimes.joined("arc-server"))


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def digest(content):
    return hashlib.sha256(content).hexdigest()


def test_every_digest_is_that_of_a_joined_file(run, tmp_path):
    folder = tmp_path / "review"
    code, out, _ = run("runtime", "--extract", str(folder), "--format", "json")
    assert code == 0
    told = json.loads(out)
    assert told["tool"] == f"arc-bundler {__version__}"
    assert tuple(one["script"] for one in told["runtimes"]) == SCRIPTS
    for one in told["runtimes"]:
        joined = (folder / "joined" / one["product"] / one["script"]).read_bytes()
        assert digest(joined) == one["digest"]
        assert (b"\r\n" in joined) == one["script"].endswith(".ps1") == (one["platform"] == "windows")
        assert one["release"] == (f"arc-bundler {__version__}" if runtimes.IS_RELEASE else "unreleased")
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == told["extracted"]["files"]
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout == b""


def test_the_sources_joined_by_hand_are_the_joined_file(run, tmp_path):
    assert run("runtime", "--extract", str(tmp_path / "x"))[0] == 0
    for name in SCRIPTS:
        joined = (tmp_path / "x/joined/arc-server" / name).read_bytes()
        lines = joined.decode().replace("\r\n", "\n").splitlines()
        paths = [line.split()[2] for line in lines if line.startswith("# ---- templates/")]
        assert paths
        made = "".join(f"# ---- {path} ----\n{(tmp_path / 'x' / path).read_text()}" for path in paths)
        assert made.splitlines() == lines[:-1]
        assert tuple(one.path for one in read_parts(paths)) == tuple(paths)


def test_the_digests_are_printed_by_version_and_runtime_alike(run):
    for arguments in (("runtime",), ("--version", "-v"), ("-v", "--version")):
        code, out, _ = run(*arguments)
        assert code == 0
        for name in SCRIPTS:
            found = digest(runtimes.joined("arc-server")[name])
            assert f"{name}  sha256:{found}  " in out
    assert run("--version")[1] == f"arc-bundler {__version__}\n"


def test_verbose_alone_is_no_command(run):
    code, _, err = run("-v", "runtime")
    assert code == 2
    assert "with --version" in err


def test_a_folder_that_holds_something_is_left_alone(run, tmp_path):
    (tmp_path / "held").mkdir()
    (tmp_path / "held/mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    for name in ("held", "file"):
        code, _, err = run("runtime", "--extract", str(tmp_path / name))
        assert (code, "not an empty folder" in err) == (7, True)
    assert (tmp_path / "held/mine").read_text() == (tmp_path / "file").read_text() == "mine"
    assert run("runtime", "--extract", str(tmp_path / "empty"))[0] == 0
    assert (tmp_path / "empty/SHA256SUMS").exists()
    assert run("runtime", "--extract", str(tmp_path / "empty"))[0] == 7


def test_what_cannot_be_written_whole_is_not_there(run, tmp_path, monkeypatch):
    written = Path.write_bytes

    def fails(path, content):
        if "joined" in path.parts:
            raise OSError(28, "No space left on device")
        return written(path, content)

    monkeypatch.setattr(Path, "write_bytes", fails)
    code, _, err = run("runtime", "--extract", str(tmp_path / "x"))
    assert (code, "Traceback" in err) == (7, False)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_product_is_a_mistake_of_usage(run):
    code, _, err = run("runtime", "--product", "arc-serve")
    assert code == 2
    assert "arc-server" in err
    assert run("runtime", "--product", "arc-server")[0] == 0


def test_where_the_version_is_a_releases_its_rows_are_the_computed_ones():
    """Between two releases the version ends in .dev0, and no row may claim it."""
    rows = [row for row in released_runtimes.released() if row.release == runtimes.TOOL]
    assert rows == (list(runtimes.computed()) if runtimes.IS_RELEASE else [])
