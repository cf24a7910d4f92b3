"""``make facts`` compares the tables with Microsoft's documents: each kind of change names its row."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "tests" / "docs"
NETWORK = "servers/includes/network-requirements.md"
SYSTEMS = "servers/prerequisites.md"
CODES = "servers/troubleshoot-agent-onboard.md"
NOTES = "servers/agent-release-notes.md"
REGIONS = "reliability/regions-list.md"
RESERVED = "troubleshooting/error-reserved-resource-name.md"


@pytest.fixture(scope="module")
def facts():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import facts

        yield facts
    finally:
        sys.path.remove(str(ROOT / "tools"))


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(DOCS, tmp_path / "docs"))


@pytest.fixture(scope="module")
def seen(facts, tmp_path_factory):
    """What is kept of the page of exit codes that the test has; tools/facts_codes.json is of Microsoft's own."""
    path = tmp_path_factory.mktemp("seen") / "codes.json"
    facts.record(DOCS, path)
    return path


def change(folder, name, old, new):
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_documents_as_they_are_differ_in_nothing(facts, seen):
    found, lines = facts.compare(DOCS, seen)
    assert found == []
    assert [line.partition(": ")[2] for line in lines] == [
        "2026-04-01",
        "2025-10-15",
        "2025-05-14",
        "2025-03-21",
        "2023-04-05",
        "2026-03-24",
    ]


CHANGES = {
    "a new address": (
        NETWORK,
        "|`packages.microsoft.com`|",
        "|`new.arc.azure.com`|New.|Always.| Public. |\n|`packages.microsoft.com`|",
        "missing in ours: endpoints: AzureCloud new.arc.azure.com",
    ),
    "an address by another name": (
        NETWORK,
        "`*.his.arc.azure.com`",
        "`*.his.arc2.azure.com`",
        "missing in ours: endpoints: AzureCloud *.his.arc2.azure.com",
    ),
    "an address that is always needed": (
        NETWORK,
        "Only when you connect or disconnect a server.",
        "Always.",
        "different: endpoints: AzureCloud management.azure.com: ours connect, required; theirs always, required",
    ),
    "an address that has become optional": (
        NETWORK,
        "|`*.login.microsoft.com`|Sign-in.|Always.",
        "|`*.login.microsoft.com`|Sign-in.|If shells are in use.",
        "different: endpoints: AzureCloud *.login.microsoft.com: ours always, required; theirs always, optional",
    ),
    "an address that has become private": (
        NETWORK,
        "Notices to the agent.|Always.| Public.",
        "Notices to the agent.|Always.| Private.",
        "different: endpoints: AzureCloud guestnotificationservice.azure.com: theirs: private link yes",
    ),
    "an address of another cloud": (
        NETWORK,
        "|`pasff.usgovcloudapi.net`|",
        "|`pas2.usgovcloudapi.net`|",
        "missing in ours: endpoints: AzureUSGovernment pas2.usgovcloudapi.net",
    ),
    "a new system": (
        SYSTEMS,
        "| AlmaLinux                           | 9 ",
        "| AlmaLinux                           | 11 ",
        "missing in ours: systems: alma 11",
    ),
    "a service pack in a row of several": (SYSTEMS, "15 SP5-7", "15 SP5-8", "missing in ours: systems: sles 15.8"),
    "a system on another architecture": (
        SYSTEMS,
        "| Oracle Linux                        | 8           | ✅    | ✅    |",
        "| Oracle Linux                        | 8           | ✅    | ❌    |",
        "different: systems: oracle 8: arm64: theirs no",
    ),
    "a system with limited support": (
        SYSTEMS,
        "|Ubuntu| 26.04| ✅ | ❌||",
        "|Ubuntu| 26.04| ✅ | ❌|Limited support|",
        "different: systems: ubuntu 26.04: theirs: limited support",
    ),
    "another last agent": (
        SYSTEMS,
        "15 SP3 | 1.58",
        "15 SP3 | 1.59",
        "different: systems: sles 15.3: theirs: the last agent is 1.59",
    ),
    "a new code": (
        CODES,
        "| **62** |",
        "| **63** | x | y |\n| **199** | New. | Do. |\n| **62** |",
        "missing in ours: codes: AZCM0199: New. | Do.",
    ),
    "other advice for a code": (
        CODES,
        "the roles and the quota",
        "the quota",
        "different: codes: AZCM0042: theirs now: ",
    ),
    "a new agent": (
        NOTES,
        "## Version 1.67 - August 2026",
        "## Version 1.70 - November 2026\n\n## Version 1.67 - August 2026",
        "missing in ours: agents: 1.70: 2026-11",
    ),
    "an agent of another month": (
        NOTES,
        "1.66 - July 2026",
        "1.66 - June 2026",
        "different: agents: 1.66: ours 2026-07; theirs 2026-06",
    ),
    "a new region": (REGIONS, "| Japan East |", "| Saudi Arabia East |", "missing in ours: regions: saudiarabiaeast"),
    "a new reserved word": (
        RESERVED,
        "- EXCHANGE",
        "- EXCHANGE\n- TEAMS",
        "missing in ours: limits: reserved (whole) TEAMS",
    ),
    "a reserved word in another list": (
        RESERVED,
        "- WINDOWS",
        "- WINDOWS\n- LOGIN",
        "missing in ours: limits: reserved (part) LOGIN",
    ),
}


@pytest.mark.parametrize(("name", "old", "new", "told"), CHANGES.values(), ids=CHANGES)
def test_a_change_names_its_row(facts, seen, folder, name, old, new, told):
    change(folder, name, old, new)
    found = [str(one) for one in facts.compare(folder, seen)[0]]
    assert any(line.startswith(told) for line in found), found


WHOLE = {
    "a row that is gone": (SYSTEMS, "missing in theirs: systems: ubuntu 22.04"),
    "an address that is gone": (NETWORK, "missing in theirs: endpoints: AzureCloud pas.windows.net"),
    "a code that is gone": (CODES, "missing in theirs: codes: AZCM0041"),
    "a region that is gone": (REGIONS, "missing in theirs: regions: westeurope: learn.microsoft.com"),
    "a word that is gone": (RESERVED, "missing in theirs: limits: reserved (whole) XBOX"),
}


@pytest.mark.parametrize(("name", "told"), WHOLE.values(), ids=WHOLE)
def test_a_whole_document_also_lacks_rows(facts, seen, folder, name, told):
    change(folder, name, "<!-- excerpt -->", "")
    found = [str(one) for one in facts.compare(folder, seen)[0]]
    assert any(line.startswith(told) for line in found), found


def test_a_version_that_the_whole_notes_lack_is_named(facts, seen, folder):
    change(folder, NOTES, "<!-- excerpt -->", "")
    change(folder, NOTES, "## Version 1.66 - July 2026", "")
    assert "missing in theirs: agents: 1.66" in map(str, facts.compare(folder, seen)[0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("| **42** |", "|**42**|"),
        ("\n", "\r\n"),
        ("| --- | --- | --- |", "|:-|:-:|-:|"),
        ("AZCM0043", "AZCM0043 "),
    ],
)
def test_the_form_of_a_table_does_not_matter(facts, seen, folder, old, new):
    path = folder / CODES
    path.write_bytes(path.read_text(encoding="utf-8").replace(old, new).encode())
    assert facts.compare(folder, seen)[0] == []


def test_a_folder_without_documents_compares_nothing_and_says_so(facts, tmp_path):
    found, lines = facts.compare(tmp_path)
    assert found == []
    assert all(line.endswith("not compared: it is not there") for line in lines)


def run(*arguments):
    command = [sys.executable, ROOT / "tools" / "facts.py", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, encoding="utf-8")


def test_the_command_ends_with_1_where_a_row_differs(folder, seen):
    same = run(DOCS, "--seen", seen)
    assert (same.returncode, same.stdout.splitlines()[-1]) == (0, "no row differs")
    change(folder, NOTES, "1.66 - July 2026", "1.66 - June 2026")
    other = run(folder, "--seen", seen)
    assert other.returncode == 1
    assert "different: agents: 1.66: ours 2026-07; theirs 2026-06" in other.stdout.splitlines()
    assert run(folder / "nowhere").returncode == 2


def test_what_is_kept_of_the_codes_is_recorded_anew(folder, tmp_path):
    change(folder, CODES, "the roles and the quota", "the quota")
    kept = tmp_path / "codes.json"
    done = run(folder, "--record", "--seen", kept)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "no row differs")
    assert run(DOCS, "--seen", kept).returncode == 1
