"""The place of the signature in PE files and scripts, and the bytes that it covers."""

from __future__ import annotations

import hashlib
import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import portable_executable, powershell_signature
from bundler.formats.portable_executable import SignedImage
from bundler.formats.powershell_signature import SignedScript
from tests.support.authenticode_material import good, pe, ps1


def image_reason(content: bytes) -> str:
    with pytest.raises(VerificationError) as caught:
        SignedImage(io.BytesIO(content))
    return caught.value.reason


def script_reason(content: bytes) -> str:
    with pytest.raises(VerificationError) as caught:
        SignedScript(io.BytesIO(content))
    return caught.value.reason


def layout() -> portable_executable.Layout:
    return portable_executable.layout(io.BytesIO(good("pe")))


def with_entry(length: int, revision: int = 0x200, kind: int = 2) -> bytes:
    content = bytearray(good("pe"))
    struct.pack_into("<IHH", content, layout().table, length, revision, kind)
    return bytes(content)


class TestImages:
    def test_the_digest_leaves_out_three_places_alone(self):
        content, place = good("pe"), layout()
        kept = content[: place.checksum] + content[place.checksum + 4 : place.directory]
        kept += content[place.directory + 8 : place.table]
        assert SignedImage(io.BytesIO(content)).digest("sha256") == hashlib.sha256(kept).digest()

    def test_an_image_without_a_signature(self):
        assert image_reason(pe()) == "unsigned"

    @pytest.mark.parametrize(
        "content", [b"", b"MZ", b"MZ" + bytes(62), b"MZ" + bytes(58) + b"\xff\xff\xff\xff", b"\x7fELF"]
    )
    def test_no_image(self, content):
        assert image_reason(content) == "unknown-kind"

    @pytest.mark.parametrize("changes", [{"revision": 0x100}, {"kind": 1}, {"kind": 0xEF}])
    def test_another_kind_of_certificate(self, changes):
        assert image_reason(with_entry(layout().table_size, **changes)) == "malformed"

    @pytest.mark.parametrize("length", [0, 8, 100, 1 << 30])
    def test_another_length(self, length):
        assert image_reason(with_entry(length)) == "malformed"

    def test_a_table_inside_of_the_headers(self):
        content = bytearray(good("pe"))
        struct.pack_into("<II", content, layout().directory, 8, len(content) - 8)
        assert image_reason(bytes(content)) == "malformed"

    def test_an_optional_header_too_small_for_its_directories(self):
        content = bytearray(good("pe"))
        struct.pack_into("<H", content, 64 + 20, 8)
        assert image_reason(bytes(content)) == "malformed"

    def test_fewer_directories_than_a_signature_needs(self):
        content = bytearray(good("pe"))
        struct.pack_into("<I", content, 64 + 24 + 108, 4)
        assert image_reason(bytes(content)) == "unsigned"

    @settings(max_examples=200, deadline=None)
    @given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
    def test_noise_in_the_headers_raises_nothing_else(self, at, value):
        content = good("pe")
        try:
            image = SignedImage(io.BytesIO(content[:at] + value + content[at + len(value) :]))
        except VerificationError:
            return
        assert image.pkcs7


class TestScripts:
    def test_the_digest_is_over_the_text_as_utf_16(self):
        expected = hashlib.sha256(ps1().decode().encode("utf-16-le")).digest()
        assert SignedScript(io.BytesIO(good("ps1"))).digest("sha256") == expected

    @pytest.mark.parametrize("raw", [b"a\r\n", b"\xef\xbb\xbfa", "\ufeffa".encode("utf-16-le"), b""])
    def test_a_block_comes_back(self, raw):
        whole = powershell_signature.with_block(raw, b"signature" * 30)
        script = SignedScript(io.BytesIO(whole))
        assert script.pkcs7 == b"signature" * 30
        text = powershell_signature.decode(raw)
        assert script.digest("sha256") == powershell_signature.text_digest(text, "sha256")

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            (b"# SIG # End", b"# SIG # Ent", "malformed"),
            (b"\r\n# MI", b"\r\nMI", "malformed"),
            (b"\r\n# MI", b"\r\n# !I", "malformed"),
            (b"\r\n# SIG # Begin", b"\n# SIG # Begin", "line-endings"),
            (b"Begin signature block\r\n", b"Begin signature block\n", "line-endings"),
            (b"# SIG # Begin", b"# SIG # begin", "unsigned"),
        ],
    )
    def test_a_malformed_block(self, old, new, expected):
        assert old in good("ps1")
        assert script_reason(good("ps1").replace(old, new, 1)) == expected

    def test_base64_has_one_reading(self):
        whole = powershell_signature.with_block(b"", b"a")
        assert SignedScript(io.BytesIO(whole)).pkcs7 == b"a"
        assert script_reason(whole.replace(b"YQ==", b"YR==")) == "malformed"
        assert script_reason(whole.replace(b"YQ==", b"YQ=")) == "malformed"

    @given(st.binary(max_size=400))
    def test_any_bytes_raise_nothing_else(self, content):
        assert script_reason(content) in {"unsigned", "unknown-kind", "malformed"}

    def test_a_script_larger_than_any(self, monkeypatch):
        monkeypatch.setattr(powershell_signature, "MAX_SIZE", 10)
        assert script_reason(b"x" * 11) == "too-large"
