"""The page of a difference in a browser: it renders, requests nothing, and is accessible."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bundler.flow.diff.compare import compare
from bundler.flow.diff.description import of_manifest
from bundler.flow.diff.textdiff import hunks, split
from bundler.model.diff import Diff, TextChange
from bundler.render.diff_page import diff_page
from tests.support import review_sample as sample

playwright = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


def difference() -> Diff:
    """Something under every heading, with a line that is longer than any window."""
    was = sample.manifest()
    pins = (replace(was.pins[0], url="https://elsewhere.example", evidence=()), *was.pins[1:-1])
    now = sample.manifest(
        version="2026.10.30",
        pins=pins,
        weakened=("--insecure-x",),
        seal=None,
        parameters={**was.parameters, "location": "<b>westeurope</b>" * 9, "more": "x"},
        network_requirements=was.network_requirements[1:],
        script_actions=(),
        anchors_sha256="0" * 64,
        tool="arc-bundler 9",
        files=was.files[1:],
    )
    script = TextChange(
        path="install.sh", what="changed", hunks=hunks(split("a\nb\n"), split(f"a\n\techo {'x' * 400}\nb"))
    )
    return replace(compare(of_manifest(was), of_manifest(now)), scripts=(script,))


@pytest.fixture(scope="module")
def addresses(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    same = of_manifest(sample.manifest())
    for name, diff in {"full": difference(), "empty": compare(same, same)}.items():
        (folder / f"{name}.html").write_bytes(diff_page(diff))
    return {name: (folder / f"{name}.html").as_uri() for name in ("full", "empty")}


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["full", "empty"])
def test_it_renders_alone_and_passes_axe(page, addresses, name, scheme):
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda made: asked.append(made.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(addresses[name])
    page.wait_for_timeout(200)
    assert (asked, complaints) == ([addresses[name]], [])
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
    found = axe.Axe().run(page)
    assert found.response["passes"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]] == []


@pytest.mark.parametrize("width", [320, 768, 1920])
def test_nothing_is_wider_than_the_window_or_the_paper(page, addresses, width):
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(addresses["full"])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    page.emulate_media(media="screen")


def test_a_script_is_shown_line_by_line(page, addresses):
    page.goto(addresses["full"])
    lines = page.locator("pre").inner_text().split("\n")
    assert lines[:2] == ["@@ -1,2 +1,3 @@", " a"]
    assert [line[:1] for line in lines[2:6]] == ["-", "+", "+", "\\"]
    assert page.evaluate("[...document.querySelectorAll('main > section > h2')].length") > 12
