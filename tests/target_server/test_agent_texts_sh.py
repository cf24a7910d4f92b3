"""Every answer of azcmagent in tests/agent_texts.toml, read by install.sh's own parts, in one process of each bash."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bundler.products.arc_server import runtime_parts
from bundler.render import quoting
from tests.support import agent_texts

ROWS = agent_texts.rows_of("linux")
HARNESS = Path(agent_texts.__file__).with_suffix(".sh")
LEFT_OUT = ("path", "secret", "ending", "main")
"""Parts that start with what a harness has not, or that would run the script."""


def header(row: agent_texts.Row) -> str:
    """What install.sh's header has for this row, and the machine."""
    said = row.context
    known = [(host, "direct") for host in agent_texts.REQUIRED_HOSTS]
    if said["gateway"]:
        known.append((agent_texts.GATEWAY_HOST, "gateway"))
    values = {
        "COMMAND": row.command, "RC": str(row.rc), "HOST": said["host"], "TYPE": said["type"],
        "WANTED_SUBSCRIPTION": said["subscription"], "WANTED_GROUP": said["group"], "WANTED_NAME": said["name"],
        "PROXY_URL": said["proxy"], "GATEWAY": said["gateway"], "LOCATION": said["location"],
        "KEY": said["key"], "WANTED": said["value"],
    }  # fmt: skip
    lines = [f"{name}={quoting.bash(value)}" for name, value in values.items()]
    lines.append(f"CHECK_HOST=({' '.join(host for host, _ in known)})")
    lines.append(f"CHECK_WAY=({' '.join(way for _, way in known)})")
    lines.append(f"CHECK_REQUIRED=({' '.join('yes' for _ in known)})")
    lines.append("FOUND_VERDICT=()")
    return "\n".join(lines) + "\n"


def laid_out(folder: Path) -> None:
    """A folder for each row."""
    for at, row in enumerate(ROWS):
        place = folder / f"{at:03}"
        place.mkdir()
        (place / "text").write_bytes(row.text)
        (place / "row.sh").write_text(header(row), encoding="utf-8")
        if row.context["config"]:
            (place / "config").write_text(row.context["config"], encoding="utf-8")
        if row.context["uuid"]:
            (place / "product_uuid").write_text(row.context["uuid"] + "\n", encoding="utf-8")
        (place / "agent").write_text("#!/bin/sh\n")
        (place / "agent").chmod(0o755)


def run(shell: str, folder: Path, path: str) -> list[dict[str, str]]:
    """What each row came to."""
    parts = [part for part in runtime_parts.parts("install.sh") if Path(part.path).stem not in LEFT_OUT]
    script = folder / "script.sh"
    head = "LOCK_WAIT=1\nBUNDLE_NAME=x BUNDLE_VERSION=1 SECRET_NAME=s TARGETS=t SEALER='' EMBEDDED_SECRET=''\n"
    script.write_text(
        "set -u\nexport LC_ALL=C\n" + head + "".join(part.text for part in parts) + HARNESS.read_text(encoding="utf-8"),
        encoding="utf-8",
    )
    rows = folder / "rows"
    rows.mkdir()
    laid_out(rows)
    done = subprocess.run(
        [shell, str(script), str(rows)], capture_output=True, check=False, env={**os.environ, "PATH": path}
    )
    assert done.stderr == b"", done.stderr.decode()
    found: list[dict[str, str]] = []
    for line in done.stdout.decode().split("\0")[:-1]:
        name, _, value = line.partition("=")
        if name == "row":
            found.append({})
        found[-1].setdefault(name, value)
    return found


def state(found: dict[str, str]) -> str:
    """The table's word for what the script made of it."""
    if found["shown"] == "disconnected":
        return "not_connected"
    return found["status"] if found["shown"] in ("wanted", "expired", "elsewhere") else found["shown"]


def place(found: dict[str, str]) -> str:
    """The table's word for whose resource that is."""
    if not found["resource"]:
        return "none"
    return {"expired": "wanted"}.get(found["shown"], found["shown"])


def mistakes(row: agent_texts.Row, found: dict[str, str]) -> list[str]:
    """Where the two differ."""
    wrong = []
    for name, wanted in row.want.items():
        if name == "state":
            got = state(found)
        elif name == "place":
            got = place(found)
        elif name in ("error_code", "error_details", "advice"):
            text = found["advice" if name == "advice" else "error"]
            got = wanted if wanted in text else text
        elif isinstance(wanted, list):
            got = [one for one in found.get(name, "").split(", ") if one]
        elif isinstance(wanted, bool):
            got = found[name] == "true"
        else:
            got = type(wanted)(found[name])
        if got != wanted:
            wrong.append(f"{row.name}: {name} is {got!r}, wanted {wanted!r}")
    return wrong


@pytest.fixture(scope="module", params=["coreutils", "busybox"])
def tools(request, tmp_path_factory) -> str:
    """A PATH, with busybox's tools first or without them."""
    if request.param == "coreutils":
        return os.environ["PATH"]
    busybox = shutil.which("busybox")
    if not busybox:
        pytest.skip("needs busybox")
    folder = tmp_path_factory.mktemp("busybox")
    for name in ("tr", "tail", "head", "sed", "grep", "sort", "cat", "printf", "sleep", "cut", "uname", "date", "awk"):
        (folder / name).symlink_to(busybox)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_every_answer_is_read(bash, tools, tmp_path):
    found = run(bash, tmp_path, tools)
    assert len(found) == len(ROWS)
    wrong = [line for row, one in zip(ROWS, found, strict=True) for line in mistakes(row, one)]
    assert not wrong, "\n".join(wrong)


def test_the_table_is_large_and_not_ours_alone():
    rows = agent_texts.rows()
    assert len({row.name for row in rows}) == len(rows) >= 60
    assert sum(not row.lab for row in rows) >= 20
    assert all(row.source and row.want for row in rows)
    assert {row.command for row in rows} == {"show", "check", "connect", "disconnect", "config"}
