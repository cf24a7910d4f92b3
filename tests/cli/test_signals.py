"""SIGTERM and SIGHUP end a command as Ctrl-C does, except where they are ignored from the start (nohup)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals")
PROGRAM = """
import signal, sys
if sys.argv[1] == "ignored":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
else:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
from bundler.cli import main
try:
    main.run(["--version"])
except SystemExit:
    hangup, end = map(signal.getsignal, (signal.SIGHUP, signal.SIGTERM))
    print(hangup is signal.SIG_IGN, end is signal.default_int_handler)
"""


@pytest.mark.parametrize(("start", "is_ignored"), [("ignored", True), ("usual", False)])
def test_what_nohup_ignores_stays_ignored(start, is_ignored):
    done = subprocess.run([sys.executable, "-c", PROGRAM, start], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"{is_ignored} True"
