"""What people choose is called weak, what a generator makes is not; the password is in no message."""

from __future__ import annotations

import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.formats.password_strength import ENOUGH, bits

WEAK = [
    "", "x", "hunter2", "password", "Passw0rd!", "P@ssw0rd2026", "Summer2026!", "12345678", "1234567890", "qwertyuiop",
    "aaaaaaaaaaaaaaaa", "abababababab", "Contoso2026", "Tokyo-2026", "arcserver", "letmein123", "geheim", "Tr0ub4dor&3",
    "20261130", "0312345678", "azure arc", "server server server server", "abcdefghijkl", "iloveyou2", "s3cr3t",
    "Admin123!",
]  # fmt: skip
STRONG = [
    "correct horse battery staple", "wagon-orbit-velvet-canyon-mulch", "xK9#mQ2$vL7p", "q7Zt4Lw9Rb2Xs",
    "東京の空は今日も青い", "bhqzkjwtrxvmpl", "8fJ2-kQ9z-Lm4X-7pRt",
]  # fmt: skip


@pytest.mark.parametrize("password", WEAK)
def test_what_people_choose_is_weak(password: str) -> None:
    assert bits(password) < ENOUGH


@pytest.mark.parametrize("password", STRONG)
def test_long_and_random_ones_are_not(password: str) -> None:
    assert bits(password) >= ENOUGH


def test_hardly_any_generated_password_is_called_weak() -> None:
    letters = string.ascii_letters + string.digits + "!#$%&()*+,-./:;<=>?@[]^_{|}~"
    made = ["".join(secrets.choice(letters) for _ in range(14)) for _ in range(500)]
    assert sum(bits(one) < ENOUGH for one in made) <= 5


@given(st.text())
def test_any_text_has_an_estimate(password: str) -> None:
    assert 0.0 <= bits(password) < 1e6
