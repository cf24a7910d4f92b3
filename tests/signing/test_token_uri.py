"""Parsing ``pkcs11:`` addresses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import UsageError
from bundler.signing.token_uri import TokenUri, parse


def test_all_that_is_known():
    uri = (
        "pkcs11:token=The%20Seals;serial=0001;manufacturer=SoftHSM;model=v2;object=arc%3Bseal;id=%01%ff;type=private;"
        "slot-id=7?module-path=/usr/lib/x.so&pin-source=file:/etc/pin"
    )
    assert parse(uri) == TokenUri(
        token="The Seals",
        serial="0001",
        manufacturer="SoftHSM",
        model="v2",
        object="arc;seal",
        id=b"\x01\xff",
        slot_id=7,
        module_path="/usr/lib/x.so",
        pin_file=Path("/etc/pin"),
    )


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("file:/etc/pin", "/etc/pin"),
        ("file:///etc/pin", "/etc/pin"),
        ("/etc/pin", "/etc/pin"),
        ("pin", "pin"),
        ("file:///C:/pin", "C:/pin"),
    ],
)
def test_where_the_pin_is(source, path):
    assert parse(f"pkcs11:?pin-source={source}").pin_file == Path(path)


def test_an_empty_one_demands_nothing():
    assert parse("pkcs11:") == TokenUri()


@pytest.mark.parametrize(
    ("uri", "word"),
    [
        ("token=x", "does not start with pkcs11:"),
        ("", "does not start with pkcs11:"),
        ("pkcs11:token=a;token=b", "twice"),
        ("pkcs11:tokne=a", "'tokne' is not one of"),
        ("pkcs11:token", "'token' is not one of"),
        ("pkcs11:type=cert", "only a private key signs"),
        ("pkcs11:slot-id=x", "slot-id"),
        ("pkcs11:token=%zz", "two hex digits"),
        ("pkcs11:token=%ff", "not UTF-8"),
        ("pkcs11:token=%00", "NUL"),
        ("pkcs11:?module-name=x", "'module-name' is not one of"),
        ("pkcs11:?pin-source=|cat", "pin-source is not a file"),
        ("pkcs11:?pin-source=https://x", "pin-source is not a file"),
    ],
)
def test_refused_input(uri, word):
    with pytest.raises(UsageError) as caught:
        parse(uri)
    assert word in caught.value.what
    assert "pkcs11:token=Seals" in caught.value.do


def test_a_pin_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(UsageError) as caught:
        parse("pkcs11:token=x?pin-value=987654")
    assert "every user of this computer can read" in caught.value.what
    assert "987654" not in " ".join((caught.value.what, *caught.value.details, caught.value.do))


@given(st.text(max_size=60))
def test_no_text_makes_more_than_a_usage_error(text):
    for uri in (text, "pkcs11:" + text, "pkcs11:token=a?" + text):
        try:
            found = parse(uri)
        except UsageError:
            continue
        assert isinstance(found, TokenUri)
