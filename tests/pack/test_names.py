from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import WriteError
from bundler.integrity.names import name_faults
from bundler.pack.members import require_packable

REFUSED = {
    "absolute": "/etc/passwd",
    "empty": "",
    "drive": "C:/x",
    "drive-relative": "C:x",
    "stream": "a.txt:hidden",
    "parent": "a/../b",
    "parent-first": "../b",
    "here": "./a",
    "double-slash": "a//b",
    "trailing-slash": "a/",
    "backslash": "a\\b",
    "unc": "\\\\server\\share",
    "newline": "a\nb",
    "null": "a\0b",
    "delete": "a\x7fb",
    "right-to-left": "a\u202ecod.exe",
    "zero-width": "a\u200bb",
    "line-separator": "a\u2028b",
    "less": "a<b",
    "pipe": "a|b",
    "question": "a?b",
    "star": "a*b",
    "quote": 'a"b',
    "trailing-dot": "a.",
    "trailing-space": "a ",
    "trailing-dot-folder": "a./b",
    "con": "CON",
    "nul-lower": "nul",
    "nul-extension": "payload/NUL.txt",
    "nul-two-extensions": "nul.tar.gz",
    "nul-space": "nul .txt",
    "com1": "com1",
    "com-superscript": "COM\u00b9.log",
    "lpt9-folder": "LPT9/x",
    "conin": "CONIN$",
    "decomposed": unicodedata.normalize("NFD", "caf\u00e9"),
    "surrogate": "a\ud800",
    "long-part": "x" * 256,
    "long-part-bytes": "\u30a8" * 86,
    "long-path": "/".join(["abcdefgh"] * 21),
}


@pytest.mark.parametrize("path", REFUSED.values(), ids=REFUSED.keys())
def test_a_name_that_some_system_refuses_is_refused(path: str) -> None:
    assert name_faults([path])
    with pytest.raises(WriteError):
        require_packable([path])


PLAIN = "a|SHA256SUMS|.hidden|payload/rhel/9/x86_64/a-1.0~rc1+b.rpm|COM|COM10|console|nul1.txt|-x|a b| leading"


@pytest.mark.parametrize("path", PLAIN.split("|"))
def test_a_plain_name_stays(path: str) -> None:
    assert name_faults([path]) == ()


@pytest.mark.parametrize(
    "paths",
    [
        ["a", "A"],
        ["a/x", "A/y"],
        ["d/stra\u00dfe", "d/STRASSE"],
        ["\u00e9", "\u00c9"],
        ["a", "a/b"],
        ["A", "a/b"],
        ["a/b", "a/b"],
    ],
)
def test_names_that_fall_together_somewhere_are_refused(paths: list[str]) -> None:
    assert all(name_faults([path]) == () for path in paths)
    assert name_faults(paths)
    assert name_faults(reversed(paths))


@pytest.mark.parametrize("path", ["\u30a8\u30fc\u30b8\u30a7\u30f3\u30c8.msi", "x" * 180, "\U0001f600"])
def test_a_plain_name_in_any_script_stays(path: str) -> None:
    assert name_faults([path]) == ()


def test_the_same_name_in_different_folders_stays() -> None:
    assert name_faults(["a/x", "b/X", "c/x/y", "c/y/x"]) == ()


def test_all_faults_are_reported() -> None:
    assert len(name_faults(["a?", "b*", "ok", "OK"])) == 3


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_text_gets_an_answer(paths: list[str]) -> None:
    for fault in name_faults(paths):
        assert fault.isprintable()
        assert fault.splitlines() == [fault]


@given(st.text(min_size=1, max_size=30))
def test_what_stays_is_safe_to_join(path: str) -> None:
    if not name_faults([path]):
        parts = path.split("/")
        assert all(part.strip(". ") or part[0] in " ." for part in parts)
        assert not {"", ".", ".."} & set(parts)
        assert unicodedata.normalize("NFC", path) == path
        path.encode()
