"""An agent that repeats the secret, in any way and place: it is in no line of this run's, nor in what it keeps."""

from __future__ import annotations

import json
import os
import signal
import tarfile
import time

import pytest

from tests.support import sample_bundles as sample
from tests.support import secret_forms as cases
from tests.support import small_root
from tests.support.small_root import put

STATE = "var/opt/azcmagent"
WAYS = cases.repeated(cases.PLAIN)
# By what this stands in for: text before the wrapper starts the agent, whose last words the file /ways holds.
PLACES = {
    "standard output": "cat /ways",
    "standard error": "cat /ways >&2",
    "after the command ended": "(sleep 0.2; cat /ways) & cat /ways",
    "in pieces": "while IFS= read -r -n 5 -d '' part || [[ -n $part ]]; do printf '%s' \"$part\"; done </ways",
    "in more than a pipe holds": "for n in 1 2 3; do cat /ways; head -c 70000 /dev/zero | tr '\\0' x; echo; done",
}


@pytest.fixture
def poorest(tmp_path, bash):
    """Without /proc and /dev/fd."""
    small_root.need()
    root = small_root.make(tmp_path / "root", sample.LINUX_VERSION, bash)
    sample.write(root / "bundle")
    put(root / "root/secret", cases.PLAIN + "\n", 0o600)
    (root / "ways").write_bytes(b"\n==\n".join(WAYS.values()))
    return root


@pytest.fixture
def server(poorest):
    poorest.with_processes()
    return poorest


def go(server, *arguments, **more):
    return server.run("--secret-file", "/root/secret", "--connect-tries", "1", *arguments, **more)


def repeats(server, text: str) -> None:
    """The agent does this, too, when it connects."""
    put(
        server / "stand-in/wrapper", small_root.WRAPPER.replace("exec ", f"[[ $1 != connect ]] || {{ {text}; }}\nexec ")
    )


def assert_clean(server, ended, but=("root/secret", "ways")):
    assert cases.remnants(cases.PLAIN, ended.out.encode()) == []
    found = {name: cases.remnants(cases.PLAIN, held) for name, held in server.files().items() if name not in but}
    assert {name: pieces for name, pieces in found.items() if pieces} == {}


def logged(server) -> str:
    return "".join(path.read_text(errors="replace") for path in (server / "var/log/arc-bundler").glob("*.log"))


@pytest.mark.parametrize("place", PLACES)
def test_in_each_way_and_place(server, place):
    repeats(server, PLACES[place])
    ended = go(server)
    assert ended.code == 0, ended.out
    assert_clean(server, ended)
    assert logged(server).count("***") >= len(WAYS)


def test_where_programs_cannot_open_descriptors(poorest):
    repeats(poorest, "cat /ways")
    put(poorest / STATE / "lab.json", '{"fail": "62", "log-secret": true}', 0o644)
    ended = go(poorest)
    assert ended.code == 62, ended.out
    assert "holds the secret: change it" in ended.out
    assert_clean(poorest, ended, but=("root/secret", "ways", f"{STATE}/log/azcmagent.log"))
    assert logged(poorest).count("***") >= len(WAYS)


def test_in_the_error_of_the_agent(server):
    said = f"failed: AADSTS7000215: Invalid client secret provided: {cases.PLAIN} for app"
    put(server / STATE / "lab.json", json.dumps({"fail": "41", "fail-says": said}), 0o644)
    ended = go(server)
    assert ended.code == 41
    assert "AADSTS7000215" in ended.out
    assert cases.remnants(cases.PLAIN, ended.out.encode()) == []
    assert cases.remnants(cases.PLAIN, logged(server).encode()) == []


def test_by_an_agent_that_is_stopped(server):
    repeats(server, "cat /ways; : >/connecting; sleep 30")
    process = server.start("--secret-file", "/root/secret", "--record-dir", "/records")
    waited = time.monotonic() + 30
    while not (server / "connecting").exists():
        assert time.monotonic() < waited
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 207
    assert cases.remnants(cases.PLAIN, out) == []
    found = {name: cases.remnants(cases.PLAIN, held) for name, held in server.files().items()}
    assert {name for name, pieces in found.items() if pieces} == {"root/secret", "ways"}
    assert any(name.startswith("records/receipt-") for name in found)


def test_by_an_agent_of_a_run_that_was_killed(server):
    """What it said lies in memory until the next run, which holds the secret, or cannot tell and leaves it out."""
    repeats(
        server,
        "[[ ! -e /hangs ]] || { cat /ways; echo last words; : >/connecting; sleep 30; }",
    )
    (server / "hangs").touch()
    process = server.start("--secret-file", "/root/secret")
    waited = time.monotonic() + 30
    while not (server / "connecting").exists():
        assert time.monotonic() < waited
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    (server / "hangs").unlink()
    ended = go(server)
    assert ended.code == 0, ended.out
    assert "last words" in logged(server)
    assert_clean(server, ended)


def test_its_own_log_is_named(server):
    put(server / STATE / "lab.json", '{"log-secret": true}', 0o644)
    ended = go(server)
    assert ended.code == 0, ended.out
    path = "/var/opt/azcmagent/log/azcmagent.log"
    assert f"the agent's log {path} holds the secret: change" in ended.out
    assert f"the agent's log {path} holds the secret: change" in logged(server)
    (receipt,) = (server / "var/log/arc-bundler").glob("receipt-*.json")
    steps = {step["name"]: step for step in json.loads(receipt.read_bytes())["steps"]}
    assert steps["connect"]["outcome"] == "warned"
    assert f"the agent's log {path} holds the secret: change it" in steps["connect"]["message"]
    assert_clean(server, ended, but=("root/secret", "ways", path[1:]))


def test_its_own_log_is_named_when_it_disconnects(server):
    assert go(server).code == 0
    put(server / STATE / "lab.json", '{"log-secret": true}', 0o644)
    ended = go(server, "--uninstall")
    assert ended.code == 0, ended.out
    assert "azcmagent.log holds the secret: change" in ended.out
    assert_clean(server, ended, but=("root/secret", "ways", f"{STATE}/log/azcmagent.log"))


def test_its_own_log_from_before_is_not(server):
    put(server / STATE / "log/azcmagent.log", f"old {cases.PLAIN}\n", 0o644)
    ended = go(server)
    assert ended.code == 0
    assert "holds the secret" not in ended.out


def test_collected_logs_do_not_hold_a_secret_that_is_given(server):
    assert go(server).code == 0
    put(server / STATE / "log/azcmagent.log", "", 0o644)
    (server / STATE / "log/azcmagent.log").write_bytes((server / "ways").read_bytes())
    ended = server.run("--collect-logs", "/carry", "--secret-file", "/root/secret")
    assert ended.code == 0, ended.out
    (archive,) = (server / "carry").glob("arc-logs-srv-*.tar.gz")
    with tarfile.open(archive) as packed:
        texts = {one.name: packed.extractfile(one).read() for one in packed if one.isfile()}
    assert texts["arc-logs/azcmagent/azcmagent.log"].count(b"***") >= len(WAYS)
    assert {name for name, text in texts.items() if cases.remnants(cases.PLAIN, text)} == set()


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        (cases.PLAIN, "unknown argument (it is not shown"),
        (f"-p{cases.PLAIN}", "unknown argument (it is not shown"),
        (f"--secret={cases.PLAIN}", "unknown option: --secret\n"),
        (f"--Secret:{cases.PLAIN}", "unknown argument (it is not shown"),
        ("-p", "unknown option: -p\n"),
    ],
)
@pytest.mark.parametrize("script", ["install.sh", "verify.sh"])
def test_a_secret_as_a_bare_argument_is_not_repeated(server, script, argument, said):
    ended = server.run(argument, script=script)
    assert ended.code == 205
    assert said in ended.out
    assert cases.PLAIN not in ended.out


@pytest.mark.parametrize("option", ["--secret-file", "--secret-file=", "--signer", "--lock-wait", "--connect-tries"])
def test_a_secret_in_the_place_of_an_option_s_value_is_not_repeated(server, option):
    arguments = (option + cases.PLAIN,) if option.endswith("=") else (option, cases.PLAIN)
    ended = server.run(*arguments)
    assert ended.code != 0
    assert cases.PLAIN not in ended.out


def test_a_short_secret_has_a_warning(server):
    put(server / "root/secret", "ab1\n", 0o600)
    repeats(server, "echo 'it is ab1, not ab12'")
    ended = go(server)
    assert ended.code == 0, ended.out
    assert "WARNING: a secret of under 6 characters" in ended.out
    assert "it is ***, not ab12" in logged(server)
