"""A script is its header, a marker line and its runtime, with a digest that anyone can compute with sed."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess

import pytest

from bundler.render import runtime
from bundler.render.runtime import Part, RuntimePartError

PARTS = (Part("templates/runtime/linux/a.sh", "a() { :; }\n"), Part("templates/x/runtime/linux/b.sh", "b\n\nc\n"))
NAMED = {"tool": "arc-bundler 0.2.0", "product": "arc-server", "platform": "linux", "name": "install.sh"}


def test_each_part_stands_under_its_path_and_the_end_line_is_the_last():
    assert runtime.runtime(PARTS, "\n").decode() == (
        "# ---- templates/runtime/linux/a.sh ----\na() { :; }\n"
        "# ---- templates/x/runtime/linux/b.sh ----\nb\n\nc\n"
        "# ==== end of the runtime ====\n"
    )


def test_a_powershell_script_has_its_line_ends_everywhere():
    made = runtime.script(b"param()\r\n", PARTS, **{**NAMED, "platform": "windows", "name": "install.ps1"})
    assert made.count(b"\r\n") == made.count(b"\n") == made.count(b"\r") == 9


def test_the_digest_of_the_marker_line_is_that_of_the_bytes_behind_it():
    made = runtime.script(b"#!/bin/bash\n", PARTS, **NAMED)
    line = made.split(b"\n")[1].decode()
    behind = made.split(line.encode() + b"\n")[1]
    found = re.fullmatch(
        r"# ==== arc-bundler 0\.2\.0 runtime: arc-server linux install\.sh sha256:([0-9a-f]{64}) ====", line
    )
    assert found
    assert found[1] == hashlib.sha256(behind).hexdigest() == runtime.digest(runtime.runtime(PARTS, "\n"))


@pytest.mark.skipif(not shutil.which("sed"), reason="needs sed")
@pytest.mark.parametrize("name", ["install.sh", "install.ps1"])
def test_sed_computes_the_same_digest(tmp_path, name):
    """The command that the documentation gives, over two headers."""
    ends = "\n" if name.endswith(".sh") else "\r\n"
    for header in ("#!/bin/bash", "# another"):
        made = runtime.script(f"{header}{ends}".encode(), PARTS, **{**NAMED, "name": name})
        (tmp_path / name).write_bytes(made)
        command = f"sed '1,/^# ==== arc-bundler .* runtime/d' {name} | sha256sum"
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=True, text=True)
        assert done.stdout.split()[0] == runtime.digest(runtime.runtime(PARTS, ends))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no line feed",
        "a\r\n",
        "\u6771\n",
        "a\n# ==== arc-bundler 0.2.0 runtime: x\n",
        "# ==== end of the runtime ====\n",
        "a\n# ---- templates/x ----\n",
    ],
)
def test_a_part_that_would_make_the_digest_ambiguous_is_refused(text):
    with pytest.raises(RuntimePartError):
        runtime.runtime([Part("templates/runtime/linux/a.sh", text)], "\n")


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("tool", "another-tool 1"),
        ("tool", "arc-bundler 1\n"),
        ("tool", "arc-bundler"),
        ("tool", "arc-bundler 1 + arc-hello"),
        ("product", "a b"),
        ("platform", ""),
        ("name", "a\nb.sh"),
    ],
)
def test_a_word_that_breaks_the_marker_line_is_refused(key, given):
    with pytest.raises(RuntimePartError):
        runtime.marker(b"x", **{**NAMED, key: given})


def test_a_plug_in_is_named_with_its_version():
    line = runtime.marker(b"", **{**NAMED, "tool": "arc-bundler 0.2.0 + arc-hello 1.0", "product": "hello"})
    assert line.startswith("# ==== arc-bundler 0.2.0 + arc-hello 1.0 runtime: hello linux install.sh sha256:e3b0c4")


@pytest.mark.parametrize("header", [b"", b"no line end", b"# ==== arc-bundler 1 runtime: x\n", b"#!\n# ==== end\n"])
def test_a_header_that_hides_the_marker_is_refused(header):
    with pytest.raises(RuntimePartError):
        runtime.script(header, PARTS, **NAMED)


def test_parts_are_read_from_the_templates_of_their_product(tmp_path):
    (tmp_path / "templates/hello").mkdir(parents=True)
    (tmp_path / "templates/hello/a.sh").write_bytes(b"one\r\ntwo\n")
    assert runtime.read_parts(["templates/hello/a.sh"], tmp_path) == (Part("templates/hello/a.sh", "one\ntwo\n"),)


@pytest.mark.parametrize("path", ["hello/a.sh", "templates/../a.sh", "/etc/passwd"])
def test_a_part_is_read_from_below_templates_alone(tmp_path, path):
    with pytest.raises(RuntimePartError):
        runtime.read_parts([path], tmp_path)
