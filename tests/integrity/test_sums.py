from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.integrity import sums

_digest = st.text("0123456789abcdef", min_size=64, max_size=64)
_path = st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1)


@given(st.dictionaries(_path, _digest))
def test_written_input_is_read(digests: dict[str, str]) -> None:
    document = sums.render(digests.items())
    assert dict(sums.parse(document)) == digests
    assert sums.render(reversed(digests.items())) == document


@given(st.binary())
def test_anything_else_is_a_value_error(document: bytes) -> None:
    try:
        pairs = sums.parse(document)
    except ValueError:
        return
    assert sums.render(pairs) == document


@pytest.mark.parametrize(
    "document",
    [
        "0" * 64 + "  a",
        "0" * 63 + "  a\n",
        "0" * 64 + " a\n",
        "0" * 64 + " *a\n",
        "A" * 64 + "  a\n",
        "0" * 64 + "  \n",
        "\n",
        "0" * 64 + "  b\n" + "0" * 64 + "  a\n",
        "\\" + "0" * 64 + "  a\\\\b\n",
    ],
)
def test_near_misses(document: str) -> None:
    with pytest.raises(ValueError, match="sorted list"):
        sums.parse(document.encode())


def test_the_order_is_that_of_bytes() -> None:
    lines = sums.render((path, "0" * 64) for path in ("a/b", "a.b", "B", "\u00e9", "z", "\U0001f600", "\uffee"))
    assert [path for path, _ in sums.parse(lines)] == ["B", "a.b", "a/b", "z", "\u00e9", "\uffee", "\U0001f600"]
