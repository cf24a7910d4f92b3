"""Output is valid JSON or text for any file name and any encoding of the reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timezone

import pytest

from bundler.cli.main import main
from bundler.formats import json_codec
from bundler.model.manifest import Manifest


def run(folder, encoding, *arguments):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    return subprocess.run(
        [sys.executable, "-m", "bundler", *arguments], cwd=folder, env=environment, capture_output=True, check=False
    )


@pytest.mark.parametrize("encoding", ["utf-8:strict", "utf-8:surrogateescape", "ascii:strict", "cp1252:strict"])
def test_output_survives_names_and_encodings(tmp_path, encoding):
    name = "caf\u00e9 \u6771\u4eac.msi"
    (tmp_path / name).write_bytes(b"no installer")
    told = run(tmp_path, encoding, "verify-file", name, "--format", "json")
    assert told.returncode == 6, told.stderr
    assert json.loads(told.stdout.decode(encoding.partition(":")[0]))["files"][0]["path"] == name
    plain = run(tmp_path, encoding, "verify-file", name)
    assert plain.returncode == 6
    assert b"Traceback" not in plain.stderr


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
@pytest.mark.parametrize("encoding", ["utf-8:strict", "utf-8:surrogateescape"])
@pytest.mark.parametrize("command", ["verify-file", "verify", "inspect"])
def test_a_name_that_is_not_text_is_written_as_valid_json(tmp_path, command, encoding):
    name = os.fsdecode(b"caf\xe9.msi")
    (tmp_path / name).write_bytes(b"no installer")
    for arguments in ((command, name, "--format", "json"), (command, name)):
        told = run(tmp_path, encoding, *arguments)
        assert told.returncode == 6, told.stderr
        assert b"Traceback" not in told.stderr
        if "json" in arguments:
            assert json.loads(told.stdout)["ok"] is False


def test_a_manifests_values_do_not_steer_the_terminal(tmp_path, capsys):
    """`inspect` quotes a manifest, which anyone may have written."""
    said = {"resource_group": "servers\x1b[2J\x1b[1;1Happroved\u202e", "tags.site": "東京\u3000本社"}
    manifest = Manifest(
        name="arc", version="1", product="arc-server", created=datetime(2026, 1, 1, tzinfo=timezone.utc), tool="test",
        targets=(), parameters=said, anchors="A", anchors_sha256="", lock_sha256="", pins=(), files=(),
    )  # fmt: skip
    (tmp_path / "manifest.json").write_bytes(json_codec.to_json(manifest))
    assert main(["inspect", str(tmp_path / "manifest.json")]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\u{1b}[2J" in shown
    assert "東京\u3000本社" in shown
