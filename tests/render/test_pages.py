"""A review page is one file, loads nothing, and no value becomes markup."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from bundler.render import pages
from bundler.render.template_files import templates

SOURCES = sorted((templates() / "review").glob("*.j2"))
FRAME = "review/base.html.j2"


class Reader(HTMLParser):
    """What a browser would make of a page: its elements, their attributes, its text."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(document.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def findings(text: str) -> bytes:
    """A page's part with `text` as a value."""
    page = pages._environment().from_string(
        "{% import 'review/parts.html.j2' as parts %}<title>{{ text }}</title><p title=\"{{ text }}\">{{ text }}</p>"
        "{% call parts.table('t', text, [text]) %}<tr><td>{{ text }}</td></tr>{% endcall %}"
    )
    return page.render(text=text).encode()


HARMLESS = Reader(findings("x")).tags


@given(st.text())
def test_no_text_becomes_markup(text):
    read = Reader(findings(text))
    assert read.tags == HARMLESS
    assert pages.escape_control(text) in {value for name, value in read.attributes if name == "title"}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</style></title><script>",
        "{{ 7*7 }}",
        "&lt;b&gt;",
    ],
)
def test_what_looks_like_markup_is_shown_as_it_is(text):
    read = Reader(findings(text))
    assert read.tags == HARMLESS
    assert read.text.count(text) == 5


def test_what_cannot_be_seen_is_shown():
    assert pages.escape_control("a\u202egpj.exe\u200b\x1b[1m") == "a\\u{202e}gpj.exe\\u{200b}\\u{1b}[1m"
    assert pages.escape_control("東京 naïve") == "東京 naïve"


def test_the_policy_allows_this_style_and_nothing_else():
    page = pages.page(FRAME, {}).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    quoted = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert policy.replace("&#39;", "'") == quoted


def test_a_missing_value_is_a_fault():
    with pytest.raises(UndefinedError):
        pages.page("review/review.html.j2", {})


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_templates_run_nothing_fetch_nothing_and_escape_everything(source):
    text = re.sub(r"\{#.*?#\}", "", source.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(
        r"<script|<link|<img|<iframe|<object|<form|\son\w+=|\sstyle=|\ssrc=|https?://|javascript:", text
    )
    assert re.findall(r"\|\s*safe\b|autoescape|Markup", text) == (["| safe"] if source.name == "base.html.j2" else [])


def test_the_style_fetches_nothing():
    style = (templates() / "review/style.css").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|@font-face|expression|</", style)
