"""The words that people write for a target: read where no meaning is lost, otherwise answered with the right word."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from bundler.errors import DefinitionError
from bundler.products import definition_file, registry
from bundler.products.arc_server import tables
from bundler.products.arc_server.target_words import TargetWords, suggest_system, suggest_version, understand

OS_RELEASE = tomllib.loads((Path(__file__).parent / "os_release_pairs.toml").read_text())
BASE = {
    "name": "arc",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": "22222222-2222-4222-8222-222222222222",
    "resource_group": "rg",
    "location": "japaneast",
    "authentication": {"method": "device-code"},
}


def loaded(*targets, strict=False, **more):
    text = json.dumps({**BASE, **more, "targets": list(targets)}, indent=1).encode()
    return definition_file.load(Path("bundle.yaml"), text, strict=strict)


def faults(*targets, **more):
    with pytest.raises(DefinitionError) as caught:
        loaded(*targets, **more)
    return [(one.path, one.severity, one.message) for one in caught.value.faults]


def meaning(os, version=""):
    """The target in the table, empty where it is none."""
    meant = understand(TargetWords(os, version))
    return f"{meant.os}/{meant.version}" if tables.systems().find(meant.os, meant.version) else ""


@pytest.mark.parametrize(("release_id", "version_id", "target"), OS_RELEASE["pairs"])
def test_an_os_release_file_says_its_target(release_id, version_id, target):
    assert meaning(release_id, version_id) == target
    if not target:
        major = version_id.split(".")[0]
        meant = understand(TargetWords(release_id, version_id))
        for suggested in re.findall(r"'(.+)'", suggest_version(meant.os, meant.version)):
            assert suggested.split(".")[0] == major


@pytest.mark.parametrize("release_id", OS_RELEASE["others"])
def test_another_system_is_not_taken_for_one_of_ours(release_id):
    assert meaning(release_id, "9") == ""
    assert suggest_system(release_id) == ""


UNDERSTOOD = {
    "rhel/8": ["rhel|8.10", "RHEL|8", "redhat|8.4", "Red Hat Enterprise Linux|8.6 (Ootpa)", "rhel 8.10|", "rhel8|"],
    "rhel/9": ["rhel|9.x", "rhel|9.*"],
    "rocky/9": ["rocky|9.4", "rockylinux|9", "Rocky Linux 9.4|", "rocky-9|"],
    "alma/10": ["almalinux|10.0", "AlmaLinux 10|", "alma linux|10"],
    "oracle/8": ["ol|8.9", "oraclelinux|8", "Oracle Linux Server|8.9", "ol8|"],
    "centos/7": ["centos|7.9.2009", "CentOS Linux|7 (Core)"],
    "sles/12": ["sles|12.3", "sles|12 SP1", "sles_sap|12.2"],
    "sles/12.5": ["suse linux enterprise server|12 SP5", "sles12sp5|"],
    "sles/15": ["sles|15-SP1", "sles|15.0", "suse|15"],
    "sles/15.4": ["sles|15 SP4", "sles_sap|15.4", "sles-sap|15-sp4", "SLES 15 SP4|"],
    "sles/16": ["sles|16.0"],
    "amazon/2": ["amzn|2", "amazon linux|2", "amazonlinux2|", "al2|"],
    "amazon/2023": ["amzn|2023", "Amazon Linux|2023.5.20240701", "al2023|"],
    "azurelinux/2.0": ["mariner|2.0", "CBL-Mariner|2.0.20240301"],
    "azurelinux/3.0": ["azurelinux|3", "Azure Linux 3.0|", "azl3|"],
    "debian/12": ["debian|12.5", "debian|bookworm", "Debian GNU/Linux|12 (bookworm)", "debian 12 bookworm|"],
    "ubuntu/22.04": ["ubuntu|22.04.3", "ubuntu|jammy", "Ubuntu|22.04 LTS", "ubuntu 22.04.4 LTS (Jammy Jellyfish)|"],
    "ubuntu/24.04": ["ubuntu noble|", "ubuntu|noble numbat", "Ubuntu-24.04|", "ubuntu2404|"],
    "windows/2012r2": ["windows|2012 R2", "windows 2012r2|", "win2012-r2|", "w2k12r2|", "Windows Server 2012 R2|"],
    "windows/2019": ["win2019|", "windows|Server 2019 Datacenter", "2k19|", "WindowsServer|2019"],
    "windows/2022": ["windows-server-2022|", "Windows Server 2022 Datacenter: Azure Edition|", "windows|2022 core"],
    "windows/10": ["windows 10|", "windows|10 22H2", "Windows 10 IoT Enterprise LTSC 2021|"],
    "windows/11": ["win11|", "Windows 11 Pro|", "windows|IoT Enterprise LTSC 2024"],
    "windows/azure-local": ["azure local|", "Azure Stack HCI|22H2", "windows|azure local", "azurelocal|23H2"],
    "windows/": ["Windows Server|", "win|", "windows|server"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("written", "target"), [(written, target) for target, texts in UNDERSTOOD.items() for written in texts]
)
def test_other_words_mean_the_same_target(written, target):
    assert meaning(*written.split("|")) == target


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        ("ubunut", "ubuntu"),
        ("debain", "debian"),
        ("rehl", "rhel"),
        ("widnows", "windows"),
        ("almalinx", "alma"),
        ("redhatt", "rhel"),
        ("suze", "sles"),
        ("el8", "rhel"),
        ("el", "rhel"),
        ("ul", ""),
        ("aix", ""),
        ("macos", ""),
        ("sled", ""),
        ("centos-stream", ""),
    ],
)
def test_a_system_is_suggested_for_a_slip_alone(written, suggestion):
    assert meaning(written, "9") == ""
    assert suggest_system(written) == (f"; did you mean {suggestion!r}?" if suggestion else "")


@pytest.mark.parametrize(
    ("written", "suggestion"),
    [
        ("ubuntu|22", "22.04"),
        ("ubuntu|22.4", "22.04"),
        ("ubuntu|22.10", "22.04"),
        ("ubuntu|nobel", "24.04"),
        ("debian|bokworm", "12"),
        ("windows|10.0.20348", "2022"),
        ("windows|10.0.17763.1", "2019"),
        ("windows|6.3", "2012r2"),
        ("windows|20348", "2022"),
        ("windows|2016 R2", "2016"),
        ("win19|", "2019"),
        # nothing: the right word is another major version's, or there is none
        ("rhel|6.9", ""),
        ("rhel|11", ""),
        ("debian|23.12", ""),
        ("debian|sid", ""),
        ("sles|11.4", ""),
        ("ubuntu|14.04", ""),
        ("ubuntu|25.10", ""),
        ("amzn|2018.03", ""),
        ("amzn|2022", ""),
        ("windows|2008 R2", ""),
        ("windows server|23H2", ""),
        ("windows server|11", ""),
        ("windows|1809", ""),
        ("azure linux|4", ""),
        ("centos|9", ""),
    ],
)
def test_what_would_change_the_meaning_is_refused_with_the_right_word(written, suggestion):
    os, version = written.split("|")
    meant = understand(TargetWords(os, version))
    assert meaning(os, version) == ""
    assert suggest_version(meant.os, meant.version) == (f"; did you mean {suggestion!r}?" if suggestion else "")


@pytest.mark.parametrize("written", ["rhel8|9", "win2019|2022", "ubuntu noble|22.04", "debian bookworm|11"])
def test_two_versions_in_one_target_are_refused(written):
    assert meaning(*written.split("|")) == ""


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("amd64", "x64"),
        ("x86_64", "x64"),
        ("X64", "x64"),
        ("aarch64", "arm64"),
        ("ARM64", "arm64"),
    ],
)
def test_an_architecture_in_other_words(written, told):
    found = loaded({"os": "ubuntu", "version": "22.04", "architecture": written})
    assert [str(one.target) for one in found.definition.targets] == [f"ubuntu/22.04/{told}"]
    assert [(note.path, note.severity) for note in found.warnings] == [("targets.0", "note")]


@pytest.mark.parametrize("other", ["x86", "i686", "armhf", "ppc64le", "32-bit"])
def test_an_architecture_without_agent_is_refused_without_a_near_word(other):
    told = faults({"os": "ubuntu", "version": "22.04", "architecture": other})
    assert told == [("targets.0.architecture", "error", f"{other!r} is not supported: there is no agent for it")]


def test_the_result_has_the_normal_words_and_a_note():
    found = loaded({"os": "rhel", "version": "8.10"}, {"os": "almalinux", "version": "9", "architecture": "amd64"})
    assert [str(one.target) for one in found.definition.targets] == ["rhel/8/x64", "alma/9/x64"]
    assert [(one.path, one.severity, one.message) for one in found.warnings] == [
        ("targets.0", "note", "'rhel 8.10' is read as rhel/8: its packages are by major version"),
        ("targets.1", "note", "'almalinux 9 amd64' is read as alma/9/x64"),
    ]
    assert [one.line for one in found.warnings] == sorted({one.line for one in found.warnings})


def test_a_note_is_no_fault_but_a_service_pack_off_the_list_is():
    assert loaded({"os": "rhel", "version": "8.10"}, strict=True).definition.targets[0].version == "8"
    told = faults({"os": "sles", "version": "12.3"}, strict=True)
    assert [one[:2] for one in told] == [("targets.0", "warning")]
    assert told[0][2].endswith("read as sles/12: its packages are by major version; Microsoft lists 12.5")


def test_a_target_can_be_one_text():
    found = loaded("ubuntu/jammy/aarch64", "win2022")
    assert [str(one.target) for one in found.definition.targets] == ["ubuntu/22.04/arm64", "windows/2022/x64"]


def test_the_package_of_a_target_has_the_same_words():
    given = {"packages": [{"target": "redhat/9.4/x86_64", "path": "a.rpm"}]}
    found = loaded({"os": "rhel", "version": "9.2"}, upstream=given)
    assert found.definition.upstream.packages[0].target == "rhel/9/x64"


def test_targets_that_become_the_same_are_one():
    found = loaded({"os": "rhel", "version": "8.9"}, {"os": "redhat", "version": "8.10"})
    artifacts = registry.get("arc-server").artifacts(found.definition)
    assert [str(target) for one in artifacts for target in one.targets] == ["rhel/8/x64"]
    assert found.warnings[-1].message == "'redhat 8.10' is the same target as 'rhel 8.9': rhel/8/x64"


def test_targets_that_become_the_same_with_other_agents_are_a_fault():
    told = faults({"os": "rhel", "version": "8.9", "agent": "1.66"}, {"os": "rhel", "version": "8.10", "agent": "1.67"})
    same = "'rhel 8.10' is the same target as 'rhel 8.9': rhel/8/x64; one target has one agent version"
    assert [one for one in told if one[1] == "error"] == [("targets.1", "error", same)]


def test_the_same_words_twice_stay_a_mistake():
    told = faults({"os": "rhel", "version": "8.9"}, {"os": "rhel", "version": "8.9"})
    assert [one for one in told if one[1] == "error"] == [("targets.1", "error", "rhel/8/x64 is listed twice")]


def test_a_broken_target_moves_no_note():
    told = faults(
        {"os": "fedora", "version": "40"}, {"os": "ol", "version": "9"}, {"os": "oraclelinux", "version": "9.4"}
    )
    assert [one for one in told if one[1] == "error"] == [("targets.0.os", "error", "'fedora' is not supported")]
    assert ("targets.2", "note", "'oraclelinux 9.4' is the same target as 'ol 9': oracle/9/x64") in told


def test_every_target_of_the_table_stays_as_it_is():
    for system in tables.systems().systems:
        for architecture in ("", *system.architectures):
            written = TargetWords(system.os, system.version, architecture)
            assert understand(written) == written


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=8))
def test_any_text_is_read_or_left(os, version, architecture):
    meant = understand(TargetWords(os, version, architecture))
    again = understand(meant)
    assert understand(again) == again
    assert isinstance(suggest_system(os) + suggest_version(meant.os, meant.version), str)


NAMES = st.sampled_from(["rhel", "redhat", "rocky", "almalinux", "ol", "centos", "debian", "amzn", "oraclelinux"])


@given(NAMES, st.integers(1, 30), st.integers(0, 30))
def test_a_minor_version_never_becomes_another_major_one(os, major, minor):
    meant = understand(TargetWords(os, f"{major}.{minor}"))
    assert meant.version.split(".")[0] == str(major)
    for suggested in re.findall(r"'(.+)'", suggest_version(meant.os, meant.version)):
        assert suggested.split(".")[0] == str(major)
