"""Converting addresses to URIs; valid URIs stay unchanged."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.formats.in_toto import to_uri


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("https://x.example:8443/a%20b/~c?d=e&f=(g)#h", "https://x.example:8443/a%20b/~c?d=e&f=(g)#h"),
        ("https://[::1]:443/a", "https://[::1]:443/a"),
        ("https://x.example/a b/東", "https://x.example/a%20b/%E6%9D%B1"),
        ("file:at hand/100%?#[a].msi", "file:at%20hand/100%25%3F%23%5Ba%5D.msi"),
        ("file:C:/x.msi", "file:C%3A/x.msi"),
        ("https://x.example/100%/%7B%r", "https://x.example/100%25/%7B%25r"),
    ],
)
def test_addresses(address, written):
    assert to_uri(address) == written


@given(st.text(st.characters(codec="utf-8")))
def test_only_what_a_uri_may_hold_comes_out(address):
    assert re.fullmatch(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*", to_uri(address))
