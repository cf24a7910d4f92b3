"""What a library pushes arrives at the iterator, its errors are raised, and closing ends it quietly."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.pack.push_to_iterator import ReaderGone, push_to_iterator


@given(st.lists(st.integers()))
def test_what_is_pushed_is_pulled_in_order(items):
    assert list(push_to_iterator(lambda emit: [emit(item) for item in items] and None)) == items


@given(st.lists(st.integers(), max_size=9))
def test_what_the_producer_raises_comes_after_what_it_emitted(items):
    def push(emit):
        for item in items:
            emit(item)
        raise ValueError("broken")

    pulled = push_to_iterator(push)
    assert [next(pulled) for _ in items] == items
    with pytest.raises(ValueError, match="broken"):
        next(pulled)


@pytest.mark.parametrize("answer", ["passes it on", "swallows it", "fails because of it"])
def test_leaving_ends_the_producer_without_a_word(answer, capfd, monkeypatch):
    failures = []
    monkeypatch.setattr(threading, "excepthook", failures.append)

    def push(emit):
        try:
            while True:
                emit(1)
        except ReaderGone:
            if answer == "passes it on":
                raise
            if answer == "fails because of it":
                raise OSError("closed") from None

    before = threading.active_count()
    pulled = push_to_iterator(push)
    assert next(pulled) == 1
    pulled.close()
    assert threading.active_count() == before
    assert failures == []
    assert capfd.readouterr() == ("", "")
