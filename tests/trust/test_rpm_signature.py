"""Verifying rpm packages by their own signature."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import rpm as reader
from bundler.model.anchor import Anchors, PackageKey
from bundler.model.evidence import Evidence
from bundler.trust import rpm_signature
from tests.support.package_signing import NOW, Key, anchors
from tests.support.packages import (
    BIN,
    BUILT,
    INT32,
    PAYLOAD,
    STRING,
    STRING_ARRAY,
    Fields,
    header,
    header_fields,
    rpm,
    rpm_with,
    signature_fields,
)

KEY = Key()
GOOD = rpm(KEY)
LAYOUT = reader.layout(io.BytesIO(GOOD))


def verify(data: bytes, pins: Anchors | None = None) -> Evidence:
    return rpm_signature.verify(io.BytesIO(data), anchors=pins or anchors(KEY), at=NOW)


def reason(data: bytes, pins: Anchors | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        verify(data, pins)
    return caught.value.reason


def made(signature: Fields | None = None, main: Fields | None = None, payload: bytes = PAYLOAD, drop=()) -> bytes:
    """A signed rpm with other fields in its headers."""
    fields = {**header_fields(payload), **(main or {})}
    blob = header({tag: value for tag, value in fields.items() if tag not in drop}, 63)
    return rpm_with(blob, {**signature_fields(blob, payload, KEY), **(signature or {})}, payload)


def blob_without_payload_digest() -> bytes:
    return header({tag: value for tag, value in header_fields(PAYLOAD).items() if tag not in {5092, 5093}}, 63)


def test_a_signed_package_verifies() -> None:
    evidence = verify(GOOD)
    assert (evidence.method, evidence.signer, evidence.signed_at) == ("rpm-signature", KEY.user_id, BUILT)
    assert evidence.fingerprint == evidence.anchor == KEY.fingerprint


@pytest.mark.parametrize("tag", [267, 268])
def test_either_tag_of_a_header_signature_will_do(tag: int) -> None:
    blob = header(header_fields(PAYLOAD), 63)
    assert verify(rpm_with(blob, {tag: (BIN, KEY.detached(blob, BUILT))})).fingerprint == KEY.fingerprint


def test_signatures_of_format_6_verify() -> None:
    blob = header(header_fields(PAYLOAD), 63)
    other, own = [base64.b64encode(key.detached(blob, BUILT)).decode() for key in (Key("other"), KEY)]
    assert verify(rpm_with(blob, {278: (STRING_ARRAY, [own])})).fingerprint == KEY.fingerprint
    both = rpm_with(blob, {278: (STRING_ARRAY, [other, own])})
    assert verify(both, anchors(KEY, Key("other"))).fingerprint == Key("other").fingerprint
    assert reason(both) == "wrong-key"  # rpm demands that every signature verifies
    assert reason(rpm_with(blob, {278: (STRING_ARRAY, [other])})) == "wrong-key"
    assert reason(rpm_with(blob, {278: (STRING_ARRAY, [own + "\n"])})) == "malformed"
    assert reason(rpm_with(blob, {278: (STRING_ARRAY, ["!!!"])})) == "malformed"


def test_all_header_signatures_must_hold() -> None:
    assert reason(made({267: (BIN, Key("other").detached(b"something else", BUILT))})) == "wrong-key"
    assert reason(made({267: (BIN, KEY.detached(b"something else", BUILT))})) == "bad-signature"


def test_an_expired_key_is_noted() -> None:
    key = Key(expires=NOW - timedelta(days=3))
    assert "expired" in verify(rpm(key), anchors(key)).notes[0]


def test_a_stripped_signature_is_refused() -> None:
    assert reason(rpm()) == "unsigned"


def test_another_key_a_revoked_key_and_sha1_are_refused() -> None:
    assert reason(GOOD, anchors(Key("other"))) == "wrong-key"
    assert reason(GOOD, anchors(Key(revoked=True))) == "revoked-key"
    assert reason(rpm(Key(digest="sha1"))) == "weak-digest"


def test_appended_and_cut_bytes_are_refused() -> None:
    assert reason(GOOD + b"\0") == "trailing-data"
    for size in range(0, len(GOOD), 7):
        assert reason(GOOD[:size]) == "truncated"


def test_appended_and_cut_bytes_are_refused_where_no_size_is_recorded() -> None:
    blob = header(header_fields(PAYLOAD), 63)
    data = rpm_with(blob, {268: (BIN, KEY.detached(blob, BUILT))})
    verify(data)
    assert reason(data + b"\0") == reason(data[:-1]) == "digest-mismatch"


def test_another_payload_is_refused() -> None:
    other = PAYLOAD[:-9] + b"X" + PAYLOAD[-8:]
    blob = header(header_fields(PAYLOAD), 63)
    assert reason(rpm_with(blob, signature_fields(blob, other, KEY), other)) == "digest-mismatch"


def test_a_weak_payload_digest_is_refused() -> None:
    assert reason(made(main={5093: (INT32, [2])})) == "weak-digest"
    assert reason(made(main={5093: (INT32, [1])})) == "weak-digest"


def test_a_payload_that_nothing_covers_is_refused() -> None:
    assert reason(made(drop={5092, 5093})) == "no-payload-digest"


def test_an_old_signature_over_all_covers_the_payload() -> None:
    blob = blob_without_payload_digest()
    whole = {1002: (BIN, KEY.detached(blob + PAYLOAD, BUILT))}
    data = rpm_with(blob, {**signature_fields(blob, PAYLOAD, KEY), **whole})
    assert verify(data).fingerprint == KEY.fingerprint
    other = PAYLOAD[:-9] + b"X" + PAYLOAD[-8:]
    assert reason(rpm_with(blob, {**signature_fields(blob, other, KEY), **whole}, other)) == "bad-signature"


def test_an_old_signature_alone_is_not_enough() -> None:
    blob = header(header_fields(PAYLOAD), 63)
    assert reason(rpm_with(blob, {1002: (BIN, KEY.detached(blob + PAYLOAD, BUILT))})) == "unsigned"


@pytest.mark.parametrize(
    "signature", [{269: (STRING, "0" * 40)}, {273: (STRING, "0" * 64)}, {1004: (BIN, bytes(16))}, {269: (STRING, "é")}]
)
def test_a_wrong_digest_beside_it_is_refused(signature: Fields) -> None:
    assert reason(made(signature)) == "digest-mismatch"


def test_room_for_later_signatures_is_empty() -> None:
    verify(made({1008: (BIN, bytes(4128))}))
    assert reason(made({1008: (BIN, bytes(4000) + b"smuggled" + bytes(120))})) == "unexpected-data"


def test_an_unsigned_tag_is_refused() -> None:
    blob = header(header_fields(PAYLOAD), 63)
    dribbled = header(header_fields(PAYLOAD), 63, dribbles={1024: (STRING, "rm -rf /")})
    fields = signature_fields(dribbled, PAYLOAD, KEY)
    fields[268] = (BIN, KEY.detached(blob, BUILT))  # what rpm would check: the region alone
    assert reason(rpm_with(dribbled, fields)) == "malformed"


def test_other_files_are_refused(corpus: Path) -> None:
    assert reason(b"") == "truncated"
    assert reason((corpus / "damaged" / "html-page.msi").read_bytes()) == "html"
    assert reason((corpus / "damaged" / "truncated.msi").read_bytes()) == "malformed"


@given(st.integers(LAYOUT.header_offset, len(GOOD) - 1), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_any_flipped_byte_of_header_and_payload_is_refused(position: int, flip: int) -> None:
    changed = bytearray(GOOD)
    changed[position] ^= flip
    reason(bytes(changed))


@given(st.integers(0, LAYOUT.header_offset - 1), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_a_flipped_byte_before_the_header_is_refused_or_changes_nothing(position: int, flip: int) -> None:
    changed = bytearray(GOOD)
    changed[position] ^= flip
    try:
        evidence = verify(bytes(changed))
    except VerificationError:
        return
    assert evidence == verify(GOOD)
    assert reader.facts(io.BytesIO(bytes(changed))) == reader.facts(io.BytesIO(GOOD))


class TestMicrosoft:
    """The real package, and the same with its signature stripped."""

    def pins(self, corpus: Path) -> Anchors:
        fingerprint = "BC528686B50D79E339D3721CEB3E94ADBE1229CF"
        armored = (corpus / "keys" / "microsoft.asc").read_text()
        pin = PackageKey(name="Microsoft", fingerprint=fingerprint, armored=armored, source="corpus")
        return Anchors(name="Microsoft", package_keys=(pin,))

    def test_real_package_verifies(self, corpus: Path) -> None:
        evidence = verify((corpus / "rpm" / "good-packages-microsoft-prod.rpm").read_bytes(), self.pins(corpus))
        assert evidence.signer == "Microsoft (Release signing) <gpgsecurity@microsoft.com>"
        assert f"{evidence.signed_at:%Y-%m-%d}" == "2025-01-27"

    def test_stripped_is_refused(self, corpus: Path) -> None:
        data = (corpus / "rpm" / "bad-signature-stripped.rpm").read_bytes()
        assert reason(data, self.pins(corpus)) == "unsigned"

    def test_flipped_is_refused(self, corpus: Path) -> None:
        data = (corpus / "rpm" / "good-packages-microsoft-prod.rpm").read_bytes()
        begin = reader.layout(io.BytesIO(data)).header_offset
        for position in range(begin, len(data), 61):
            changed = bytearray(data)
            changed[position] ^= 1
            reason(bytes(changed), self.pins(corpus))


TOOLS = ("gpg", "rpmbuild", "rpmsign")


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
def test_a_package_of_rpmbuild_and_rpmsign_verifies(tmp_path: Path) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)

    def run(*command: str) -> bytes:
        environment = {"PATH": "/usr/bin:/bin", "GNUPGHOME": str(home), "HOME": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=environment).stdout

    run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "LAB <lab@localhost>", "rsa2048", "sign", "never")
    armored = run("gpg", "--armor", "--export").decode()
    fingerprint = run("gpg", "--with-colons", "--list-keys").decode().partition("fpr:::::::::")[2][:40]
    (tmp_path / "lab.spec").write_text(
        "Name: lab\nVersion: 1.67.03504\nRelease: 1320\nSummary: LAB\nLicense: LAB\nBuildArch: noarch\n"
        "Requires: bash >= 4\n%description\nLAB\n%install\nmkdir -p %{buildroot}/opt\necho lab > %{buildroot}/opt/lab\n"
        "%files\n/opt/lab\n"
    )
    run("rpmbuild", "--define", f"_topdir {tmp_path}/top", "-bb", "lab.spec")
    package = next((tmp_path / "top" / "RPMS").rglob("*.rpm"))
    pins = Anchors(
        name="LAB", package_keys=(PackageKey(name="gpg", fingerprint=fingerprint, armored=armored, source="gpg"),)
    )
    assert reason(package.read_bytes(), pins) == "unsigned"
    run("rpmsign", "--define", "__gpg /usr/bin/gpg", "--define", f"_gpg_name {fingerprint}", "--addsign", str(package))
    run("gpgconf", "--kill", "all")
    data = package.read_bytes()
    assert verify(data, pins).fingerprint == fingerprint
    found = reader.facts(io.BytesIO(data))
    assert (found.name, found.version, found.architecture) == ("lab", "1.67.03504-1320", "noarch")
    assert "bash >= 4" in found.depends
    assert reason(data + b"\0", pins) == "trailing-data"


def test_a_large_package_is_verified_in_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "big.rpm"
    path.write_bytes(rpm(KEY, payload=bytes(32 << 20)))
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            assert rpm_signature.verify(file, anchors=anchors(KEY), at=NOW).fingerprint == KEY.fingerprint
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()
