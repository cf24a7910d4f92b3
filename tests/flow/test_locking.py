"""`lock`: nothing is pinned that was not believed, and nothing goes back by itself."""

from __future__ import annotations

import json
import os

import pytest


def pins(site):
    return {pin["place"]: pin for pin in json.loads(site.lock.read_text())["pins"]}


def test_pins_say_where_what_and_why(site):
    assert site.run("lock").code == 0
    found = pins(site)
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


def test_a_second_lock_with_nothing_moved_leaves_the_file_as_it_was(site):
    site.run("lock")
    before = site.lock.read_bytes()
    again = site.run("lock", "--format", "json")
    assert again.code == 0
    assert again.json["changed"] is False
    assert site.lock.read_bytes() == before


def test_check_tells_a_pipeline_whether_upstream_moved(site):
    assert site.run("lock", "--check").code == 4
    site.run("lock")
    still = site.run("lock", "--check", "--format", "json")
    assert (still.code, still.json["moved"]) == (0, False)
    site.lab.publish("1.69.03560.1450")
    before = site.lock.read_bytes()
    moved = site.run("lock", "--check", "--format", "json")
    assert moved.code == 4
    assert {(m["place"], m["what"]) for m in moved.json["moves"]} == {
        ("windows/x64", "version"),
        ("ubuntu/22.04/amd64", "version"),
        ("rhel/9/x86_64", "version"),
    }
    assert site.lock.read_bytes() == before


def test_a_clock_behind_the_lock_takes_none(site):
    """Servers tell the newer bundle by its lock's time."""
    site.run("lock")
    taken = json.loads(site.lock.read_text())
    year = int(taken["taken"][:4])
    site.lock.write_text(
        site.lock.read_text().replace(taken["taken"], taken["taken"].replace(str(year), str(year + 1)))
    )
    before = site.lock.read_bytes()
    refused = site.run("lock", "--format", "json")
    assert (refused.code, refused.json["error"]["kind"]) == (4, "lock")
    assert "clock" in refused.err or "clock" in refused.out
    assert site.lock.read_bytes() == before


def test_an_older_repository_state_is_refused_until_allowed(site):
    site.run("lock")
    site.lab.publish("1.69.03560.1450")
    assert site.run("lock").code == 0
    newer = site.lock.read_bytes()
    site.lab.republish_older()
    refused = site.run("lock")
    assert refused.code in (4, 6)
    assert "--allow-older" in refused.err
    assert site.lock.read_bytes() == newer
    assert site.run("lock", "--allow-older").code == 0
    assert pins(site)["ubuntu/22.04/amd64"]["facts"]["version"].startswith("1.68.")


def test_other_bytes_under_a_locked_version_are_refused_until_allowed(site):
    site.run("lock")
    before = site.lock.read_bytes()
    site.lab.replace("1.68.03532.1399")
    refused = site.run("lock", "--format", "json")
    assert refused.code == 6
    assert refused.json["error"]["reason"] == "replaced"
    assert site.lock.read_bytes() == before
    assert site.run("lock", "--allow-replaced").code == 0


@pytest.mark.parametrize(("wish", "found"), [('"1.67"', "1.67.03504.1320"), ('"1.66"', "1.66.03478.1270")])
def test_a_version_by_its_first_two_numbers_is_the_highest_build_of_it(site, wish, found):
    site.define(agent=f"{{version: {wish}}}", targets='[{os: ubuntu, version: "22.04"}]')
    assert site.run("lock").code == 0
    assert pins(site)["ubuntu/22.04/amd64"]["facts"]["version"] == found


def test_an_exact_build(site):
    site.define(agent='{version: "1.66.03471.1262"}', targets='[{os: ubuntu, version: "22.04"}]')
    assert site.run("lock").code == 0
    assert pins(site)["ubuntu/22.04/amd64"]["facts"]["version"] == "1.66.03471.1262"


def test_a_version_that_upstream_lacks_names_those_it_has(site):
    site.define(agent='{version: "1.61"}', targets='[{os: ubuntu, version: "22.04"}]')
    refused = site.run("lock")
    assert refused.code == 5
    assert "1.67.03504.1320" in refused.err


def test_a_genuine_package_of_another_version_is_the_wrong_one(site):
    site.define(agent='{version: "1.67.03504.9999"}', targets="[{os: windows}]")
    refused = site.run("lock", "--format", "json")
    assert refused.code == 6
    assert refused.json["error"]["reason"] == "wrong-version"


def test_microsoft_s_anchors_do_not_believe_a_lab(site):
    upstream = site.definition.read_text().replace(", anchors: lab/authority/anchors.json", "")
    site.definition.write_text(upstream)
    refused = site.run("lock")
    assert refused.code == 6
    assert not site.lock.exists()


def test_a_damaged_lock_is_named_so(site):
    site.run("lock")
    site.lock.write_text(site.lock.read_text()[:-200])
    assert site.run("build", "--locked").code == 4
    assert site.run("plan").code == 4


def test_packages_at_hand_are_judged_the_same_way(site):
    site.run("lock")
    found = pins(site)
    held = {place: site.store / "objects" / pin["sha256"][:2] / pin["sha256"] for place, pin in found.items()}
    (site.folder / "have").mkdir()
    (site.folder / "have" / "agent.deb").write_bytes(held["ubuntu/22.04/amd64"].read_bytes())
    given = "packages: [{target: ubuntu/22.04/x64, path: have/agent.deb}]}"
    text = site.definition.read_text().replace("anchors.json}", f"anchors.json, {given}")
    site.definition.write_text(text)
    assert site.run("lock").code == 0
    pin = pins(site)["ubuntu/22.04/amd64"]
    assert pin["url"] == "file:have/agent.deb"
    assert [e["method"] for e in pin["evidence"]] == ["debsigs"]
    assert site.run("build").code == 0
    # The same from another folder: the definition's own is where its paths start.
    os.chdir(site.folder.parent)
    site.lock.unlink()
    assert site.run("lock", "-d", f"{site.folder.name}/bundle.yaml").code == 0
    os.chdir(site.folder)
    assert pins(site)["ubuntu/22.04/amd64"]["url"] == "file:have/agent.deb"
    broken = bytearray((site.folder / "have" / "agent.deb").read_bytes())
    broken[-10] ^= 1
    (site.folder / "have" / "agent.deb").write_bytes(broken)
    assert site.run("lock").code == 6
