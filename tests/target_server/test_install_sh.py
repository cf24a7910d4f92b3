"""install.sh on the poorest server: bash and busybox, with stand-ins for the package manager and the agent."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from bundler.model.target import Target
from tests.support import sample_bundles as sample
from tests.support import small_root
from tests.support.receipts import problems
from tests.support.small_root import put

pty = pytest.importorskip("pty")
termios = pytest.importorskip("termios")

CANARY = "cAn4ry-$(touch /pwned)`x`'\"\\é"
NAME = f"/subscriptions/{sample.SUBSCRIPTION}/resourceGroups/rg-arc/providers/Microsoft.HybridCompute/machines/"


@pytest.fixture
def server(tmp_path, bash):
    small_root.need()
    root = small_root.make(tmp_path / "root", sample.LINUX_VERSION, bash)
    sample.write(root / "bundle", lab=True)
    return root


def secret(server, text=CANARY + "\n"):
    put(server / "root/secret", text, 0o600)
    return "--secret-file", "/root/secret"


def receipt(server):
    found = sorted((server / "var/log/arc-bundler").glob("receipt-*.json"))
    assert found, "there is no receipt"
    read = [json.loads(path.read_bytes()) for path in found]
    assert [problems(one) for one in read] == [[]] * len(read)
    return read[-1]


def outcomes(ended):
    return [line.split()[2] for line in ended.out.splitlines() if line.startswith("[")]


def test_it_installs_and_connects(server):
    ended = server.run(*secret(server))
    assert ended.code == 0, ended.out
    assert outcomes(ended) == ["ok"] * 7
    shown = json.loads(server.agent("show", "-j"))
    assert (shown["status"], shown["resourceGroup"]) == ("Connected", "rg-arc")
    assert server.agent("config", "get", "incomingconnections.ports") == "[22,6516]\n"
    assert (server / "installed-sum").read_text().split()[0] == sample.DEB.sha256
    written = receipt(server)
    assert written["code"] == 0
    assert written["bundle"]["lab"] is True
    assert [step["name"] for step in written["steps"]] == [
        "verify", "preflight", "install", "configure", "connect", "confirm",
    ]  # fmt: skip
    assert written["resource_id"].startswith(NAME)


def test_a_second_run_is_a_quiet_success_without_a_secret(server):
    assert server.run(*secret(server)).code == 0
    before = (server / "packages").read_text()
    ended = server.run()
    assert ended.code == 0, ended.out
    assert outcomes(ended) == ["ok", "ok", "skip", "skip", "skip", "ok", "ok"]
    assert (server / "packages").read_text() == before


@pytest.mark.parametrize("way", ["file", "file-without-end", "file-from-windows", "stdin", "variable"])
def test_the_secret_gets_nowhere_but_to_the_agent(server, way):
    more = {}
    arguments = ()
    if way.startswith("file"):
        end = {"file": "\n", "file-without-end": "", "file-from-windows": "\r\n"}[way]
        arguments = secret(server, ("\ufeff" if "windows" in way else "") + CANARY + end)
    elif way == "stdin":
        arguments, more = ("--secret-stdin",), {"stdin": CANARY.encode()}
    else:
        more = {"environment": {"ARC_BUNDLER_SECRET": CANARY}}
    # The stand-in notes the parameters that it was given: the one place where the secret has to arrive.
    put(
        server / "stand-in/wrapper",
        # It takes its time, so that whoever looks at all processes sees it.
        small_root.WRAPPER.replace(
            "exec ", '[[ $1 != connect ]] || { ls -ln "$3"; cat "$3"; sleep 0.2; } >/arrived\nexec '
        ),
    )
    ended = server.run(*arguments, watch=True, **more)
    assert ended.code == 0, ended.out
    mode, _, arrived = (server / "arrived").read_text().partition("\n")
    assert json.loads(arrived)["service-principal-secret"] == CANARY
    assert mode.split()[0] == "-rw-------"
    (server / "arrived").unlink()
    (server / "root/secret").unlink(missing_ok=True)
    assert b"azcmagent\0connect\0--config" in ended.seen
    assert b"cAn4ry" not in ended.out.encode() + ended.seen
    assert [path for path, content in server.files().items() if b"cAn4ry" in content] == []
    assert b"ARC_BUNDLER_SECRET" not in (server / "seen").read_bytes()
    assert not (server / "pwned").exists()
    assert list((server / "run").glob("arc-bundler*")) + list((server / "var/tmp").iterdir()) == []


def test_no_child_is_started_with_the_secret_in_its_environment(server):
    """Every program notes what it was given; looking at processes from outside would miss most of them."""
    put(server / "stand-in/note", '#!/bin/bash\nexport -p >>/children\nexec /bin/busybox "${0##*/}" "$@"\n')
    for path in (server / "bin").iterdir():
        if path.is_symlink():
            path.unlink()
            path.symlink_to("/stand-in/note")
    ended = server.run(environment={"ARC_BUNDLER_SECRET": CANARY})
    assert ended.code == 0, ended.out
    noted = (server / "children").read_text()
    assert noted.count("LC_ALL") > 20
    assert "cAn4ry" not in noted


@pytest.mark.parametrize("options", ["xtrace", "verbose:xtrace", "allexport", "allexport:xtrace", "keyword:allexport"])
def test_an_option_of_bash_s_does_not_give_the_secret_away(server, options):
    ended = server.run(*secret(server), environment={"SHELLOPTS": options}, watch=True)
    assert ended.code == 0, ended.out
    assert b"cAn4ry" not in ended.out.encode() + ended.seen
    assert b"cAn4ry" not in (server / "seen").read_bytes()
    assert ("Not traced" in ended.out) == ("xtrace" in options)


@pytest.mark.parametrize(
    ("content", "why"),
    [("", "empty"), ("\n", "empty"), ("one\ntwo\n", "more than one line"), ("a\tb\n", "control character")],
)
def test_a_bad_secret_is_refused_before_anything_is_touched(server, content, why):
    ended = server.run(*secret(server, content))
    assert ended.code == 203
    assert why in ended.out
    assert not (server / "opt/azcmagent").exists()
    assert receipt(server)["code"] == 203


@pytest.mark.parametrize("link", [False, True])
def test_a_folder_for_logs_that_somebody_else_made_is_not_taken(server, link):
    logs = server / "var/log/arc-bundler"
    logs.parent.mkdir(parents=True)
    theirs = server / "elsewhere" if link else logs
    theirs.mkdir()
    if link:
        logs.symlink_to("/elsewhere")
    os.lchown(logs, 104, 104)
    ended = server.run(*secret(server))
    assert ended.code == 202, ended.out
    assert "/var/log/arc-bundler was not created by root" in ended.out
    assert list(theirs.iterdir()) == []
    os.lchown(logs, 0, 0)
    assert server.run(*secret(server)).code == 0
    assert len(list(theirs.glob("receipt-*.json"))) == 1


def test_without_terminal_and_secret_nothing_is_touched(server):
    ended = server.run()
    assert ended.code == 203
    assert not (server / "packages").exists()


@pytest.mark.parametrize("flag", ["--check", "--dry-run"])
def test_looking_changes_nothing(server, flag):
    arguments = secret(server)
    before = server.files()
    ended = server.run(flag, *arguments)
    assert ended.code == 0, ended.out
    assert server.files() == before
    assert outcomes(ended) == (["ok", "ok"] if flag == "--check" else ["ok", "ok"] + ["would"] * 5)


def test_a_dry_run_needs_no_root(server):
    server.root.chmod(0o755)
    ended = server.run("--dry-run", user="12345:12345")
    assert ended.code == 0, ended.out
    assert "root is needed" in ended.out
    assert outcomes(ended) == ["ok"] + ["would"] * 6


def test_without_root_it_is_not_ready(server):
    ended = server.run("--check", *secret(server), user="12345:12345")
    assert ended.code == 202
    assert "root is needed" in ended.out


@pytest.mark.parametrize(
    ("release", "fits"),
    [
        ("ID=ubuntu\nVERSION_ID=22.04\n", True),
        ("ID=debian\nVERSION_ID='12'\n", True),
        ('ID="rhel"\nVERSION_ID="9.4"', True),
        ("ID=sles_sap\nVERSION_ID=15.5\n", True),
        ("ID=mariner\nVERSION_ID=3.0.20240727\n", True),
        ("ID=rhel\nVERSION_ID=90\n", False),
        ("ID=rocky\nID_LIKE=rhel\nVERSION_ID=9.4\n", False),
        ("ID=ubuntu\nVERSION_ID=24.04\n", False),
        ("ID=$(touch /pwned)\nVERSION_ID=`touch /pwned`\n", False),
        ("", False),
    ],
)
def test_a_machine_is_a_target_or_not(server, release, fits):
    put(server / "etc/os-release", release, 0o644)
    put(server / "usr/bin/rpm", "#!/bin/bash\nexit 1\n")
    ended = server.run("--check", *secret(server))
    assert ended.code == (0 if fits else 204), ended.out
    assert not (server / "pwned").exists()


@pytest.mark.parametrize(("version", "told"), [("15.3", True), ("15.1", True), ("15.5", False), ("15.7", False)])
def test_a_service_pack_that_the_agent_no_longer_supports_is_told(server, version, told):
    """By Microsoft's table; whether it works all the same is not for us to say."""
    pin = replace(sample.RPM, targets=(Target(os="sles", version="15"),))
    sample.write(server / "bundle", pins=(pin,))
    put(server / "etc/os-release", f'ID="sles"\nVERSION_ID="{version}"\n', 0o644)
    put(server / "usr/bin/rpm", "#!/bin/bash\nexit 0\n")
    put(server / "usr/bin/zypper", "#!/bin/bash\nexit 0\n")
    ended = server.run("--check", environment={"ARC_BUNDLER_SECRET": CANARY})
    assert ended.code == 0, ended.out
    said = f"WARNING: Microsoft supports agent {pin.facts.version} on sles 15.4, 15.5, 15.6, 15.7, not on {version}"
    assert (said in ended.out) == told, ended.out


def test_a_dry_run_on_another_machine_shows_the_first_target(server):
    put(server / "etc/os-release", "ID=arch\n", 0o644)
    ended = server.run("--dry-run")
    assert ended.code == 0
    assert "stop here with exit code 204" in ended.out
    assert "On ubuntu/22.04/x64 the next steps would be" in ended.out


@pytest.mark.parametrize("path", [sample.DEB.path, "config/settings.json", "config/endpoints.json"])
@pytest.mark.parametrize("how", ["changed", "missing", "link"])
def test_a_damaged_bundle_is_refused(server, path, how):
    file = server / "bundle" / path
    content = file.read_bytes()
    file.unlink()
    if how == "changed":
        file.write_bytes(content[:-1] + b"\x00")
    elif how == "link":
        (server / "elsewhere").write_bytes(content)
        file.symlink_to("/elsewhere")
    ended = server.run(*secret(server))
    assert ended.code == 200, ended.out
    assert path in ended.out
    assert not (server / "opt/azcmagent").exists()


def test_a_package_for_another_machine_may_be_missing(server):
    (server / "bundle" / sample.RPM.path).unlink()
    assert server.run(*secret(server)).code == 0


@pytest.mark.parametrize("short", [0, 1])
def test_room_on_one_file_system_is_added_up(server, short):
    """The agent, our copy of its package, and a MiB each for the folders of its state; here all are on one."""
    text = (server / "bundle/install.sh").read_text()
    packed, installed = map(int, re.search(r"'deb' '(\d+)' '(\d+)'", text).groups())
    free = installed + packed + 2 * 1024 - short
    (server / "bin/df").unlink()
    put(server / "bin/df", f"#!/bin/bash\necho header\necho /dev/sda1 9999999 1 {free} 1% /\n")
    ended = server.run("--check", environment={"ARC_BUNDLER_SECRET": CANARY})
    assert ended.code == (202 if short else 0), ended.out
    assert ("MiB free and needs" in ended.out) == bool(short)


def test_no_systemd_is_not_ready(server):
    (server / "run/systemd/system").rmdir()
    assert server.run("--check", *secret(server)).code == 202


def installed(server, version):
    """As if the agent were there from before."""
    put(server / "dpkg-version", version, 0o644)
    for name in ("lab-agent", "azcmagent"):
        source = "stand-in/agent" if name == "lab-agent" else "stand-in/wrapper"
        put(server / "opt/azcmagent/bin" / name, (server / source).read_text())


@pytest.mark.parametrize(
    ("version", "outcome"), [("1.66.03471.1262", "ok"), (sample.LINUX_VERSION, "skip"), ("1.100.00001.1", "skip")]
)
def test_what_is_installed_decides(server, version, outcome):
    installed(server, version)
    ended = server.run(*secret(server))
    assert ended.code == 0, ended.out
    assert outcomes(ended)[2] == outcome
    assert (server / "packages").exists() == (outcome == "ok")


def test_connected_elsewhere_is_refused_before_anything_is_touched(server):
    installed(server, "1.66.03471.1262")
    elsewhere = {"subscriptionId": sample.SUBSCRIPTION, "resourceGroup": "rg-other", "resourceName": "srv"}
    put(server / "var/opt/azcmagent/agentconfig.json", json.dumps(elsewhere), 0o644)
    ended = server.run(*secret(server))
    assert ended.code == 67, ended.out
    assert "rg-other" in ended.out
    assert "rg-arc" in ended.out
    assert not (server / "packages").exists()


def test_names_are_compared_as_azure_does(server):
    installed(server, sample.LINUX_VERSION)
    here = {"subscriptionId": sample.SUBSCRIPTION.upper(), "resourceGroup": "RG-Arc", "resourceName": "srv"}
    put(server / "var/opt/azcmagent/agentconfig.json", json.dumps(here), 0o644)
    ended = server.run()
    assert ended.code == 0, ended.out
    assert outcomes(ended)[4] == "skip"


@pytest.mark.parametrize("code", [26, 41, 42])
def test_the_agents_exit_code_passes_through(server, code):
    put(server / "var/opt/azcmagent/lab.json", json.dumps({"fail": str(code)}), 0o644)
    ended = server.run("--connect-tries", "1", *secret(server))
    assert ended.code == code, ended.out
    assert f"exit code {code}:" in ended.out
    assert receipt(server)["code"] == code
    assert receipt(server)["steps"][-1]["outcome"] == "failed"
    assert list((server / "run").glob("arc-bundler*")) == []
    # What was wrong is put right, and the same command goes on from there.
    (server / "var/opt/azcmagent/lab.json").unlink()
    again = server.run(*secret(server))
    assert again.code == 0, again.out
    assert outcomes(again)[2:4] == ["skip", "skip"]


def test_a_failing_package_manager_says_so(server):
    (server / "apt-fails").touch()
    ended = server.run(*secret(server))
    assert ended.code == 143
    assert "Unmet dependencies" in ended.out
    (server / "apt-fails").unlink()
    assert server.run(*secret(server)).code == 0


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_interrupted_while_connecting(server, which):
    (server / "slow").touch()
    process = server.start(*secret(server))
    waited = time.monotonic() + 30
    while not (server / "connecting").exists():
        assert process.poll() is None
        assert time.monotonic() < waited
        time.sleep(0.02)
    # As a terminal or a service manager does it: to all of them.
    os.killpg(process.pid, which)
    process.wait(30)
    process.stdout.close()
    if which != signal.SIGKILL:
        assert process.returncode == 207
        assert list((server / "run").glob("arc-bundler*")) == []
        assert receipt(server)["code"] == 207
    (server / "slow").unlink()
    again = server.run(*secret(server))
    assert again.code == 0, again.out
    # A killed run could not clean up; the next one does.
    assert list((server / "run").glob("arc-bundler*")) + list((server / "var/tmp").iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [("--bogus",), ("positional",), ("--secret-file",), ("--secret-file", "/x", "--secret-stdin")],
)
def test_a_wrong_call_is_told(server, arguments):
    assert server.run(*arguments).code == 205


def test_help_asks_for_nothing(server):
    ended = server.run("--help")
    assert ended.code == 0
    assert "--secret-file FILE" in ended.out


def test_a_truncated_script_does_nothing(server):
    script = server / "bundle/install.sh"
    whole = script.read_bytes()
    before = server.files()
    before.pop("bundle/install.sh")
    for part in range(1, 12):
        script.write_bytes(whole[: len(whole) * part // 12])
        server.run()
        after = server.files()
        after.pop("bundle/install.sh")
        assert after == before


def at_a_terminal(server, keys: bytes, *, wait_for=b"(not shown): "):
    """Run install.sh on a terminal of its own, and press keys when it asks."""
    primary, secondary = pty.openpty()
    script = ["unshare", "--net", "chroot", str(server.root), "/bin/bash", "/bundle/install.sh"]
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *script],
        env={"PATH": os.environ["PATH"], "HOSTNAME": "srv"},
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
    )
    said = b""
    while wait_for not in said:
        said += os.read(primary, 4096)
    os.write(primary, keys)
    for _ in range(15):
        # Between writing its prompt and reading, bash only notes a Ctrl-C: there a person presses it again.
        with suppress(subprocess.TimeoutExpired):
            process.wait(2)
            break
        if keys == b"\x03":
            os.write(primary, keys)
    echoes = bool(termios.tcgetattr(secondary)[3] & termios.ECHO)
    os.close(secondary)
    try:
        while more := os.read(primary, 4096):
            said += more
    except OSError:
        pass  # How Linux says that the other end is closed.
    os.close(primary)
    return process.returncode, said, echoes


def test_on_a_terminal_it_asks_without_showing(server):
    code, said, echoes = at_a_terminal(server, CANARY.encode() + b"\n")
    assert code == 0, said
    assert b"cAn4ry" not in said
    assert echoes


def test_a_shell_that_a_person_types_in_remembers_no_secret(server):
    """The whole way of a person: a login shell with a history, the command, the answer, and leaving."""
    primary, secondary = pty.openpty()
    shell = ["unshare", "--net", "chroot", str(server.root), "/bin/bash", "--norc", "--noprofile", "-i"]
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *shell],
        env={"PATH": os.environ["PATH"], "HOSTNAME": "srv", "HISTFILE": "/root/.bash_history", "PS1": "ready> "},
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
    )
    os.close(secondary)
    said = b""
    keys = [
        (b"ready> ", b"bash /bundle/install.sh\n"),
        (b"(not shown): ", CANARY.encode() + b"\n"),
        (b"ready> ", b"exit\n"),
    ]
    for wanted, answer in keys:
        while wanted not in said:
            said += os.read(primary, 4096)
        said = said.partition(wanted)[2]
        os.write(primary, answer)
    with suppress(OSError):
        while os.read(primary, 4096):
            pass
    process.wait(30)
    os.close(primary)
    assert "bash /bundle/install.sh" in (server / "root/.bash_history").read_text()
    assert receipt(server)["outcome"] == "connected"
    assert [path for path, content in server.files().items() if b"cAn4ry" in content] == []


def test_ctrl_c_at_the_question_leaves_everything_as_it_was(server):
    code, said, echoes = at_a_terminal(server, b"\x03")
    assert code == 207, said
    assert echoes, "the terminal was left without echo"
    assert not (server / "packages").exists()
