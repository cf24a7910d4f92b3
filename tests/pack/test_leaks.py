"""The scan for secrets before packing finds them anywhere and in any encoding."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import PolicyError
from bundler.model.tree import Blob, Entry, Tree
from bundler.pack import content, leaks

SECRET = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40)


def tree(*entries: Entry) -> Tree:
    return Tree("t", entries, datetime(2026, 1, 1, tzinfo=timezone.utc))


@given(SECRET, st.binary(max_size=30), st.binary(max_size=30), st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]))
def test_a_known_secret_is_found_plain_and_in_base64(secret, before, after, encoding):
    plain = before + secret.encode(encoding) + after
    for packed in (plain, base64.b64encode(plain), base64.urlsafe_b64encode(plain)):
        with pytest.raises(PolicyError) as refused:
            leaks.refuse(tree(Entry("payload/a", packed)), known=[secret])
        assert refused.value.details == ("payload/a: the secret that this build was given",)


@pytest.mark.parametrize(
    "secret", ['it\'s "quoted"', "back\\slash's", "<angle>&'s", "日本語の秘密です", "a\udcffb-not-text"]
)
def test_a_known_secret_is_found_as_our_own_files_escape_it(secret):
    for packed in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), html.escape(secret)):
        with pytest.raises(PolicyError):
            leaks.refuse(tree(Entry("manifest.json", packed.encode("utf-8", "surrogateescape"))), known=[secret])


def test_what_the_definition_s_writer_put_among_others_files_is_looked_at():
    for path in ("payload/keys/A.asc", "payload/certificates/root/x.crt", "evidence/anchors.json"):
        with pytest.raises(PolicyError):
            leaks.refuse(tree(Entry(path, b"-----BEGIN PGP PRIVATE KEY BLOCK-----")))


def test_a_known_secret_across_two_pieces_of_a_file_is_found(tmp_path):
    held = bytes(content.CHUNK - 5) + b"opaque-value" + bytes(100)
    (tmp_path / "package").write_bytes(held)
    blob = Blob(tmp_path / "package", len(held), hashlib.sha256(held).hexdigest())
    with pytest.raises(PolicyError):
        leaks.refuse(tree(Entry("payload/package", blob)), known=["opaque-value"])
    leaks.refuse(tree(Entry("payload/package", blob)), known=["another-value"])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("abc8Q~0123456789012345678901234567890123", "a client secret"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("-----BEGIN PRIVATE KEY-----", "a private key"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx", "a token"),
        ("https://x/?sv=1&sig=abcdefghijklmnop%3D", "a shared access signature"),
    ],
)
def test_what_looks_like_a_secret_is_found_in_what_we_write_and_left_in_what_others_wrote(text, what):
    with pytest.raises(PolicyError) as refused:
        leaks.refuse(tree(Entry("config/settings.json", text.encode())))
    assert refused.value.details == (f"config/settings.json: {what}",)
    assert text not in str(refused.value.details)
    leaks.refuse(tree(Entry("payload/x.deb", text.encode()), Entry("evidence/InRelease", text.encode())))
    leaks.refuse(tree(Entry("config/secret", text.encode())), meant=frozenset(["config/secret"]))
