"""The bash scripts as a reviewer reads them: a short header, the same runtime everywhere, nothing cut off."""

from __future__ import annotations

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.model.target import Target
from bundler.products.arc_server import runtime_parts
from bundler.render.environment import templates
from tests.support import header_cases as cases
from tests.support import sample_bundles as sample
from tests.support import sealed_bundles as sealed
from tests.support.thorough import THOROUGH

NAMES = ("install.sh", "verify.sh")
SCRIPTS = pytest.mark.parametrize("name", NAMES)
MARKER = b"\n# ==== arc-bundler "
BY_HAND = "sed '1,/^# ==== arc-bundler .* runtime/d' {name} | sha256sum"


def script(name: str, recipe: sealed.Recipe = cases.RSA) -> bytes:
    return sealed.contents(recipe)[name]


def header(content: bytes) -> list[bytes]:
    """A script's lines before its marker line."""
    found, marker, _ = content.partition(MARKER)
    assert marker
    return found.split(b"\n")


def ended(bash: str, path: Path, content: bytes) -> int:
    path.write_bytes(content)
    return subprocess.run([bash, path, "--help"], capture_output=True, check=False).returncode


@SCRIPTS
@pytest.mark.parametrize("shell", ["", "sh"])
def test_cut_off_at_no_line_a_script_ends_well(bash, tmp_path, name, shell):
    lines = script(name).splitlines(keepends=True)
    edges = [at for at, line in enumerate(lines, 1) if line.startswith((b"# ---- templates/", b"# ==== ", b"main "))]
    head = range(1, len(header(script(name))) + 1)
    points = range(1, len(lines)) if THOROUGH else sorted({*head, *edges[:-1], *(at - 1 for at in edges)})
    # The first two lines are comments: a shell that has read no command has nothing to refuse.
    cut = [b"".join(lines[:at]) for at in points if at > 2]
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda one: ended(shell or bash, tmp_path / f"{one[0]}.sh", one[1]), enumerate(cut)))
    assert set(codes) == {200}
    assert ended(shell or bash, tmp_path / "whole.sh", b"".join(lines)) == 0


def test_a_script_that_is_cut_off_says_so(bash, tmp_path):
    content = script("verify.sh")
    path = tmp_path / "verify.sh"
    path.write_bytes(content[: content.index(b"# ---- templates/runtime/linux/seal.sh")])
    done = subprocess.run([bash, path], capture_output=True, text=True, check=False)
    assert done.returncode == 200
    assert done.stderr == "this script is incomplete: its last line is missing. Copy the bundle again.\n"


def test_what_is_appended_to_a_script_does_not_run(bash, tmp_path):
    content = script("verify.sh") + b"touch pwned\n" + runtime_end()
    (tmp_path / "verify.sh").write_bytes(content)
    done = subprocess.run([bash, "verify.sh", "--help"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0
    assert not (tmp_path / "pwned").exists()


def runtime_end() -> bytes:
    return b"# ==== end of the runtime ====\n"


@SCRIPTS
@pytest.mark.parametrize("shell", [["bash"], ["sh"], ["busybox", "sh"]], ids=" ".join)
def test_from_standard_input_a_script_asks_for_its_folder(tmp_path, name, shell):
    if not shutil.which(shell[0]):
        pytest.skip(f"needs {shell[0]}")
    done = subprocess.run(
        [*shell, "-s"],
        input=script(name),
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, b"run it from its folder" in done.stderr) == (205, True), done.stderr


@pytest.mark.skipif(not shutil.which("sed"), reason="needs sed")
@SCRIPTS
def test_bundles_of_two_sites_have_the_same_runtime_by_the_sed_line(tmp_path, name):
    another = replace(cases.RSA, sealer=sealed.signer("p256", "Another"), parameters=sample.HOSTILE, lab=True, serial=7)
    digests = set()
    for recipe in (cases.RSA, another):
        content = script(name, recipe)
        (tmp_path / name).write_bytes(content)
        command = ["sh", "-c", BY_HAND.format(name=name)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        digests.add(done.stdout.split()[0])
        assert f"sha256:{done.stdout.split()[0]} ====\n".encode() in content
        assert BY_HAND.format(name=name).encode() in content
    assert len(digests) == 1


# ---- Names and files that parts share ----

LINUX_PARTS = {part.path: part.text for name in NAMES for part in runtime_parts.parts(name)}
# The names of a script's own variables, and whether a list is put into them.
ASSIGNED = re.compile(r"(?<![\w${\[\"'-])([A-Z][A-Z_]+)\+?=(\(?)")


def test_a_name_is_a_list_in_all_parts_or_in_none():
    """All parts are one script: bash takes a list for a table, or one of its values, without a word."""
    kinds: dict[str, set[str]] = {}
    declared = re.findall(r"(?:declare|local) -A (.*)", "\n".join(LINUX_PARTS.values()))
    tables = {name for line in declared for name in re.findall(r"[A-Z_]+", line)}
    for name in tables:
        kinds.setdefault(name, set()).add("table")
    for text in LINUX_PARTS.values():
        for line in text.splitlines():
            for name, list_ in ASSIGNED.findall(line.partition(" # ")[0]):
                # An empty list empties a table, too.
                if not (list_ and name in tables):
                    kinds.setdefault(name, set()).add("list" if list_ else "text")
    assert len(kinds) > 100
    assert {name: kind for name, kind in kinds.items() if len(kind) > 1} == {}


def test_no_part_begins_with_the_name_of_another_part_or_of_the_header():
    """All parts are one script: a name that two of them set at their beginning loses what the first one put there."""
    for name in NAMES:
        parts = {"the header": script(name).partition(MARKER)[0].decode()}
        parts |= {part.path: part.text for part in runtime_parts.parts(name)}
        beginnings: dict[str, list[str]] = {}
        for path, text in parts.items():
            for one in sorted(set(re.findall(r"(?m)^([A-Z][A-Z_]+)=", text))):
                beginnings.setdefault(one, []).append(path)
        assert len(beginnings) > 5
        assert {one: paths for one, paths in beginnings.items() if len(paths) > 1} == {}


def test_no_here_document_needs_room_for_a_file():
    """bash before 5.1 writes each to a file in /tmp, and goes on with nothing where there is no room."""
    for path, text in LINUX_PARTS.items():
        for line in text.splitlines():
            plain = re.sub(r"\(\(.*\)\)", "", line.partition(" # ")[0])
            assert line.lstrip().startswith("#") or "<<" not in plain, (path, line)


# ---- What a reviewer reads ----

LINUX = ("ubuntu/22.04", "sles/15 SP5", "rhel/9", "azurelinux/3.0")
LIMITS = {"install.sh": 300, "verify.sh": 60}


def pins(count: int):
    targets = [Target(os=one.split("/")[0], version=one.split("/")[1]) for one in LINUX[:count]]
    return (
        replace(sample.DEB, targets=tuple(one for one in targets if one.os == "ubuntu")),
        replace(sample.RPM, targets=tuple(one for one in targets if one.os != "ubuntu")),
    )


THREE = cases.usual(pins(3))
GROWTH = cases.growth(pins(3), pins(4))


@SCRIPTS
@pytest.mark.parametrize("sealer", ["LAB sealer", "\u6771" * 21], ids=["a short name", "a long name"])
def test_a_header_is_short(name, sealer):
    recipe = replace(THREE, sealer=sealed.signer("rsa2048", sealer))
    assert len(header(script(name, recipe))) <= LIMITS[name]


@SCRIPTS
@pytest.mark.parametrize("what", GROWTH)
def test_a_header_grows_by_what_is_used(name, what):
    recipe, lines = GROWTH[what]
    assert len(header(script(name, recipe))) - len(header(script(name, THREE))) <= lines


@SCRIPTS
@pytest.mark.parametrize("recipe", [THREE, *(recipe for recipe, _ in GROWTH.values())])
def test_no_line_of_a_header_is_long(name, recipe):
    long = sealed.signer("p256", "\u6771" * 21)
    for one in (recipe, replace(recipe, sealer=long), replace(cases.RSA, parameters=sample.HOSTILE)):
        assert [line for line in header(script(name, one)) if len(line) > 140] == []


# ---- The parts ----

SHARED = sorted((templates() / "runtime/linux").glob("*"))
FILES = SHARED + sorted((templates() / "arc-server/runtime/linux").glob("*"))
PRODUCT = re.compile(r"azure|azcm|himds|hybridcompute|\barc\b(?!-bundler)|connected machine|\bagent", re.IGNORECASE)


def test_every_part_is_used_and_every_script_ends_with_its_main():
    used = {path for name in NAMES for path in runtime_parts.PARTS[name]}
    assert used == {f"templates/{path.relative_to(templates()).as_posix()}" for path in FILES}
    for name in NAMES:
        assert script(name).endswith(b'\nmain "$@"; exit\n' + runtime_end())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_part_is_short_and_plain(path):
    text = path.read_text(encoding="ascii")
    assert path.suffix == ".sh"
    assert text.startswith("# ")
    assert len(text.splitlines()) <= 600
    assert re.search(r"\{\{|\{%|\{\*", text) is None


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.name)
def test_a_shared_part_knows_no_product(path):
    assert [line for line in path.read_text(encoding="ascii").splitlines() if PRODUCT.search(line)] == []
