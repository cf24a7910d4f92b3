"""`lock` keeps what was reviewed: a pin moves only where it no longer answers, or where `--upgrade` asks for it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from bundler.cli import console
from bundler.formats import json_codec
from tests.support import authenticode_material as material
from tests.support.lab_project import Project, Ran

NEWER = "1.69.03560.1450"
ALL = {"windows/x64", "ubuntu/22.04/amd64", "rhel/9/x86_64"}


def document(project: Project) -> dict:
    return json.loads(project.lock.read_text())


def versions(project: Project) -> dict[str, str]:
    """MAJOR.MINOR of each pin by its place."""
    return {pin["place"]: ".".join(pin["facts"]["version"].split(".")[:2]) for pin in document(project)["pins"]}


def asked(project: Project) -> dict[str, str | None]:
    return {pin["place"]: pin["asked"] for pin in document(project)["pins"]}


def serial(project: Project) -> datetime:
    return datetime.fromisoformat(document(project)["created"].replace("Z", "+00:00"))


def ran(project: Project, *arguments: str, code: int = 0) -> Ran:
    result = project.run(*arguments, "--format", "json")
    assert result.code == code, (result.out, result.err)
    return result


@pytest.fixture
def locked(project: Project) -> Project:
    """A locked project, and an upstream that has a newer agent since."""
    ran(project, "lock")
    project.lab.publish(NEWER)
    return project


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch):
    """Set what the command line takes for the time."""

    def set_clock(at: datetime) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # noqa: ARG003
                return at

        monkeypatch.setattr(console, "datetime", Clock)

    return set_clock


def test_a_tag_moves_no_pin_and_asks_nobody(locked: Project) -> None:
    before, requests = document(locked), len(locked.lab.requests)
    locked.define(tags="{Owner: platform}")
    done = ran(locked, "lock")
    after = document(locked)
    assert after["pins"] == before["pins"]
    assert len(locked.lab.requests) == requests
    assert set(done.json["kept"]) == ALL
    assert [(move["what"], move["fields"]) for move in done.json["moves"]] == [("definition", ["tags.Owner"])]
    assert after["schema"] == "arc-bundler/lock/2"
    assert after["created"] > before["created"], "the serial grows with each change"
    assert after["definition"] != before["definition"]


@pytest.mark.parametrize(
    ("section", "text", "fields"),
    [
        ("tags", "{Owner: a, Site: b}", ["tags.Owner", "tags.Site"]),
        ("name", "arc-other", ["name"]),
        ("version", '"2.0"', ["version"]),
        ("location", "westeurope", ["location"]),
        ("resource_name", "web-01", ["resource_name"]),
        ("network", "{proxy: {url: 'http://proxy:8080'}}", ["network.proxy.url"]),
        ("outputs", "[{format: zip}]", ["outputs"]),
        ("agent", "{mode: monitor}", ["agent.mode"]),
        ("targets", '[{os: rhel, version: "9"}, {os: ubuntu, version: "22.04"}, {os: windows}]', ["targets"]),
        ("targets", "[{os: windows}]", ["targets"]),
        # A target that shares the package of another one, and one that gets a place of its own beside it.
        ("targets", '[{os: windows}, {os: rhel, version: "9"}, {os: rocky, version: "9"}]', ["targets"]),
        ("agent", '{version: "1.68"}', ["agent.version"]),
    ],
    ids=lambda value: value if isinstance(value, str) and "{" not in value else "",
)
def test_what_does_not_touch_a_package_moves_none(locked: Project, section: str, text: str, fields: list[str]) -> None:
    before = {pin["sha256"] for pin in document(locked)["pins"]}
    if section == "agent" and "version" in text:
        locked.define(targets='[{os: ubuntu, version: "22.04"}, {os: rhel, version: "9"}]')
        ran(locked, "lock")
        locked.define(targets='[{os: ubuntu, version: "22.04"}, {os: rhel, version: "9"}]', agent=text)
    else:
        locked.define(**{section: text})
    stale = locked.run("build", "--locked")
    assert stale.code == 4
    assert f"definition: {', '.join(fields)} changed" in stale.err
    assert "the pins still fit" in stale.err
    done = ran(locked, "lock", "--offline")
    assert {pin["sha256"] for pin in document(locked)["pins"]} <= before
    assert done.json["moves"][0]["fields"] == fields
    assert ran(locked, "lock", "--offline").json["changed"] is False


def test_only_a_new_target_is_asked_for(locked: Project) -> None:
    targets = '[{os: windows}, {os: ubuntu, version: "22.04"}, {os: debian, version: "12"}, {os: rhel, version: "9"}]'
    locked.define(targets=targets)
    stale = locked.run("build", "--locked")
    assert (stale.code, "the pins still fit" in stale.err) == (4, False)
    assert "does not fit: azcmagent latest for debian/12/x64; the lock has none" in stale.err
    done = ran(locked, "lock")
    assert set(done.json["kept"]) == ALL
    assert versions(locked) == dict.fromkeys(ALL, "1.68") | {"debian/12/amd64": "1.69"}
    assert len(set(asked(locked).values())) <= 2


def test_a_second_version_in_one_repository_leaves_the_first_where_it_is(locked: Project) -> None:
    targets = '[{os: ubuntu, version: "22.04"}, {os: ubuntu, version: "22.04", architecture: arm64, agent: "1.67"}]'
    locked.define(targets=targets)
    ran(locked, "lock")
    assert versions(locked) == {"ubuntu/22.04/amd64": "1.68", "ubuntu/22.04/arm64": "1.67"}
    targets = '[{os: rhel, version: "9"}, {os: rocky, version: "9", agent: "1.67"}]'
    locked.define(targets=targets)
    ran(locked, "lock")
    assert sorted(versions(locked).values()) == ["1.67", "1.69"], "rhel was dropped before, and is new"
    locked.define(targets=targets.replace(', agent: "1.67"', ""))
    ran(locked, "lock")


def test_a_version_that_is_not_accepted_any_more_is_resolved_and_the_others_stay(locked: Project) -> None:
    locked.define(targets='[{os: windows}, {os: ubuntu, version: "22.04", agent: "1.67"}, {os: rhel, version: "9"}]')
    stale = locked.run("build", "--locked")
    assert stale.code == 4
    assert "azcmagent 1.67 for ubuntu/22.04/x64; the lock has 1.68" in stale.err
    refused = locked.run("lock")
    assert (refused.code, "--allow-older" in refused.err) == (4, True)
    ran(locked, "lock", "--allow-older")
    assert versions(locked) == {"windows/x64": "1.68", "ubuntu/22.04/amd64": "1.67", "rhel/9/x86_64": "1.68"}


def test_upgrade_moves_the_named_target_alone(locked: Project) -> None:
    before = document(locked)
    done = ran(locked, "lock", "--upgrade", "ubuntu/22.04/x64")
    assert versions(locked) == {"windows/x64": "1.68", "ubuntu/22.04/amd64": "1.69", "rhel/9/x86_64": "1.68"}
    moves = [(move["place"], move["artifact"], move["was"], move["now"]) for move in done.json["moves"]]
    assert moves == [("ubuntu/22.04/amd64", "azcmagent", "1.68.03532.1399", NEWER)]
    assert serial(locked) > datetime.fromisoformat(before["created"].replace("Z", "+00:00"))
    ran(locked, "lock", "--upgrade")
    assert set(versions(locked).values()) == {"1.69"}


@pytest.mark.parametrize("word", ["ubuntu", "ubuntu/22.04", "ubuntu/22.04/amd64", "Ubuntu/22.04/x64/"])
def test_a_target_is_named_in_any_of_its_forms(locked: Project, word: str) -> None:
    ran(locked, "lock", "--upgrade", word)
    assert versions(locked) == {"windows/x64": "1.68", "ubuntu/22.04/amd64": "1.69", "rhel/9/x86_64": "1.68"}


@pytest.mark.parametrize("word", ["debian/12/x64", "ubun", "22.04", "ubuntu/22.04/arm64", "/", "S3cret-value"])
def test_a_word_that_is_no_target_is_a_usage_error_with_the_list(locked: Project, word: str) -> None:
    before = locked.lock.read_bytes()
    refused = locked.run("lock", "--upgrade", word)
    assert refused.code == 2
    assert "rhel/9/x64, ubuntu/22.04/x64, windows/x64" in refused.err
    assert "S3cret" not in refused.err + refused.out
    assert locked.lock.read_bytes() == before


@pytest.mark.parametrize("arguments", [("windows/x64",), ("--check", "--upgrade")])
def test_a_line_without_sense_is_a_usage_error(locked: Project, arguments: tuple[str, ...]) -> None:
    assert locked.run("lock", *arguments).code == 2


def test_check_says_whether_definition_or_upstream_changed(locked: Project) -> None:
    before = locked.lock.read_bytes()
    upstream = ran(locked, "lock", "--check", code=4).json
    assert upstream["changed"] == ["upstream"]
    assert {(one["place"], one["artifact"], one["was"][:4], one["now"][:4]) for one in upstream["upstream"]} == {
        ("windows/x64", "AzureConnectedMachineAgent", "1.68", "1.69"),
        ("ubuntu/22.04/amd64", "azcmagent", "1.68", "1.69"),
        ("rhel/9/x86_64", "azcmagent", "1.68", "1.69"),
    }
    told = locked.run("lock", "--check")
    assert "the upstream has changed; `arc-bundler lock --upgrade` moves the pins" in told.out
    assert "ubuntu/22.04/amd64: azcmagent 1.68.03532.1399 -> 1.69.03560.1450" in told.out
    assert "definition" not in told.out
    locked.define(tags="{Owner: platform}", location="westeurope")
    both = ran(locked, "lock", "--check", code=4).json
    assert both["changed"] == ["definition", "upstream"]
    assert both["definition"]["fields"] == ["location", "tags.Owner"]
    told = locked.run("lock", "--check")
    assert "definition: location, tags.Owner" in told.out
    offline = ran(locked, "lock", "--check", "--offline", code=4).json
    assert (offline["changed"], offline["upstream"]) == (["definition"], [])
    assert locked.lock.read_bytes() == before
    ran(locked, "lock", "--upgrade")
    assert ran(locked, "lock", "--check").json["changed"] == []


def test_check_tells_a_package_that_the_definition_adds_from_one_that_moved(locked: Project) -> None:
    locked.define(targets='[{os: windows}, {os: debian, version: "12"}]')
    found = ran(locked, "lock", "--check", code=4).json
    assert [one["place"] for one in found["upstream"]] == ["windows/x64"]
    whats = {(move["what"], move["place"]) for move in found["moves"]}
    assert whats >= {("new-package", "debian/12/amd64"), ("gone", "rhel/9/x86_64"), ("gone", "ubuntu/22.04/amd64")}


def test_a_build_keeps_by_itself_and_moves_nothing(locked: Project) -> None:
    before = document(locked)["pins"]
    locked.define(tags="{Owner: platform}")
    planned = ran(locked, "plan").json["plan"]["actions"]
    assert [one["verb"] for one in planned[:4]] == ["keep", "keep", "keep", "write"]
    built = ran(locked, "build", "--offline")
    assert built.json["lock_written"] is True
    assert document(locked)["pins"] == before
    assert ran(locked, "build", "--locked").json["unchanged"] is True


def test_nothing_changed_leaves_the_file_and_says_so(locked: Project, clock) -> None:
    locked.define(version='"{date}"')
    ran(locked, "lock")
    before = locked.lock.read_bytes()
    clock(serial(locked) + timedelta(days=12))
    told = locked.run("lock")
    assert told.code == 0
    assert "nothing changed" in told.out
    assert "12 days ago" in told.out
    assert locked.lock.read_bytes() == before
    ran(locked, "lock", "--upgrade", "windows")
    moved = document(locked)
    assert moved["version"] != json.loads(before)["version"]
    again = locked.lock.read_bytes()
    clock(serial(locked) + timedelta(days=1))
    assert ran(locked, "lock", "--upgrade", "windows").json["changed"] is False
    assert locked.lock.read_bytes() == again


def test_each_pin_keeps_when_upstream_was_asked(locked: Project, clock) -> None:
    first = document(locked)["created"]
    later = serial(locked) + timedelta(days=30)
    clock(later)
    ran(locked, "lock", "--upgrade", "windows")
    now = f"{later:%Y-%m-%dT%H:%M:%SZ}"
    assert asked(locked) == {"windows/x64": now, "ubuntu/22.04/amd64": first, "rhel/9/x86_64": first}
    ran(locked, "build", "--locked")
    clock(later + timedelta(days=2))
    shown = locked.run("inspect", str(locked.made(".zip"))).out
    assert f"asked   {later:%Y-%m-%d %H:%M} UTC, 2 days ago" in shown
    assert shown.count("32 days ago") == 2
    page = locked.made(".review.html").read_text(encoding="utf-8")
    assert page.count("30 days before the lock") == 2
    pins = ran(locked, "inspect", str(locked.made(".zip"))).json["manifest"]["pins"]
    assert {pin["place"]: pin["asked"] for pin in pins} == asked(locked)


def test_an_expired_lock_is_renewed_with_the_same_pins(locked: Project, clock) -> None:
    locked.define(seal="{valid_days: 7}")
    ran(locked, "lock")
    before = document(locked)
    clock(serial(locked) + timedelta(days=8))
    assert locked.run("build", "--locked").code == 4
    done = ran(locked, "lock")
    assert (done.json["changed"], document(locked)["pins"]) == (True, before["pins"])
    ran(locked, "build", "--locked")


def revoke(project: Project) -> None:
    """Put the lab's signer of MSI files on its issuer's revocation list, which the anchors then hold."""
    chain = project.lab.authority.code_signing
    issuer = (*chain.intermediates, chain.root)[0]
    listed = material.revocation_list(
        issuer, chain.leaf, project.now - timedelta(days=1), x509.ReasonFlags.key_compromise
    )
    anchors = replace(project.lab.anchors, revocation_lists=(listed,))
    project.lab.anchors_file.write_bytes(json_codec.to_json(anchors))


@pytest.mark.parametrize("changed", ["nothing", "a tag"])
def test_a_pin_by_a_revoked_signer_is_neither_kept_nor_replaced(locked: Project, changed: str) -> None:
    before = locked.lock.read_bytes()
    revoke(locked)
    if changed == "a tag":
        locked.define(tags="{Owner: platform}")
    for command in (("lock",), ("lock", "--offline"), ("build",)):
        refused = ran(locked, *command, code=6).json["error"]
        assert refused["reason"] == "revoked", command
        assert "windows/x64" in refused["message"]
        assert "1.68." in refused["message"]
        assert "`arc-bundler lock --upgrade windows/x64`" in refused["do"]
        assert locked.lock.read_bytes() == before
    # The upgrade is refused too, because the newer agent has the same signer; the others are not concerned.
    assert ran(locked, "lock", "--upgrade", "windows/x64", code=6).json["error"]["reason"] == "revoked"
    locked.define(targets='[{os: ubuntu, version: "22.04"}, {os: rhel, version: "9"}]')
    ran(locked, "lock")
    assert versions(locked) == {"ubuntu/22.04/amd64": "1.68", "rhel/9/x86_64": "1.68"}


def test_a_pin_that_other_anchors_do_not_trust_is_named(locked: Project) -> None:
    anchors = replace(locked.lab.anchors, name="Mirror", package_keys=locked.lab.anchors.package_keys[1:])
    locked.lab.anchors_file.write_bytes(json_codec.to_json(anchors))
    refused = ran(locked, "lock", code=6).json["error"]
    assert "`arc-bundler lock --upgrade " in refused["do"]


def test_evidence_names_the_anchors_of_today(locked: Project) -> None:
    locked.lab.anchors_file.write_bytes(json_codec.to_json(replace(locked.lab.anchors, name="Mirror")))
    assert "anchors" in locked.run("build", "--locked").err
    ran(locked, "lock", "--offline")
    after = document(locked)
    assert {one["anchors"] for pin in after["pins"] for one in pin["evidence"]} == {after["anchors"]} == {"Mirror"}
    ran(locked, "build", "--locked", "--offline")


def test_missing_bytes_are_named_offline_and_fetched_by_their_digest_otherwise(project: Project) -> None:
    ran(project, "lock")
    shutil.rmtree(project.store)
    refused = ran(project, "lock", "--offline", code=5).json["error"]
    told = " ".join(refused["details"])
    assert all(pin["sha256"] in told for pin in document(project)["pins"])
    assert "InRelease for ubuntu/22.04/amd64" in told
    before = project.lock.read_bytes()
    ran(project, "lock")
    assert project.lock.read_bytes() == before
    ran(project, "lock", "--offline")


def test_missing_bytes_that_upstream_replaced_are_not_taken(locked: Project) -> None:
    before = locked.lock.read_bytes()
    shutil.rmtree(locked.store)
    refused = ran(locked, "lock", code=6).json["error"]
    assert "`arc-bundler lock --upgrade " in refused["do"]
    assert "does not verify any more" in refused["message"]
    assert locked.lock.read_bytes() == before


def test_bytes_that_moved_on_are_fetched_from_where_they_were_served(project: Project) -> None:
    """`latest` is a redirect to each release's own place, and the locked release stays there."""
    given = f"packages: [{{target: windows/x64, url: '{project.lab.short_url}/AzureConnectedMachineAgent'}}]}}"
    text = project.definition.read_text().replace("anchors.json}", f"anchors.json, {given}")
    project.definition.write_text(text)
    project.definition.write_text(text.replace('{os: ubuntu, version: "22.04"}, {os: rhel, version: "9"}', ""))
    ran(project, "lock")
    project.lab.publish(NEWER)
    for command in (("lock",), ("build", "--locked")):
        shutil.rmtree(project.store)
        ran(project, *command)
        assert versions(project) == {"windows/x64": "1.68"}
    ran(project, "lock", "--upgrade")
    assert versions(project) == {"windows/x64": "1.69"}


def test_a_damaged_copy_in_the_store_is_not_kept(locked: Project) -> None:
    (msi,) = (pin for pin in document(locked)["pins"] if pin["kind"] == "msi")
    held = locked.store / "objects" / msi["sha256"][:2] / msi["sha256"]
    held.chmod(0o644)
    held.write_bytes(held.read_bytes()[:-1] + b"!")
    refused = ran(locked, "lock", "--offline", code=5).json["error"]
    assert "windows/x64" in refused["message"]


def test_an_edited_pin_is_not_kept(locked: Project) -> None:
    text = locked.lock.read_text()
    for was, now, code in (
        ('"version": "1.68.03532.1399"', '"version": "1.68.03532.1398"', 6),
        ('"anchor": "', '"anchor": "0', 6),
        ('"asked": "2', '"asked": "x', 4),
    ):
        assert was in text
        locked.lock.write_text(text.replace(was, now, 1))
        ran(locked, "lock", code=code)


def first_schema(project: Project) -> dict:
    """Write the lock as 0.3.0 did."""
    found = document(project)
    del found["fields"]
    found["schema"] = "arc-bundler/lock/1"
    for pin in found["pins"]:
        del pin["asked"]
    project.lock.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return found


def test_a_lock_of_schema_1_is_not_stale_and_becomes_2_when_it_changes(locked: Project) -> None:
    first = first_schema(locked)
    before = locked.lock.read_bytes()
    built = ran(locked, "build", "--locked")
    assert built.json["lock_written"] is False
    assert ran(locked, "lock").json["changed"] is False
    assert locked.lock.read_bytes() == before
    assert "not known" in locked.run("inspect", str(locked.made(".zip"))).out
    assert ran(locked, "diff", str(locked.lock), str(locked.made(".zip"))).json["different"] is False
    locked.define(tags="{Owner: platform}")
    stale = locked.run("build", "--locked")
    assert stale.code == 4
    assert "the pins still fit" in stale.err
    ran(locked, "lock", "--offline")
    after = document(locked)
    assert (after["schema"], after["fields"]["tags.Owner"] != "") == ("arc-bundler/lock/2", True)
    assert asked(locked) == dict.fromkeys(ALL)
    assert [pin["sha256"] for pin in after["pins"]] == [pin["sha256"] for pin in first["pins"]]
    ran(locked, "lock", "--upgrade", "windows")
    assert asked(locked)["windows/x64"]


def test_upgrading_a_lock_of_schema_1_learns_when_upstream_was_asked(project: Project) -> None:
    ran(project, "lock")
    first_schema(project)
    assert ran(project, "lock", "--upgrade").json["changed"] is True
    assert all(asked(project).values())
    assert document(project)["schema"] == "arc-bundler/lock/2"


def test_a_schema_1_with_fields_of_schema_2_is_damaged(locked: Project) -> None:
    found = document(locked)
    for changes in ({"schema": "arc-bundler/lock/1"}, {"fields": {"tags": "x"}}):
        locked.lock.write_text(json.dumps(found | changes))
        refused = ran(locked, "build", "--locked", code=4).json["error"]
        assert "is damaged" in refused["message"]
