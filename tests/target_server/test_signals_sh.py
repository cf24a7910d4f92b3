"""A run that is ended by a signal ends with 207, ends the agent, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from tests.support import small_root
from tests.support.small_root import put

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT]
SLOW = """#!/bin/bash
[[ $1 != "$(</slow)" ]] || { echo $$ >/started; sleep 60; }
exec /opt/azcmagent/bin/lab-agent "$@"
"""


@pytest.fixture
def server(tmp_path, bash):
    root = small_root.with_lab_bundle(tmp_path / "root", bash)
    put(root / "stand-in/wrapper", SLOW)
    put(root / "slow", "")
    return root


def interrupted(server, which, *, to_all=False, stand_in="started"):
    """The code and the output of a run that got the signal when the program had started."""
    process = server.start("--secret-file", "/root/secret")
    deadline = time.monotonic() + 30
    while not (server / stand_in).exists():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    began = time.monotonic()
    (os.killpg if to_all else os.kill)(process.pid, which)
    out, _ = process.communicate(timeout=30)
    assert time.monotonic() - began < 15
    return process.returncode, out.decode(errors="replace")


def nothing_is_left(server) -> None:
    assert list((server / "run").glob("arc-bundler*")) + list((server / "var/tmp").iterdir()) == []
    texts = [content for path, content in server.files().items() if path != "root/secret"]
    assert not [text for text in texts if b"a-secret-of-this-test" in text]
    log = next((server / "var/log/arc-bundler").glob("install-*.log"))
    receipt = next((server / "var/log/arc-bundler").glob("receipt-*.json"))
    assert json.loads(receipt.read_bytes())["code"] == 207
    assert "interrupted by" in log.read_text()
    assert sorted(path.name for path in log.parent.iterdir()) == [log.name, receipt.name]


def ended(server) -> bool:
    time.sleep(0.5)
    return not [
        path
        for path in small_root.Path("/proc").glob("[0-9]*/root")
        if os.path.realpath(path) == str(server.root) and "(deleted)" not in str(path)
    ]


@pytest.mark.parametrize("which", SIGNALS, ids=lambda which: which.name)
def test_the_script_alone_gets_it_while_the_agent_connects(server, which):
    """As "kill" does it: the agent, and what it has started, are ended by the script."""
    put(server / "slow", "connect")
    code, out = interrupted(server, which)
    assert code == 207, out
    assert "exit code 207" in out
    nothing_is_left(server)
    assert ended(server)


@pytest.mark.parametrize("verb", ["show", "config"])
def test_in_every_step(server, verb):
    put(server / "slow", verb)
    code, out = interrupted(server, signal.SIGTERM)
    assert code == 207, out
    nothing_is_left(server)


def test_a_package_manager_is_asked_to_end(server):
    put(
        server / "usr/bin/apt-get",
        "#!/bin/bash\ntrap 'sleep 1; : >/in-order; exit 1' TERM\n: >/started\nsleep 60 &\nwait\n",
    )
    code, out = interrupted(server, signal.SIGTERM)
    assert code == 207, out
    assert (server / "in-order").exists()
    nothing_is_left(server)


def test_an_agent_that_does_not_want_to_end_is_ended(server):
    put(server / "slow", "connect")
    put(server / "stand-in/wrapper", SLOW.replace("echo $$", "trap '' TERM; echo $$"))
    code, out = interrupted(server, signal.SIGTERM)
    assert code == 207, out
    assert ended(server)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("--check",)])
def test_lines_behind_the_end_do_not_run(server, arguments):
    script = server / "bundle/install.sh"
    end = "\n# ==== end of the runtime ====\n"
    script.write_text(script.read_text() + ": >/appended" + end)
    server.run(*arguments)
    assert not (server / "appended").exists()


def test_lines_that_are_appended_while_it_runs_do_not_run(server):
    put(server / "slow", "connect")
    process = server.start("--secret-file", "/root/secret")
    deadline = time.monotonic() + 30
    while not (server / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    with (server / "bundle/install.sh").open("a") as file:
        file.write("\n: >/appended\n" * 500)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=30)
    assert not (server / "appended").exists()
