"""Parts of a signature that are read alone: what is no such part is answered by False, never by an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.formats import der, signature_form

_BITS = der.value(0x03, b"\0\1")
_ALGORITHM = der.value(0x30, der.value(0x06, b"\x2a"))


def _sequence(parts: list[bytes]) -> bytes:
    return der.value(0x30, b"".join(parts))


def certificate(*signed: bytes, algorithm: bytes = _ALGORITHM) -> bytes:
    return der.value(0x30, der.value(0x30, b"".join(signed)) + algorithm + _BITS)


def test_a_certificate_names_one_algorithm_twice() -> None:
    assert signature_form.is_whole_certificate(certificate(der.value(0x02, b"\1"), _ALGORITHM, der.value(0x30, b"")))


@pytest.mark.parametrize(
    "document",
    [
        certificate(),
        certificate(der.value(0x02, b"\1")),
        certificate(_ALGORITHM, algorithm=der.value(0x30, b"")),
        der.value(0x30, b""),
        b"",
    ],
    ids=["nothing signed", "no algorithm signed", "another algorithm", "an empty sequence", "no bytes"],
)
def test_what_names_no_algorithm_is_no_certificate(document: bytes) -> None:
    assert not signature_form.is_whole_certificate(document)


@given(st.recursive(st.binary(max_size=4), lambda inner: st.lists(inner, max_size=4).map(_sequence), max_leaves=12))
def test_any_der_is_answered(document: bytes) -> None:
    signature_form.is_whole_certificate(document)
    signature_form.is_plain_algorithm(document)
