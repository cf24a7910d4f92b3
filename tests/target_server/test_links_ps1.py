"""An administrator never follows a link that another user has put where install.ps1 writes."""

from __future__ import annotations

import json
import socket
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.support.machine_digits import digits

OTHER = "S-1-5-21-1-2-3-1001"
PRECIOUS = "of an administrator, and to stay as it is\n"
KINDS = ["link", "dangling", "link to a folder", "hard link", "folder"]
# A junction or a symbolic link of Windows is a symbolic link here. The number of the run's own process is in the log's
# name: it puts them there before it begins.
PLANT_LOGS = """
for ($second = 0; $second -lt 90; $second++) {{
    $stamp = [DateTime]::UtcNow.AddSeconds($second).ToString('yyyyMMddTHHmmssZ')
    foreach ($end in @('', '.part')) {{
        $name = '{folder}/install-{name}-' + $stamp + '-' + $PID + '.log' + $end
        [void][IO.File]::CreateSymbolicLink($name, '{target}')
    }}
}}
"""


@pytest.fixture
def shared(server) -> Path:
    (server / "precious").mkdir()
    (server / "precious/file").write_text(PRECIOUS)
    (server / "shared").mkdir()
    return server / "shared"


def plant(server, path: Path, kind: str) -> None:
    target = {"link": "precious/file", "dangling": "precious/new", "link to a folder": "precious"}.get(kind)
    if target:
        path.symlink_to(server / target)
    elif kind == "hard link":
        path.hardlink_to(server / "precious/file")
    else:
        path.mkdir()


def untouched(server) -> None:
    assert (server / "precious/file").read_text() == PRECIOUS
    assert [path.name for path in (server / "precious").iterdir()] == ["file"]


def moments() -> list[str]:
    """The stamps of the next minute and a half."""
    now = datetime.now(timezone.utc)
    return [(now + timedelta(seconds=second)).strftime("%Y%m%dT%H%M%SZ") for second in range(90)]


def ours(folder: Path, pattern: str) -> list[Path]:
    found = [path for path in folder.glob(pattern) if path.is_file() and not path.is_symlink()]
    return [path for path in found if path.stat().st_nlink == 1]


def no_leftover(folder: Path) -> bool:
    return not [path for path in folder.glob("*.part") if len(path.name.split(".")[-2]) == 32]


def host() -> str:
    """As .NET names this machine."""
    return socket.gethostname().partition(".")[0]


DIGITS = digits(host().lower())
"""The bench's registry has no MachineGuid."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_receipt_of_that_name_is_replaced_and_not_followed(server, shared, kind):
    for stamp in moments():
        for end in ("", ".part"):
            plant(server, shared / f"receipt-{host()}-{DIGITS}-{stamp}.json{end}", kind)
    ended = server.run("-CheckOnly", "-RecordDirectory", str(shared), *server.secret())
    assert ended.code == 0, ended.out
    untouched(server)
    (written,) = ours(shared, "receipt-*.json")
    assert written.name.startswith(f"receipt-{host()}-{DIGITS}-")
    assert json.loads(written.read_bytes())["mode"] == "check"
    assert no_leftover(shared)


@pytest.mark.parametrize("kind", KINDS)
def test_collected_logs_go_to_no_link(server, shared, kind):
    for stamp in moments():
        for end in ("", ".part"):
            plant(server, shared / f"arc-bundler-logs-{host()}-{DIGITS}-{stamp}.zip{end}", kind)
    ended = server.run("-CollectLogs", str(shared))
    untouched(server)
    assert no_leftover(shared)
    made = ours(shared, "*.zip")
    if kind == "folder":
        assert ended.code == 202, ended.out
        assert "cannot be written" in ended.out
        assert not made
    else:
        assert ended.code == 0, ended.out
        (archive,) = made
        assert archive.name.startswith(f"arc-bundler-logs-{host()}-")
        assert "receipt.json" in zipfile.ZipFile(archive).namelist()


@pytest.mark.parametrize("target", ["file", "new"])
def test_a_log_of_that_name_is_replaced_and_not_followed(server, shared, target):
    planted = PLANT_LOGS.format(folder=shared, name=f"{host()}-{DIGITS}", target=server / "precious" / target)
    (server / "prelude.ps1").write_text(planted)
    ended = server.run("-RecordDirectory", str(shared), *server.secret(), prelude="prelude.ps1")
    assert ended.code == 0, ended.out
    untouched(server)
    (log,) = ours(shared, "install-*.log")
    assert "connected to" in log.read_text()
    (msi,) = ours(shared, "msiexec-*.log")
    assert msi.read_text() == "MSI log\n"
    assert no_leftover(shared)


def refused(server, flag: str, path: Path) -> None:
    ended = server.run(*(() if "Collect" in flag else ("-CheckOnly",)), flag, str(path), *server.secret())
    assert ended.code == 202, ended.out
    assert "shared/here is a link of another user" in ended.out
    untouched(server)


@pytest.mark.parametrize("flag", ["-RecordDirectory", "-CollectLogs"])
def test_another_users_link_is_refused_and_an_administrators_is_followed(server, shared, flag):
    (shared / "here").symlink_to(server / "precious")
    # Whose link it is; or who could have put it there, where Windows reports the rights of what it leads to.
    whose = (
        ("", f"{shared / 'here'}|owner|{OTHER}"),
        ("new", f"{shared}|S-1-5-32-545|4|0"),
        ("", f"{shared}|owner|{OTHER}"),
    )
    for new, rights in whose:
        (server / "rights").write_text(rights + "\n")
        refused(server, flag, shared / "here" / new)
    # An administrator's link to it.
    (server / "link").symlink_to(shared / "here")
    refused(server, flag, server / "link")
    (server / "rights").unlink()
    ended = server.run(*(() if "Collect" in flag else ("-CheckOnly",)), flag, str(server / "link"), *server.secret())
    assert ended.code == 0, ended.out
    assert len(list((server / "precious").iterdir())) == 2


def test_a_run_that_changes_things_refuses_it_too(server, shared):
    (shared / "here").symlink_to(server / "precious")
    (server / "rights").write_text(f"{shared / 'here'}|owner|{OTHER}\n")
    ended = server.run("-RecordDirectory", str(shared / "here"), *server.secret())
    assert ended.code == 202, ended.out
    untouched(server)
    assert not (server / "msiexec").exists()
