"""Standard streams that are full, closed, or without a reader: for every command, in text and JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bundler.cli.main import COMMANDS
from tests.support import small_definition

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")

# One run of each command that needs neither network nor lab; those that cannot work without fail with their own code.
RUNS: dict[str, list[str]] = {
    "init": ["init", "-d", "new/bundle.yaml"],
    "schema": ["schema"],
    "plan": ["plan"],
    "lock": ["lock", "--offline"],
    "build": ["build", "--locked"],
    "verify-file": ["verify-file", "bundle.yaml"],
    "verify": ["verify", "bundle.yaml", "--insecure-no-seal"],
    "approve": ["approve", "bundle.yaml", "--insecure-no-seal"],
    "seal-secret": ["seal-secret", "--for", "bundle.yaml"],
    "inspect": ["inspect", "bundle.yaml"],
    "diff": ["diff", "bundle.yaml", "bundle.yaml"],
    "runtime": ["runtime"],
    "endpoints": ["endpoints"],
    "lab": ["lab", "--port", "99999"],
}
MODES = ("usual", "full", "no reader", "closed", "errors closed", "errors without reader", "all closed")
# One process that loads every command once, and forks for each case: its streams are those of a process just started.
DRIVER = """
import contextlib, io, json, os, sys, shutil
from bundler.cli import main

cases = json.loads(sys.argv[1])
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    for arguments, mode in cases:
        if mode == "usual": main.main(arguments)  # imports what it needs

def opened(number, mode):
    if mode == "closed":
        os.close(number)
        return None
    if mode == "no reader":
        read, write = os.pipe()
        os.close(read)
    else:
        write = os.open("/dev/full" if mode == "full" else mode, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(write, number)
    os.close(write)
    return open(number, "w", buffering=1, closefd=False)

def child(arguments, mode):
    out, err = "out", "err"
    if mode in ("full", "no reader", "closed"): out = mode
    if mode == "errors closed": err = "closed"
    if mode == "errors without reader": err = "no reader"
    if mode == "all closed":
        out = err = "closed"
        os.close(0)
        sys.stdin = None
    sys.stdout, sys.stderr = opened(1, out), opened(2, err)
    try:
        main.run(arguments)
    except SystemExit as end:
        code = end.code
    for stream in (sys.stdout, sys.stderr):  # as the interpreter does at its end
        try:
            if stream: stream.flush()
        except OSError:
            code = 120
    os._exit(code)

for arguments, mode in cases:
    for name in ("out", "err"): open(name, "w").close()
    shutil.rmtree("new", ignore_errors=True)
    os.mkdir("new")
    child_id = os.fork()
    if not child_id:
        child(arguments, mode)
    code = os.waitstatus_to_exitcode(os.waitpid(child_id, 0)[1])
    print(json.dumps([code, open("out").read(), open("err").read()]), flush=True)
"""

CASES = [
    *((run, mode) for run in RUNS.values() for mode in MODES),
    *(
        (run, mode)
        for run in [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)]
        + [[*run, "--format", "json"] for run in RUNS.values()]
        for mode in MODES[:3]
    ),
]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[int, str, str]]:
    folder = tmp_path_factory.mktemp("streams")
    (folder / "bundle.yaml").write_text(small_definition.TEXT)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(CASES)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    results = [tuple(json.loads(line)) for line in done.stdout.splitlines()]
    keys = [(" ".join(arguments), mode) for arguments, mode in CASES]
    return dict(zip(keys, results, strict=True))


def test_every_command_is_in_the_table() -> None:
    assert set(RUNS) == set(COMMANDS)


@pytest.mark.parametrize("mode", MODES[1:])
def test_each_command_ends_with_its_code_or_with_7(ended, mode: str) -> None:
    for (arguments, how), (code, out, err) in ended.items():
        if how != mode:
            continue
        usual, shown, remarks = ended[arguments, "usual"]
        assert "Traceback" not in err, (arguments, err)
        assert "internal error" not in err, (arguments, err)
        if mode == "full" and shown:
            assert code in ((usual, 7) if usual else (7,)), arguments
            assert usual or err.count("error: ") == 1, (arguments, err)
        else:
            assert code == usual, (arguments, out, err)
        if "errors" in mode and "init" not in arguments:
            assert out == shown, arguments
        if mode in ("no reader", "closed"):
            assert err == remarks, arguments


def test_a_file_that_is_opened_never_takes_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """With ``>&-`` the next file would be number 1, and what is printed would end in it."""
    done = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m bundler init --log-file log >&- 2>&-"], cwd=tmp_path, check=False
    )
    assert done.returncode == 0
    assert "arc-bundler lock" not in (tmp_path / "bundle.yaml").read_text().splitlines()
    assert "wrote" not in (tmp_path / "log").read_text()


def test_a_pipe_that_ends_early_is_quiet(tmp_path: Path) -> None:
    """As people write it; with pipefail the code is that of the command, not of the pipe."""
    script = f"set -o pipefail; '{sys.executable}' -m bundler schema | head -1"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def test_every_json_document_has_warnings(ended) -> None:
    """Of a success and of a failure; `schema` prints the schema itself, and `lab` runs on."""
    for name, run in RUNS.items():
        _, out, _ = ended[" ".join([*run, "--format", "json"]), "usual"]
        document = json.loads(out)
        if name != "schema":
            assert isinstance(document["warnings"], list), name
            assert isinstance(document["ok"], bool), name
