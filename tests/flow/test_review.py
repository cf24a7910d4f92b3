"""`review.html`: from the manifest alone, the same on every host, with every unusual fact."""

from __future__ import annotations

import hashlib
import html
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bundler.flow import review
from bundler.formats import json_codec
from bundler.model.target import Support
from bundler.products.arc_server import review as arc_server
from bundler.trust import anchors as trusted
from tests.support import review_sample as sample


def titles(manifest, level: str) -> str:
    found = (*review.findings(manifest), *arc_server.findings(manifest))
    return "\n".join(one.title for one in found if one.level == level)


def text(manifest, digest: str = "") -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", review.page(manifest, digest=digest).decode()))


# ---- The same page everywhere ----


@pytest.fixture
def made(project) -> Path:
    assert project.run("build").code == 0
    return project.folder / "bundles/arc-test/1.0"


def test_inspect_makes_the_page_beside_the_archives(project, made):
    beside = made / "arc-test-1.0.review.html"
    digest = hashlib.sha256((made / "arc-test-1.0/SHA256SUMS").read_bytes()).hexdigest()
    assert all(part in beside.read_text(encoding="utf-8") for part in re.findall("........", digest))
    for name in ("", ".zip", ".tar.gz", ".7z", ".manifest.json"):
        page = project.folder / "page.html"
        ran = project.run("inspect", str(made / f"arc-test-1.0{name}"), "--html", str(page), "--format", "json")
        assert ran.code == 0, ran.err
        assert ran.json["digest"] == digest
        assert page.read_bytes() == beside.read_bytes()
        page.unlink()


def test_two_builds_make_the_same_pages(project, made):
    pages = {path.relative_to(made): path.read_bytes() for path in made.rglob("*review.html")}
    assert len(pages) == 2
    assert project.run("build", "--output", "again").code == 0
    again = project.folder / "again/arc-test/1.0"
    assert {path.relative_to(again): path.read_bytes() for path in again.rglob("*review.html")} == pages


def test_the_page_in_the_bundle_is_listed_and_holds_no_digest(project, made):
    inside = made / "arc-test-1.0/review.html"
    digest = hashlib.sha256((made / "arc-test-1.0/SHA256SUMS").read_bytes()).hexdigest()
    assert digest[:8] not in inside.read_text(encoding="utf-8")
    assert "sha256sum SHA256SUMS" in inside.read_text(encoding="utf-8")
    listed = json.loads((made / "arc-test-1.0/manifest.json").read_text(encoding="utf-8"))["files"]
    assert hashlib.sha256(inside.read_bytes()).hexdigest() in {one["sha256"] for one in listed}
    assert project.run("verify", str(made / "arc-test-1.0"), "--insecure-no-seal", *ANCHORS).code == 0


ANCHORS = ("--anchors", "lab/authority/anchors.json")


def test_a_changed_page_is_a_conflict(project, made):
    page = made / "arc-test-1.0.review.html"
    page.write_bytes(page.read_bytes().replace(b"Stop", b"Fine"))
    refused = project.run("build")
    assert refused.code == 7
    assert "review.html" in refused.err


def test_a_page_cannot_be_written_everywhere(project, made):
    ran = project.run("inspect", str(made / "arc-test-1.0"), "--html", "nowhere/page.html")
    assert ran.code == 7
    assert "Traceback" not in ran.err
    assert not Path("nowhere").exists()


def test_a_page_takes_the_place_of_a_page_and_of_nothing_else(project, made):
    bundle = made / "arc-test-1.0.zip"
    held = bundle.read_bytes()
    ran = project.run("inspect", str(bundle), "--html", str(bundle))
    assert ran.code == 7
    assert "is not a review page" in ran.err
    assert bundle.read_bytes() == held
    page = project.folder / "page.html"
    page.write_text("<!doctype html> of another bundle", encoding="utf-8")
    assert project.run("inspect", str(bundle), "--html", str(page)).code == 0
    assert page.read_bytes() == (made / "arc-test-1.0.review.html").read_bytes()


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"schema": "arc-bundler/manifest/9"}', b"{" + b"[" * 300_000])
def test_what_is_no_manifest_makes_no_page(project, content):
    Path("manifest.json").write_bytes(content)
    ran = project.run("inspect", "manifest.json", "--html", "page.html")
    assert ran.code == 6
    assert not Path("page.html").exists()


# ---- What it says ----


def test_a_manifest_of_an_older_release_has_a_page():
    bare = sample.manifest(
        script_actions=(), network_requirements=(), support=(), seal=None, approval=None, serial=0, not_after=None
    )
    assert "read the scripts" in text(bare)


def test_everything_that_can_be_compared_is_on_the_page():
    manifest = sample.manifest()
    shown = text(manifest, digest="ab" * 32)
    wanted = [one.sha256 for one in manifest.files if one.path != "review.html"]
    wanted += [link.sha256 for pin in manifest.pins for one in pin.evidence for link in one.chain]
    wanted += [one.sha256 for pin in manifest.pins for one in pin.documents]
    wanted += [manifest.anchors_sha256, manifest.seal.signer.sha256, *(a.sha256 for a in manifest.approval.approvers)]
    wanted += ["ab" * 32, sample.KEY, *manifest.parameters.values()]
    told_in_words = {"service-principal-secret", "true"}
    assert [one for one in wanted if one not in shown and one not in told_in_words] == []


def test_every_address_is_on_the_page():
    manifest = sample.manifest()
    shown = text(manifest)
    assert len(manifest.network_requirements) > 10
    assert [one.host for one in manifest.network_requirements if f"{one.host}:{one.port}" not in shown] == []
    assert [one.source for one in manifest.network_requirements if one.source not in shown] == []


def test_what_is_unusual_comes_before_everything_else():
    page = text(sample.manifest(weakened=("--insecure-no-clock",)))
    said = ("A check was weakened: --insecure-no-clock", "Packages, and why they are trusted", "Root certificate")
    places = [page.index(words) for words in said]
    assert places == sorted(places)


USUAL = sample.manifest(
    lab=False, anchors="Microsoft", anchors_sha256=trusted.digest(trusted.microsoft()), unusual=(), weakened=()
)


def test_a_usual_bundle_has_nothing_to_stop_for():
    assert titles(USUAL, "stop") == ""
    assert "The anchors are Microsoft's" in titles(USUAL, "ordinary")
    assert "The bundle is signed" in titles(USUAL, "ordinary")
    assert "2 approvals are required" in titles(USUAL, "ordinary")
    assert "No secret inside" in titles(USUAL, "ordinary")


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({"lab": True}, "stop", "LAB bundle: not for production"),
        ({"anchors_sha256": sample.sha256("x")}, "look", "not Microsoft's"),
        ({"weakened": ("--insecure-x",)}, "stop", "--insecure-x"),
        ({"unusual": ("carries a root",)}, "look", "unusual"),
        ({"seal": None}, "look", "not signed"),
        ({"approval": None}, "look", "No approval"),
        ({"not_after": None}, "know", "does not expire"),
        ({"parameters": {}}, "look", "How servers sign in is not known"),
        ({"parameters": {"embedded_secret": "payload/secret"}}, "stop", "A secret is inside"),
        ({"pins": tuple(replace(pin, evidence=()) for pin in sample.PINS)}, "stop", "is not verified"),
        ({"pins": tuple(replace(pin, url="file:x.deb") for pin in sample.PINS)}, "know", "came from a file"),
    ],
)
def test_each_unusual_fact_is_a_finding(changes, level, said):
    assert said not in titles(USUAL, level)
    assert said in titles(replace(USUAL, **changes), level)


@pytest.mark.parametrize(
    ("days", "level", "said"),
    [
        (-1, "stop", "not supported since"),
        (0, "look", "only"),
        (89, "look", "only"),
        (90, "ordinary", "supported until"),
    ],
)
def test_the_end_of_support_is_counted_from_the_pins(days, level, said):
    until = USUAL.created.date() + timedelta(days=days)
    manifest = replace(USUAL, support=(Support(version="1.0", until=until, source="a document"),))
    assert said in titles(manifest, level)


def test_an_agent_of_unknown_age_is_to_be_looked_at():
    assert "not known" in titles(replace(USUAL, support=(Support(version="9.9"),)), "look")


# ---- A manifest that wants to be markup ----

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e{{ 7 * 7 }}'


def poisoned(value):
    """`value`, a tree of JSON, with something hostile behind every text that nothing else is demanded of."""
    if isinstance(value, dict):
        return {key: item if key in SHAPED else poisoned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    return value + HOSTILE if isinstance(value, str) else value


SHAPED = {
    *("schema", "created", "not_after", "not_before", "signed_at", "date", "until"),
    *("kind", "method", "platform", "origin", "mode", "algorithm"),
}


def test_no_value_of_a_manifest_becomes_markup():
    clean = sample.manifest()
    hostile = json_codec.from_tree(type(clean), poisoned(json_codec.to_tree(clean)))
    assert HOSTILE in hostile.pins[0].evidence[0].signer
    page = review.page(hostile, digest="ab" * 32).decode()
    assert set(re.findall(r"<(\w+)", page)) == set(re.findall(r"<(\w+)", review.page(clean, digest="x").decode()))
    assert "\u202e" not in page
    assert page.count("{{ 7 * 7 }}") > 200  # nothing filled it in
