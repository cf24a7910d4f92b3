"""What somebody who holds the sealer's key can do to the scripts of a bundle, and what `verify` says of it."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bundler.flow import runtimes
from bundler.formats.powershell_signature import with_block
from bundler.render.review import BY_HAND
from tests.support.attacker import digest, parts, reseal, restated, with_command
from tests.support.lab_project import Project
from tests.support.sealers import Identity, identity

ANCHORS = ("--anchors", "lab/authority/anchors.json")
UNKNOWN = "not the runtime of any release known here"
NAMES = sorted(runtimes.joined("arc-server"))


@pytest.fixture
def sealer() -> Identity:
    return identity("LAB sealer")


@pytest.fixture
def bundle(project: Project, sealer: Identity) -> Path:
    key, certificate = sealer.write(project.folder, "sealer")
    project.define(outputs="[{format: directory}, {format: zip}]")
    ran = project.run("build", "--seal-key", str(key), "--seal-certificate", str(certificate))
    assert ran.code == 0, ran.err
    return project.folder / "bundles/arc-test/1.0/arc-test-1.0"


class Attack:
    """Verifies copies of a bundle, each changed in one way."""

    def __init__(self, project: Project, bundle: Path, sealer: Identity) -> None:
        self.project, self.bundle, self.sealer = project, bundle, sealer
        self.count = 0

    def verify(self, files: dict[str, bytes], *more: str, **stated: object):
        self.count += 1
        copy = shutil.copytree(self.bundle, self.project.folder / f"copy-{self.count}" / self.bundle.name)
        reseal(copy, self.sealer, files, **stated)
        return self.project.run("verify", str(copy), *ANCHORS, "--signer", self.sealer.sha256, *more)

    def reason(self, files: dict[str, bytes], **stated: object) -> str:
        ran = self.verify(files, "--format", "json", **stated)
        assert ran.code == 6, ran.out
        return ran.json["error"]["reason"]


@pytest.fixture
def attack(project: Project, bundle: Path, sealer: Identity) -> Attack:
    return Attack(project, bundle, sealer)


def test_a_bundle_of_this_installation_is_rendered_again_and_its_runtimes_are_known(attack, bundle):
    for path in (bundle, bundle.with_name(f"{bundle.name}.zip")):
        ran = attack.project.run("verify", str(path), *ANCHORS, "--signer", attack.sealer.sha256)
        assert ran.code == 0, ran.err
        known = f"runtime of {runtimes.TOOL}" if runtimes.IS_RELEASE else "unreleased"
        for name in NAMES:
            found = digest(parts((bundle / name).read_bytes())[2])
            assert f"{name}  sha256:{found}  {known}" in ran.out
        assert f"  scripts: exactly as {runtimes.TOOL} renders them\n" in ran.out
        assert UNKNOWN not in ran.out
    assert attack.verify({}).code == 0, "the attacker who changes nothing is not seen"


@pytest.mark.parametrize("name", NAMES)
def test_each_damage_of_a_script_is_refused_with_its_own_reason(attack, bundle, name):
    script = (bundle / name).read_bytes()
    header, marker, runtime = parts(script)
    end = b"\r\n" if name.endswith(".ps1") else b"\n"
    other = next(one for one in NAMES if Path(one).suffix != Path(name).suffix or one != name)
    lines = runtime.split(end)
    damages = {
        "changed": (script.replace(lines[1], lines[1] + b" #", 1), "runtime-digest"),
        "cut off": (header + marker + end.join(lines[: len(lines) // 2]) + end, "runtime-cut-off"),
        "doubled": (script + runtime, "several-runtimes"),
        "swapped": (header + b"".join(parts((bundle / other).read_bytes())[1:]), None),
        "no marker": (header + runtime, "no-runtime"),
        "marker doubled": (header + marker + marker + runtime, "several-runtimes"),
        "marker in other line ends": (header + marker.strip() + {b"\n": b"\r\n", b"\r\n": b"\n"}[end] + runtime, None),
        "marker states another digest": (header + marker.replace(digest(runtime).encode(), b"0" * 64) + runtime, None),
    }
    reasons = {"swapped": {"runtime-line-ends", "other-runtime"}, "marker in other line ends": {"runtime-line-ends"}}
    for damage, (content, reason) in damages.items():
        assert content != script
        found = attack.reason({name: content})
        assert found in ({reason} if reason else reasons.get(damage, {"runtime-digest"})), damage


@pytest.mark.parametrize("name", NAMES)
def test_another_runtime_is_the_first_thing_that_is_said(attack, bundle, name, monkeypatch):
    content = with_command((bundle / name).read_bytes(), b"exit 0")
    assert attack.reason({name: content}) == "other-runtime-stated"
    stated = restated(bundle, name, content)
    monkeypatch.setattr(runtimes, "is_release", lambda _: False)
    ran = attack.verify({name: content}, runtimes=stated)
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[0] == f"{UNKNOWN}: {name}"
    assert f"  script headers: exactly as {runtimes.TOOL} renders them\n" in ran.out
    found = attack.verify({name: content}, "--format", "json", runtimes=stated).json
    assert {one["script"] for one in found["runtimes"] if not one["release"]} == {name}
    assert f"{UNKNOWN}: {name}" in found["warnings"]
    assert f"warning: {UNKNOWN}: {name}\n" in attack.verify({name: content}, "-q", runtimes=stated).err
    # A release makes one runtime only: what names that release and has another one was changed.
    monkeypatch.setattr(runtimes, "is_release", lambda _: True)
    ran = attack.verify({name: content}, runtimes=stated)
    assert ran.code == 6
    assert ": +exit 0\n" in ran.err


@pytest.mark.parametrize("name", NAMES)
def test_a_line_added_to_a_header_is_shown(attack, bundle, name):
    script = (bundle / name).read_bytes()
    header, marker, runtime = parts(script)
    end = b"\r\n" if name.endswith(".ps1") else b"\n"
    lines = header.split(end)
    at = len(lines) - 2
    changed = end.join((*lines[:at], b"EVIL=1", *lines[at:])) + marker + runtime
    ran = attack.verify({name: changed})
    assert ran.code == 6
    assert f"{name}, line {at + 1}: +EVIL=1\n" in ran.err
    assert f"the scripts are not as {runtimes.TOOL} renders them" in ran.err
    without = end.join((*lines[: at - 1], *lines[at:])) + marker + runtime
    ran = attack.verify({name: without})
    assert f"{name}, line {at}: -{lines[at - 1].decode()}" in ran.err


def test_a_header_of_another_release_is_not_compared(attack, bundle):
    name = NAMES[0]
    script = (bundle / name).read_bytes()
    end = b"\r\n" if name.endswith(".ps1") else b"\n"
    header, marker, runtime = parts(script)
    changed = header + b"# another day's header" + end + marker + runtime
    ran = attack.verify({name: changed}, header_templates="0" * 64)
    assert (ran.code, "renders them" in ran.out) == ((6, False) if runtimes.IS_RELEASE else (0, False)), ran.err
    ran = attack.verify({name: changed}, tool="arc-bundler 0.0.9")
    assert (ran.code, "renders them" in ran.out) == (0, False), ran.err
    assert "  script headers: not compared, read them (arc-bundler 0.0.9 made them with other templates)\n" in ran.out


def test_a_script_that_this_release_does_not_make_is_refused(attack):
    assert attack.reason({"more.sh": b"#!/bin/bash\n"}) == "no-runtime"
    header, marker, runtime = parts((attack.bundle / NAMES[0]).read_bytes())
    other = f"more{Path(NAMES[0]).suffix}"
    script = header + marker.replace(NAMES[0].encode(), other.encode()) + runtime
    rows = [*restated(attack.bundle, "", script), {**restated(attack.bundle, "", script)[0], "script": other}]
    rows[-1] |= {"digest": digest(runtime)}
    ran = attack.verify({other: script}, runtimes=sorted(rows, key=lambda row: row["script"]))
    assert ran.code == 6
    assert f"{other}: is a script that this release does not make" in ran.err


def test_what_is_held_in_memory_is_bounded(attack, bundle):
    large = b"#" * (4 << 20) + b"#"
    assert attack.reason({NAMES[0]: large}) == "too-large"
    assert attack.reason({"config/settings.json": b" " * len(large)}) == "too-large"
    header, marker, runtime = parts((bundle / NAMES[0]).read_bytes())
    end = b"\r\n" if NAMES[0].endswith(".ps1") else b"\n"
    ran = attack.verify({NAMES[0]: header + end * 100_000 + marker + runtime})
    assert (ran.code, f"{NAMES[0]}: has more than 20000 lines" in ran.err) == (6, True)


def test_other_settings_than_those_in_the_headers_are_refused(attack, bundle):
    path = "config/settings.json"
    settings = (bundle / path).read_bytes()
    assert attack.reason({path: settings.replace(b"japaneast", b"japanwest")}) == "other-scripts"
    assert attack.reason({path: settings.replace(b'"1.0"', b'"1.1"')}) == "other-settings"
    assert attack.reason({path: settings.replace(b'"AzureCloud"', b'"NoCloud"')}) == "malformed-settings"
    assert attack.reason({path: b"{"}) == "malformed-settings"


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".ps1")])
def test_powershell_is_given_no_requires_statement_and_no_second_block(attack, bundle, name):
    script = (bundle / name).read_bytes()
    signed = with_block(script, b"x" * 100)
    middle = signed.replace(b"signature block\r\n", b"signature block\r\n#Requires -Version 99\r\n", 1)
    assert attack.reason({name: middle}) == "runtime-requires"
    assert attack.reason({name: signed + b"Get-Date\r\n"}) == "runtime-trailing"
    ran = attack.verify({name: signed})
    assert ran.code == 0, ran.err
    assert f"sha256:{digest(parts(script)[2])}" in ran.out


def test_an_unknown_runtime_is_the_first_line_of_a_difference_and_of_the_review_page(attack, bundle, project):
    content = with_command((bundle / "install.sh").read_bytes(), b"exit 0")
    copy = shutil.copytree(bundle, project.folder / "changed" / bundle.name)
    reseal(copy, attack.sealer, {"install.sh": content}, runtimes=restated(bundle, "install.sh", content))
    first = f"{UNKNOWN}: install.sh of the bundle arc-test 1.0 [LAB]"
    told = project.run("diff", str(bundle), str(copy)).out
    assert told.splitlines()[0] == first
    assert f"\n+ runtime  arc-server linux install.sh  sha256:{digest(parts(content)[2])}  {UNKNOWN}\n" in told
    assert "      +exit 0\n" in told
    assert project.run("diff", str(copy), str(bundle), "--format", "markdown").out.startswith(f"<code>{UNKNOWN}")
    page = project.run("diff", str(bundle), str(copy), "--format", "html").out
    assert 0 < page.index(UNKNOWN) < page.index("<h1>")
    found = project.run("diff", str(bundle), str(copy), "--format", "json").json["diff"]
    assert (found["was"]["unknown_runtimes"], found["now"]["unknown_runtimes"]) == ([], ["install.sh"])
    # A manifest that still names the old runtime deceives nobody who has the bundle.
    reseal(copy, attack.sealer, {}, runtimes=restated(bundle, "", content))
    assert project.run("diff", str(bundle), str(copy)).out.splitlines()[0] == first
    reseal(copy, attack.sealer, {}, runtimes=restated(bundle, "install.sh", content))
    for path in (copy, copy / "manifest.json"):
        assert project.run("inspect", str(path), "--html", "page.html").code == 0
        read = (project.folder / "page.html").read_text(encoding="utf-8")
        assert 0 < read.index(UNKNOWN) < read.index("<h1>")
    assert UNKNOWN not in (bundle / "review.html").read_text(encoding="utf-8")


def test_inspect_and_the_page_name_every_runtime(bundle, project):
    told = project.run("inspect", str(bundle))
    listed = project.run("inspect", str(bundle), "--format", "json").json
    page = (bundle / "review.html").read_text(encoding="utf-8")
    known = f"runtime of {runtimes.TOOL}" if runtimes.IS_RELEASE else "unreleased"
    assert [one["script"] for one in listed["runtimes"]] == NAMES
    for one in listed["runtimes"]:
        assert one["digest"] == digest(parts((bundle / one["script"]).read_bytes())[2])
        row = f"{one['product']} {one['platform']} {one['script']}  sha256:{one['digest']}  {known}"
        assert f"  runtime   {row}\n" in told.out
        assert one["digest"] in page
    for lines in BY_HAND.values():
        assert "<code>" + "\n".join(lines) + "\n</code>" in html.unescape(page)


def test_two_bundles_of_one_release_differ_in_their_headers_alone(bundle, project, sealer):
    project.define(outputs="[{format: directory}]", version='"2.0"', resource_group="others", location="japanwest")
    assert project.run("lock").code == 0
    assert project.run("build", "--seal-key", "sealer.key", "--seal-certificate", "sealer.pem").code == 0
    other = project.folder / "bundles/arc-test/2.0/arc-test-2.0"
    found = project.run("diff", str(bundle), str(other), "--format", "json").json["diff"]
    assert "runtimes" not in {change["topic"] for change in found["changes"]}
    assert found["was"]["runtimes"] == found["now"]["runtimes"]
    assert [one["script"] for one in found["now"]["runtimes"]] == NAMES
    for form, line in (("text", "  runtime  {}\n"), ("markdown", "- runtime, before and after: "), ("html", ">{}<")):
        shown = html.unescape(project.run("diff", str(bundle), str(other), "--format", form).out)
        for one in found["now"]["runtimes"]:
            known = f"runtime of {one['release']}" if runtimes.IS_RELEASE else one["release"]
            row = f"{one['product']} {one['platform']} {one['script']}  sha256:{one['digest']}  {known}"
            assert line.format(row) in shown
            assert row in shown
    scripts = {one["path"]: one for one in found["scripts"]}
    for name in NAMES:
        assert parts((bundle / name).read_bytes())[2] == parts((other / name).read_bytes())[2]
        header = parts((other / name).read_bytes())[0].count(b"\n")
        assert scripts[name]["hunks"]
        for hunk in scripts[name]["hunks"]:
            changed = [at for at, line in enumerate(hunk["lines"]) if line["sign"] != " "]
            assert hunk["now_start"] + max(changed) <= header + 1


@pytest.mark.parametrize("signed", [False, True])
def test_the_lines_by_hand_compute_what_verify_computes(bundle, powershell, tmp_path, signed):
    """As the page and docs/verifying.md give them: sed, and PowerShell, which takes a signature block off."""
    for name in NAMES:
        script = (bundle / name).read_bytes()
        expected = digest(parts(script)[2])
        (tmp_path / name).write_bytes(with_block(script, b"x" * 100) if signed and name.endswith(".ps1") else script)
        lines = "\n".join(BY_HAND["windows"]).replace("install.ps1", name)
        (tmp_path / "hand.ps1").write_text(f"{lines}\n")
        command = (powershell, "-NoProfile", "-File", "hand.ps1")
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == expected, name
        (tmp_path / name).write_bytes(script.replace(parts(script)[1], b""))
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == "no runtime", name
        if not signed:
            (sed,) = BY_HAND["linux"]
            (tmp_path / name).write_bytes(script)
            command = ("sh", "-c", sed.replace("install.sh", name))
            ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
            assert ran.stdout.split()[0] == expected, name


def test_the_documentation_gives_the_same_lines():
    text = (Path(__file__).parents[2] / "docs" / "verifying.md").read_text(encoding="utf-8")
    for lines in BY_HAND.values():
        assert re.search(r"^```(powershell)?\n" + re.escape("\n".join(lines)) + r"\n```$", text, re.MULTILINE)
