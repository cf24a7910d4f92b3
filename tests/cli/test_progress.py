"""Progress without a terminal: a line for a long task, for every task with -v, for none with -q."""

from __future__ import annotations

import re
import time

import pytest

from bundler.cli import progress

LABEL = "azcmagent.deb for ubuntu/22.04/amd64"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(progress, "monotonic", made)
    return made


def fetched(clock, seconds, *, steps=1, total=60_000_000, **how):
    with progress.progress(**{"wanted": True, "quiet": False, **how}) as shown, shown.task(LABEL, total) as task:
        for _ in range(steps):
            clock.now += seconds / steps
            task.advance(60_000_000 // steps)


def test_what_was_quick_is_not_mentioned(capsys, clock):
    fetched(clock, 0.1)
    assert capsys.readouterr().err == ""


def test_with_v_it_is(capsys, clock):
    fetched(clock, 0.1, each=True)
    assert capsys.readouterr().err == f"{LABEL}: 60.0 MB in 0.1 s\n"


def test_what_takes_long_tells_its_share_speed_and_remaining_time_now_and_then(capsys, clock):
    fetched(clock, 30, steps=60)
    *meanwhile, last = capsys.readouterr().err.splitlines()
    assert meanwhile == [
        f"{LABEL}: 33 % of 60.0 MB, 2.0 MB/s, 20 s left",
        f"{LABEL}: 66 % of 60.0 MB, 2.0 MB/s, 10 s left",
        f"{LABEL}: 100 % of 60.0 MB, 2.0 MB/s, 0 s left",
    ]
    assert last == f"{LABEL}: 60.0 MB in 30.0 s"


@pytest.mark.parametrize("how", [{"quiet": True}, {"wanted": False}], ids=["-q", "--no-progress"])
def test_nothing_is_shown_when_quiet(capsys, clock, how):
    fetched(clock, 30, steps=60, each=True, **how)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_bar_is_one_line_and_its_numbers_are_whole(capsys, monkeypatch, width):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    for name, text in {"COLUMNS": str(width), "TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, text)
    with progress.progress(wanted=True, quiet=False) as shown, shown.task(LABEL, 60_000_000) as task:
        task.advance(30_000_000)
        time.sleep(0.5)  # some frames
        task.note("trying again")
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err).replace("\r", "\n").splitlines()
    frames = [line for line in drawn if "30.0/60.0 MB" in line]
    assert frames
    for frame in frames:
        assert frame.startswith("azcmagent")
        assert len(frame.rstrip()) <= width
    assert any("trying again" in line for line in drawn)
