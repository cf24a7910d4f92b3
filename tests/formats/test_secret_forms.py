"""A secret is found in every form in which programs repeat it, and ordinary text stays as it is."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from bundler.formats import secret_forms
from tests.support import secret_forms as cases

TOOL = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools" / "secret_forms.py"))


def redact(value: str, output: bytes) -> bytes:
    """What both runtimes do: without NUL and colours, each expression in turn."""
    text = re.sub("\033\\[[0-9;]*[A-Za-z]", "", output.replace(b"\0", b"").decode("latin-1"))
    for pattern in secret_forms.patterns(value):
        text = re.sub(pattern, "***", text, flags=re.ASCII)
    return text.encode("latin-1")


@pytest.mark.parametrize(
    "value", [cases.SECRET, cases.PLAIN, cases.UNICODE, cases.ASCII], ids=["signs", "plain", "unicode", "ascii"]
)
@pytest.mark.parametrize("way", cases.WAYS)
def test_each_way_is_found(way, value):
    (output,) = cases.repeated(value, [way]).values()
    done = redact(value, output)
    assert b"***" in done
    assert cases.remnants(value, done) == []


def test_the_runtimes_parts_are_what_the_tables_say():
    for path, text in TOOL["made"]().items():
        assert path.read_text(encoding="utf-8") == text, f"run `make docs`: {path.name}"


def test_of_several_lines_each_long_one_is_a_secret():
    value = "-----BEGIN X-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nshort\nEFAASCBKcwggSjAgEAAoIBAQC7\n"
    assert secret_forms.parts(value) == [
        "MIIEvQIBADANBgkqhkiG9w0BAQ",
        "EFAASCBKcwggSjAgEAAoIBAQC7",
    ]
    assert redact(value, b"a EFAASCBKcwggSjAgEAAoIBAQC7 short") == b"a *** short"


def test_a_short_value_has_no_encoded_forms():
    assert secret_forms.is_whole_word(cases.SHORT)
    assert len(secret_forms.patterns(cases.SHORT)) == 1
