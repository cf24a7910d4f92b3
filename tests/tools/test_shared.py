"""What the test processes of one run share is made once, whole, and removed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import shared

ROOT = Path(__file__).resolve().parents[2]


def test_of_many_that_need_a_thing_one_makes_it(request):
    made = []

    def make(path):
        made.append(path)
        path.write_bytes(b"whole")

    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda _: shared.once(request.node.nodeid, make), range(8)))
    assert len(made) == len(set(places)) == 1
    assert places[0].read_bytes() == b"whole"


def test_what_failed_half_way_is_made_again(request):
    def fail(path):
        path.write_bytes(b"half")
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        shared.once(request.node.nodeid, fail)
    assert shared.once(request.node.nodeid, lambda path: path.write_bytes(b"whole")).read_bytes() == b"whole"


def test_names_that_look_alike_as_files_are_two_things():
    one, other = (shared.rsa_key(name) for name in ("it's", "it`s"))
    assert one.private_numbers() != other.private_numbers()


def test_equal_names_are_equal_keys():
    assert shared.rsa_key("a").private_numbers() == shared.rsa_key("a").private_numbers()
    assert shared.rsa_key("a").private_numbers() != shared.rsa_key("b").private_numbers()


def test_a_child_shares_the_folder_and_the_last_one_removes_it(monkeypatch):
    code = (
        "import subprocess, sys; from tests.support import shared\n"
        "print(shared.begin(), flush=True)\n"
        "if len(sys.argv) > 1: subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)\n"
        "print(shared.begin().is_dir())\n"
    )
    monkeypatch.delenv("BUNDLER_TESTS_FOLDER")
    told = subprocess.run([sys.executable, "-c", code, code], cwd=ROOT, capture_output=True, text=True, check=True)
    outer, inner, there, still_there = told.stdout.split()
    assert outer == inner
    assert there == still_there == "True"
    assert not Path(outer).exists()
