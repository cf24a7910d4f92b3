"""Are the bashes that the far side's tests were given what they are taken for?

Every test of install.sh and verify.sh that has the fixture ``bash`` (directly or by ``server``) runs with each of them.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.support import bashes


def test_the_bashes_that_were_named_are_within_the_promise():
    """4.2 is RHEL 7's, 5.2 the newest of the systems'; one that cannot open a socket would test little."""
    others = bashes.named()
    if not others:
        pytest.skip(f"{bashes.VARIABLE} names no other bash; this machine's alone runs the scripts")
    for path in others:
        first, second, _ = map(int, bashes.version(path).split("."))
        assert (4, 2) <= (first, second) <= (5, 3), path
        script = "shopt -q extglob; exec 3<>/dev/tcp/127.0.0.1/1"
        said = subprocess.run([path, "-c", script], capture_output=True, text=True, check=False).stderr
        assert "refused" in said.lower(), (path, said)
