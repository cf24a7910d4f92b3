"""The review page in a browser: it renders, requests nothing, and is accessible.

Chromium is a person's program and no package of ours: where it is not installed, these are skipped.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bundler.flow import review
from tests.support import review_sample as sample

playwright = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = os.environ.get("ARC_BUNDLER_SCREENSHOTS", "")
DIGEST = sample.sha256("bundle")
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
PAGES = pytest.mark.parametrize("page_of", ["beside", "inside", "bare"])

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


@pytest.fixture(scope="module")
def documents(tmp_path_factory) -> dict[str, str]:
    """Addresses of the page beside the archives, of the one in the bundle, and of one that has little to say."""
    folder = tmp_path_factory.mktemp("pages")
    bare = sample.manifest(script_actions=(), network_requirements=(), seal=None, approval=None, lab=False, unusual=())
    pages = {
        "beside": review.page(sample.manifest(), digest=DIGEST),
        "inside": review.page(sample.manifest()),
        "bare": review.page(bare, digest=DIGEST),
    }
    for name, content in pages.items():
        (folder / f"{name}.html").write_bytes(content)
    return {name: (folder / f"{name}.html").as_uri() for name in pages}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def shown(chromium, documents, request) -> Iterator[Any]:
    """Opens a page and gives it, with its requests and errors."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda made: asked.append(made.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def show(name: str = "beside", scheme: str = "light", width: int = 1280):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(documents[name])
        assert asked == [documents[name]]
        assert complaints == []
        return page

    yield show
    assert len(asked) == 1
    assert complaints == []
    context.close()


@PAGES
def test_it_renders_and_no_request_leaves(shown, page_of):
    page = shown(page_of)
    assert page.locator("h1").inner_text() == "arc-tokyo 2026.09.28"
    assert page.evaluate("document.styleSheets.length") == 1
    # A style that its policy refused would leave the browser's own margin.
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
    page.wait_for_timeout(300)


def test_the_policy_stops_what_a_bug_might_let_in(chromium, documents):
    page = chromium.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(documents["beside"])
    page.evaluate(
        'document.body.insertAdjacentHTML(\'beforeend\', \'<img src="https://x.example/a.png" onerror="window.bad=1">'
        '<p style="color:red">x</p>\')'
    )
    page.wait_for_timeout(300)
    assert any("img-src" in one or "default-src" in one for one in refused)
    assert page.evaluate("window.bad") is None
    page.close()


@SCHEMES
@PAGES
def test_it_passes_axe(shown, page_of, scheme):
    found = axe.Axe().run(shown(page_of, scheme))
    assert found.response["passes"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]] == []


@SCHEMES
def test_the_schemes_differ(shown, scheme):
    ground = shown(scheme=scheme).evaluate("getComputedStyle(document.querySelector('main > section')).backgroundColor")
    red = int(ground.split("(")[1].split(",")[0])
    assert red > 200 if scheme == "light" else red < 60


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
@PAGES
def test_nothing_is_wider_than_the_window(shown, page_of, width):
    page = shown(page_of, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_whole_digest_is_copied_without_blanks(shown):
    page = shown()
    assert page.evaluate("document.querySelector('.approve .hex').textContent") == DIGEST
    copied = page.evaluate(
        "(() => { const s = getSelection(); s.selectAllChildren(document.querySelector('.approve .hex'));"
        " return s.toString(); })()"
    )
    assert copied == DIGEST


def test_the_keyboard_reaches_everything(shown):
    page = shown()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(e => e.id || e.hash || e.tagName + e.getAttribute('aria-labelledby'))(document.activeElement)"
            )
        )
        if len(reached) > 1 and reached[-1] in {reached[0], "BODYnull"}:
            break
    assert reached[0] == "#content"
    chapters = page.evaluate("[...document.querySelectorAll('main > section > h2')].map(one => '#' + one.id)")
    assert len(chapters) == 9
    assert [one for one in chapters if one not in reached] == []
    tables = page.evaluate(
        "[...document.querySelectorAll('.scroll')].map(one => 'DIV' + one.getAttribute('aria-labelledby'))"
    )
    assert len(tables) == 4  # runtimes, endpoints, materials, files
    assert [one for one in tables if one not in reached] == []
    assert "SUMMARYnull" in reached


def test_the_skip_link_is_seen_when_it_is_reached_and_leads_to_the_content(shown):
    page = shown()
    page.keyboard.press("Tab")
    page.wait_for_timeout(50)
    assert page.locator(".skip").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_every_chapter_of_the_contents_is_there(shown):
    page = shown()
    missing = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.querySelector(a.hash)).map(a => a.hash)"
    )
    assert missing == []


def test_it_prints_with_everything_open(shown, tmp_path):
    page = shown()
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = false)")
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF-")
    assert len(printed) > 50_000
    page.emulate_media(media="print")
    for words in ("No secret inside", "START-HERE.txt", "LAB Code Signing Root"):
        assert page.get_by_text(words).first.bounding_box()["height"] > 0, words
    assert page.locator("nav").bounding_box() is None
    # A4 without its margins, at 96 dots an inch.
    page.set_viewport_size({"width": 703, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    assert page.evaluate("[...document.querySelectorAll('.scroll')].every(one => one.scrollWidth <= one.clientWidth)")


@SCHEMES
@pytest.mark.skipif(not PICTURES, reason="pictures are made when ARC_BUNDLER_SCREENSHOTS names a folder")
def test_pictures_for_the_documents(shown, scheme):
    page = shown(scheme=scheme)
    page.set_viewport_size({"width": 1100, "height": 1200})
    folder = Path(PICTURES)
    folder.mkdir(parents=True, exist_ok=True)
    for name, place in (("", "body"), ("-chain", "article.package:last-of-type"), ("-steps", "#scripts")):
        page.evaluate(f"document.querySelector('{place}').scrollIntoView()")
        picture = folder / f"review{name}-{scheme}.png"
        page.screenshot(path=picture)
        assert 30_000 < picture.stat().st_size < 300_000
