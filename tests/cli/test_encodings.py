"""Any name is printable: as UTF-8 to files and pipes, escaped where a requested encoding lacks a character."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# What a customer in Tokyo calls a file, and what no Windows code page of the West has.
NAME = "\N{CJK UNIFIED IDEOGRAPH-6771}\N{CJK UNIFIED IDEOGRAPH-4EAC}.yaml"
ARGUMENTS = ["init", "-d", NAME, "--name", "arc-tokyo"]


def run(folder, *more, **environment):
    kept = {name: text for name, text in os.environ.items() if name not in {"PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL"}}
    command = [sys.executable, "-m", "bundler", *ARGUMENTS, *more]
    return subprocess.run(command, cwd=folder, env={**kept, **environment}, capture_output=True, check=False)


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "latin-1"])
def test_what_an_encoding_lacks_is_escaped(tmp_path, encoding):
    ended = run(tmp_path, PYTHONIOENCODING=encoding)
    assert ended.returncode == 0, ended.stderr
    assert "arc-bundler lock" in ended.stdout.decode(encoding)
    assert (tmp_path / NAME).is_file()


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1", "ja_JP.eucJP"])
def test_json_is_utf_8_in_a_pipe(tmp_path, locale):
    ended = run(tmp_path, "--format", "json", LC_ALL=locale)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.decode("utf-8"))["path"] == NAME
