"""A template cannot output an unquoted value, and renders the same bytes every time."""

from __future__ import annotations

import pytest
from jinja2 import DictLoader, UndefinedError
from jinja2.exceptions import TemplateAssertionError

from bundler.render import environment
from bundler.render.environment import UnquotedValue, render
from bundler.render.quoting import QuotingError
from bundler.render.template_files import templates

MAKE = environment._environment.__wrapped__


@pytest.fixture
def template(monkeypatch):
    """Renders a text as if it were a template of the product, in a language."""

    def rendered(source: str, language: str = ".sh", **values):
        fresh = MAKE(language, None)
        fresh.loader = DictLoader({f"x{language}.j2": source})
        monkeypatch.setattr(environment, "_environment", lambda *_: fresh)
        return render(f"x{language}.j2", values)

    return rendered


@pytest.mark.parametrize(
    "source",
    [
        "{{ value }}",
        "a{{ value | upper }}b",
        "{{ (value | quote) ~ 'x' }}",
        "{{ (value | quote) + value }}",
        "{{ value | quote | trim }}",
        "{{ [value] }}",
        "{{ none }}",
        "{{ true }}",
        "{{ 1.5 }}",
        "{{ 'a constant' }}",
        "{{ value | e }}",
        "{% for c in value %}{{ c }}{% endfor %}",
    ],
)
@pytest.mark.parametrize("language", [".sh", ".ps1", ".txt"])
def test_unquoted_output_is_an_error(template, source, language):
    with pytest.raises(UnquotedValue):
        template(source, language, value="text")


def test_quoted_text_and_whole_numbers_pass(template):
    assert template("a={{ value | quote }} {{ 3 }}", value="it's") == b"a='it'\\''s' 3"


def test_a_missing_value_is_an_error(template):
    with pytest.raises(QuotingError, match="StrictUndefined"):
        template("{{ missing | quote }}")
    with pytest.raises(UndefinedError):
        template("{% for x in missing %}{% endfor %}")


def test_a_language_has_no_other_languages_filters(template):
    with pytest.raises(TemplateAssertionError):
        template("{{ value | words }}", ".ps1", value=["a"])


def test_line_ends_follow_the_reader(template):
    assert template("a\nb\n", ".sh") == b"a\nb\n"


def test_line_ends_are_windows_own_for_powershell(template):
    assert template("a\n{{ value | quote }}\n", ".ps1", value="x\ny") == b"a\r\n('' + 'x' + [char]0x000a + 'y')\r\n"


@pytest.mark.parametrize("language", [".sh", ".ps1"])
def test_a_script_is_ascii(template, language):
    with pytest.raises(UnicodeEncodeError):
        template("# caf\u00e9\n", language)


def test_the_templates_are_found():
    assert (templates() / "arc-server" / "linux" / "install.sh.j2").is_file()
