"""The Windows scripts as a reviewer reads them: a short header, the same runtime everywhere, nothing cut off."""

from __future__ import annotations

import hashlib
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.formats import powershell_signature
from bundler.model.target import Target
from bundler.products.arc_server import runtime_parts
from bundler.render.environment import templates
from tests.support import header_cases as cases
from tests.support import sample_bundles as sample
from tests.support import sealed_bundles as sealed
from tests.support.thorough import THOROUGH

BOTH_HOSTS = True

SCRIPTS = pytest.mark.parametrize("name", ["install.ps1", "verify.ps1"])
MARKER = b"\r\n# ==== "
BLOCK = f"\r\n{powershell_signature.BEGIN}\r\n# {'TUlJ' * 16}\r\n# TUlJ\r\n{powershell_signature.END}\r\n".encode()

# Runs each script in one process; 1 stands for one that does not parse, as powershell.exe -File ends then.
EACH = """
foreach ($file in @([IO.Directory]::GetFiles('{folder}') | Sort-Object)) {{
    $global:LASTEXITCODE = 0
    $errors = $null
    [void][System.Management.Automation.Language.Parser]::ParseFile($file, [ref]$null, [ref]$errors)
    if ($errors) {{ $global:LASTEXITCODE = 1 }} else {{ & $file -Help *> $null }}
    [IO.Path]::GetFileName($file) + ' ' + $global:LASTEXITCODE
}}
"""
# By hand, as docs/verifying.md has it.
RECIPE = re.compile(r"```powershell\n(\$latin = .*?)```", re.DOTALL)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "verifying.md"


def script(name: str, recipe: sealed.Recipe = cases.RSA) -> bytes:
    return sealed.contents(recipe)[name]


def header(content: bytes) -> list[bytes]:
    """A script's lines before its marker line."""
    found, marker, _ = content.partition(MARKER)
    assert marker
    return found.split(b"\r\n")


def ended(powershell: str, folder: Path, scripts: dict[str, bytes]) -> dict[str, int]:
    """The exit code of each script with ``-Help``."""
    for name, content in scripts.items():
        (folder / "cut" / name).parent.mkdir(exist_ok=True)
        (folder / "cut" / name).write_bytes(content)
    (folder / "each.ps1").write_text(EACH.format(folder=folder / "cut"))
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", folder / "each.ps1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines()}


@SCRIPTS
def test_cut_off_at_no_line_a_script_ends_well(powershell, tmp_path, name):
    lines = script(name).splitlines(keepends=True)
    edges = [at for at, line in enumerate(lines, 1) if line.startswith((b"# ---- templates/", b"# ==== ", b"exit "))]
    head = range(1, len(header(script(name))) + 1)
    points = range(1, len(lines)) if THOROUGH else sorted({*head, *edges[:-1], *(at - 1 for at in edges)})
    cut = {f"{at:05}.ps1": b"".join(lines[:at]) for at in points}
    found = ended(powershell, tmp_path, {**cut, "whole.ps1": b"".join(lines)})
    assert found.pop("whole.ps1") == 0
    assert len(found) == len(cut)
    assert set(found.values()) == {1, 200}
    # Once the header's check is there, what parses is refused by it.
    assert all(code == 200 for at, code in found.items() if int(at[:5]) + 1 in edges)


def test_a_script_that_is_cut_off_says_so(powershell, tmp_path):
    content = script("verify.ps1")
    (tmp_path / "verify.ps1").write_bytes(content[: content.index(b"# ---- templates/runtime/windows/seal.ps1")])
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", tmp_path / "verify.ps1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 200
    assert done.stdout == "This script is incomplete: its last line is missing. Copy the bundle again.\n"


def test_a_signature_block_is_no_cut_and_half_of_one_is(powershell, tmp_path):
    signed = script("verify.ps1") + BLOCK
    assert ended(powershell, tmp_path, {"a.ps1": signed, "b.ps1": signed[:-40], "c.ps1": signed + b"# x\r\n"}) == {
        "a.ps1": 0,
        "b.ps1": 200,
        "c.ps1": 200,
    }


@SCRIPTS
def test_nothing_in_a_script_can_be_taken_for_a_signature_block(name):
    assert powershell_signature.BEGIN.encode() not in script(name)
    assert powershell_signature.END.encode() not in script(name)


def test_started_from_standard_input_it_asks_for_its_folder(powershell, tmp_path):
    command = [powershell, "-NoProfile", "-NonInteractive", "-Command"]
    (tmp_path / "verify.ps1").write_bytes(script("verify.ps1"))
    call = f"& ([scriptblock]::Create([IO.File]::ReadAllText('{tmp_path / 'verify.ps1'}'))); exit $LASTEXITCODE"
    done = subprocess.run([*command, call], capture_output=True, text=True, check=False)
    assert done.returncode == 205, done.stdout + done.stderr
    assert "folder of the bundle" in done.stdout


@pytest.mark.parametrize("signed", [False, True])
def test_the_digest_by_hand_is_that_of_the_marker_line(powershell, tmp_path, signed):
    content = script("install.ps1")
    (tmp_path / "install.ps1").write_bytes(content + BLOCK * signed)
    typed = RECIPE.search(PAGE.read_text(encoding="utf-8"))
    assert typed
    (tmp_path / "typed.ps1").write_text(typed[1])
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", tmp_path / "typed.ps1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    runtime = content.partition(MARKER)[2].partition(b"\r\n")[2]
    assert done.stdout == f"{hashlib.sha256(runtime).hexdigest()}\n", done.stderr
    assert f"sha256:{done.stdout.strip()} ====\r\n".encode() in content


def test_what_follows_the_marker_is_the_same_in_every_bundle():
    plain = sealed.contents(cases.RSA)
    other = sealed.contents(
        replace(cases.RSA, sealer=sealed.signer("p256", "Another"), parameters=sample.HOSTILE, lab=True, serial=7)
    )
    for name in ("install.ps1", "verify.ps1"):
        assert plain[name].partition(MARKER)[2] == other[name].partition(MARKER)[2]
        assert plain[name] != other[name]


# ---- What a reviewer reads ----


def pins(count: int):
    versions = tuple(Target(os="windows", version=one) for one in ("2019", "2022", "2025", "2016")[:count])
    return (replace(sample.MSI, targets=versions),)


LIMITS = {"install.ps1": 300, "verify.ps1": 60}
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


FILES = sorted((templates() / "runtime/windows").glob("*")) + sorted(
    (templates() / "arc-server/runtime/windows").glob("*")
)
PRODUCT = re.compile(r"azure|azcm|himds|hybridcompute|\barc\b(?!-bundler)|connected machine|\bagent", re.IGNORECASE)


def test_every_part_is_used_and_every_script_ends_with_its_main():
    used = {path for name in ("install.ps1", "verify.ps1") for path in runtime_parts.PARTS[name]}
    assert used == {f"templates/{path.relative_to(templates()).as_posix()}" for path in FILES}
    for name in ("install.ps1", "verify.ps1"):
        assert runtime_parts.PARTS[name][-1].endswith("_main.ps1")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_part_is_short_and_plain(path):
    text = path.read_text(encoding="ascii")
    assert path.suffix == ".ps1"
    assert text.startswith("# ")
    assert len(text.splitlines()) <= 600
    assert max(map(len, text.splitlines())) <= 160
    assert re.search(r"\{\{|\{%|\{\*", text) is None
    assert not re.search(r"(?i)^\s*#requires", text, re.MULTILINE)


@pytest.mark.parametrize("path", sorted((templates() / "runtime/windows").glob("*")), ids=lambda path: path.name)
def test_a_shared_part_knows_no_product(path):
    assert [line for line in path.read_text(encoding="ascii").splitlines() if PRODUCT.search(line)] == []
