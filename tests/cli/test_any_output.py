"""Output is JSON, and text, whatever a file is called and whatever the reader's encoding is."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


def run(folder, encoding, *arguments):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    return subprocess.run(
        [sys.executable, "-m", "bundler", *arguments], cwd=folder, env=environment, capture_output=True, check=False
    )


@pytest.mark.parametrize("encoding", ["utf-8:strict", "utf-8:surrogateescape", "ascii:strict", "cp1252:strict"])
def test_output_survives_names_and_encodings(tmp_path, encoding):
    name = "caf\u00e9 \u6771\u4eac.msi"
    (tmp_path / name).write_bytes(b"no installer")
    told = run(tmp_path, encoding, "authenticate", name, "--format", "json")
    assert told.returncode == 6, told.stderr
    assert json.loads(told.stdout.decode(encoding.partition(":")[0]))["files"][0]["path"] == name
    plain = run(tmp_path, encoding, "authenticate", name)
    assert plain.returncode == 6
    assert b"Traceback" not in plain.stderr


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
@pytest.mark.parametrize("encoding", ["utf-8:strict", "utf-8:surrogateescape"])
@pytest.mark.parametrize("command", ["authenticate", "verify", "inspect"])
def test_a_name_that_is_no_text_is_told_as_valid_json(tmp_path, command, encoding):
    name = os.fsdecode(b"caf\xe9.msi")
    (tmp_path / name).write_bytes(b"no installer")
    for arguments in ((command, name, "--format", "json"), (command, name)):
        told = run(tmp_path, encoding, *arguments)
        assert told.returncode == 6, told.stderr
        assert b"Traceback" not in told.stderr
        if "json" in arguments:
            assert json.loads(told.stdout)["ok"] is False
