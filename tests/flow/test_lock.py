"""`lock`: nothing is pinned that was not verified, and nothing is rolled back by itself."""

from __future__ import annotations

import json
import os

import pytest


def pins(project):
    return {pin["place"]: pin for pin in json.loads(project.lock.read_text())["pins"]}


def test_pins_say_where_what_and_why(project):
    assert project.run("lock").code == 0
    found = pins(project)
    assert set(found) == {"windows/x64", "ubuntu/22.04/amd64", "rhel/9/x86_64"}
    msi = found["windows/x64"]
    assert msi["url"].endswith("/azcmagent/latest/AzureConnectedMachineAgent.msi")
    assert msi["facts"]["version"].startswith("1.68.")
    assert {e["method"] for pin in found.values() for e in pin["evidence"]} == {
        "authenticode",
        "debsigs",
        "apt-repository",
        "rpm-signature",
        "yum-repository",
    }
    deb = next(e for e in found["ubuntu/22.04/amd64"]["evidence"] if e["method"] == "apt-repository")
    assert next(d["role"] for d in deb["documents"]) == "InRelease"
    assert all(pin["evidence"][0]["anchors"] == "LAB" for pin in found.values())


def test_a_second_lock_with_nothing_moved_leaves_the_file_as_it_was(project):
    project.run("lock")
    before = project.lock.read_bytes()
    again = project.run("lock", "--format", "json")
    assert again.code == 0
    assert again.json["changed"] is False
    assert project.lock.read_bytes() == before


def test_check_reports_to_a_pipeline_whether_upstream_changed(project):
    assert project.run("lock", "--check").code == 4
    project.run("lock")
    still = project.run("lock", "--check", "--format", "json")
    assert (still.code, still.json["moved"]) == (0, False)
    project.lab.publish("1.69.03560.1450")
    before = project.lock.read_bytes()
    moved = project.run("lock", "--check", "--format", "json")
    assert moved.code == 4
    assert {(m["place"], m["what"]) for m in moved.json["moves"]} == {
        ("windows/x64", "version"),
        ("ubuntu/22.04/amd64", "version"),
        ("rhel/9/x86_64", "version"),
    }
    assert project.lock.read_bytes() == before


def test_a_clock_behind_the_lock_takes_none(project):
    """Servers recognise the newer bundle by its lock's time."""
    project.run("lock")
    taken = json.loads(project.lock.read_text())
    year = int(taken["created"][:4])
    project.lock.write_text(
        project.lock.read_text().replace(taken["created"], taken["created"].replace(str(year), str(year + 1)))
    )
    before = project.lock.read_bytes()
    refused = project.run("lock", "--format", "json")
    assert (refused.code, refused.json["error"]["kind"]) == (4, "lock")
    assert "clock" in refused.err or "clock" in refused.out
    assert project.lock.read_bytes() == before


def test_an_older_repository_state_is_refused_until_allowed(project):
    project.run("lock")
    project.lab.publish("1.69.03560.1450")
    assert project.run("lock", "--upgrade").code == 0
    newer = project.lock.read_bytes()
    project.lab.republish_older()
    refused = project.run("lock", "--upgrade")
    assert refused.code in (4, 6)
    assert "--allow-older" in refused.err
    assert project.lock.read_bytes() == newer
    assert project.run("lock", "--upgrade", "--allow-older").code == 0
    assert pins(project)["ubuntu/22.04/amd64"]["facts"]["version"].startswith("1.68.")


def test_other_bytes_under_a_locked_version_are_refused_until_allowed(project):
    project.run("lock")
    before = project.lock.read_bytes()
    project.lab.replace("1.68.03532.1399")
    refused = project.run("lock", "--upgrade", "--format", "json")
    assert refused.code == 6
    assert refused.json["error"]["reason"] == "replaced"
    assert project.lock.read_bytes() == before
    assert project.run("lock", "--upgrade", "--allow-replaced").code == 0


@pytest.mark.parametrize(("version", "found"), [('"1.67"', "1.67.03504.1320"), ('"1.66"', "1.66.03478.1270")])
def test_a_version_by_its_first_two_numbers_is_the_highest_build_of_it(project, version, found):
    project.define(agent=f"{{version: {version}}}", targets='[{os: ubuntu, version: "22.04"}]')
    assert project.run("lock").code == 0
    assert pins(project)["ubuntu/22.04/amd64"]["facts"]["version"] == found


def test_an_exact_build(project):
    project.define(agent='{version: "1.66.03471.1262"}', targets='[{os: ubuntu, version: "22.04"}]')
    assert project.run("lock").code == 0
    assert pins(project)["ubuntu/22.04/amd64"]["facts"]["version"] == "1.66.03471.1262"


def test_a_version_that_upstream_lacks_names_those_it_has(project):
    project.define(agent='{version: "1.61"}', targets='[{os: ubuntu, version: "22.04"}]')
    refused = project.run("lock")
    assert refused.code == 5
    assert "1.67.03504.1320" in refused.err


def test_a_genuine_package_of_another_version_is_the_wrong_one(project):
    project.define(agent='{version: "1.67.03504.9999"}', targets="[{os: windows}]")
    refused = project.run("lock", "--format", "json")
    assert refused.code == 6
    assert refused.json["error"]["reason"] == "wrong-version"


def test_microsoft_s_anchors_do_not_verify_a_lab(project):
    upstream = project.definition.read_text().replace(", anchors: lab/authority/anchors.json", "")
    project.definition.write_text(upstream)
    refused = project.run("lock")
    assert refused.code == 6
    assert not project.lock.exists()


def test_a_damaged_lock_is_named_so(project):
    project.run("lock")
    project.lock.write_text(project.lock.read_text()[:-200])
    assert project.run("build", "--locked").code == 4
    assert project.run("plan").code == 4


def test_local_packages_are_verified_the_same_way(project):
    project.run("lock")
    found = pins(project)
    held = {place: project.store / "objects" / pin["sha256"][:2] / pin["sha256"] for place, pin in found.items()}
    (project.folder / "have").mkdir()
    (project.folder / "have" / "agent.deb").write_bytes(held["ubuntu/22.04/amd64"].read_bytes())
    given = "packages: [{target: ubuntu/22.04/x64, path: have/agent.deb}]}"
    text = project.definition.read_text().replace("anchors.json}", f"anchors.json, {given}")
    project.definition.write_text(text)
    assert project.run("lock").code == 0
    pin = pins(project)["ubuntu/22.04/amd64"]
    assert pin["url"] == "file:have/agent.deb"
    assert [e["method"] for e in pin["evidence"]] == ["debsigs"]
    assert project.run("build").code == 0
    # The same from another folder: the definition's own is where its paths start.
    os.chdir(project.folder.parent)
    project.lock.unlink()
    assert project.run("lock", "-d", f"{project.folder.name}/bundle.yaml").code == 0
    os.chdir(project.folder)
    assert pins(project)["ubuntu/22.04/amd64"]["url"] == "file:have/agent.deb"
    broken = bytearray((project.folder / "have" / "agent.deb").read_bytes())
    broken[-10] ^= 1
    (project.folder / "have" / "agent.deb").write_bytes(broken)
    assert project.run("lock").code == 6
