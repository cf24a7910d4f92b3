"""Which word was probably meant?"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


def nearest(word: str, words: Sequence[str]) -> str:
    """``; did you mean 'ubuntu'?`` where one of ``words`` is near, otherwise nothing."""
    by_fold = {one.casefold(): one for one in words}
    near = get_close_matches(word.casefold(), by_fold, 1, 0.6)
    return f"; did you mean {by_fold[near[0]]!r}?" if near else ""
