"""Verifying Debian packages by their own signature."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import deb as reader
from bundler.formats.parse_error import ParseError
from bundler.lab.openpgp import armor
from bundler.model.anchor import Anchors, PackageKey
from bundler.model.evidence import Evidence
from bundler.trust import debsigs
from tests.support.package_signing import NOW, Key, anchors
from tests.support.packages import BUILT, PACK, ar, deb, deb_members, signed_members

KEY = Key()
SIGNED = signed_members(deb_members(), KEY)
GOOD = ar(SIGNED)


def verify(data: bytes, pins: Anchors | None = None) -> Evidence:
    return debsigs.verify(io.BytesIO(data), anchors=pins or anchors(KEY), at=NOW)


def reason(data: bytes, pins: Anchors | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        verify(data, pins)
    return caught.value.reason


@pytest.mark.parametrize("suffix", sorted(PACK))
def test_a_signed_package_verifies(suffix: str) -> None:
    evidence = verify(deb(KEY, suffix=suffix))
    assert (evidence.method, evidence.signer, evidence.anchors) == ("debsigs", KEY.user_id, "LAB")
    assert evidence.fingerprint == evidence.anchor == KEY.fingerprint
    assert evidence.signed_at == BUILT
    assert evidence.documents == ()


def test_an_unarmored_signature_verifies() -> None:
    data = b"".join(content for _, content in deb_members())
    assert verify(ar([*deb_members(), ("_gpgorigin", KEY.detached(data, BUILT))])).fingerprint == KEY.fingerprint


def test_an_expired_key_is_noted() -> None:
    key = Key(expires=NOW - timedelta(days=3))
    assert "expired" in verify(deb(key), anchors(key)).notes[0]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_flipped_data_is_refused(index: int) -> None:
    name, content = SIGNED[index]
    changed = [*SIGNED]
    changed[index] = (name, content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    assert reason(ar(changed)) in {"bad-signature", "unsupported"}


def test_a_stripped_signature_is_refused() -> None:
    assert reason(ar(SIGNED[:3])) == "unsigned"


@pytest.mark.parametrize("place", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["_gpgbuilder", "_gpgorigin", "extra", "control.tar.zst", "data.tar"])
def test_an_extra_member_is_refused(place: int, name: str) -> None:
    assert reason(ar([*SIGNED[:place], (name, b"extra"), *SIGNED[place:]])) in {"unexpected-member", "duplicate"}


def test_members_in_another_order_are_refused() -> None:
    assert reason(ar([SIGNED[0], SIGNED[2], SIGNED[1], SIGNED[3]])) == "malformed"
    assert reason(ar([SIGNED[0], SIGNED[3], *SIGNED[1:3]])) == "unexpected-member"


@pytest.mark.parametrize("tail", [b"\0", b"\n", b"trailing bytes", b"PK\x05\x06" + bytes(18), GOOD])
def test_trailing_bytes_are_refused(tail: bytes) -> None:
    assert reason(GOOD + (b"" if len(GOOD) % 2 == 0 else b"\n") + tail) == "trailing-data"


def test_another_key_a_revoked_key_and_sha1_are_refused() -> None:
    assert reason(GOOD, anchors(Key("other"))) == "wrong-key"
    assert reason(GOOD, anchors(Key(revoked=True))) == "revoked-key"
    assert reason(deb(Key(digest="sha1"))) == "weak-digest"


def test_the_control_member_renamed_is_still_what_was_signed_or_refused() -> None:
    renamed = GOOD.replace(b"control.tar.gz  ", b"control.tar.xz  ")
    with pytest.raises(ValueError, match="compressed"):
        reader.facts(io.BytesIO(renamed))


def test_a_truncated_package_is_refused() -> None:
    for size in range(len(GOOD)):
        assert reason(GOOD[:size]) in {"truncated", "trailing-data", "unsigned", "malformed"}


def test_other_files_are_refused(corpus: Path) -> None:
    assert reason(b"") == "truncated"
    assert reason((corpus / "damaged" / "html-page.msi").read_bytes()) == "html"
    assert reason((corpus / "damaged" / "truncated.msi").read_bytes()) == "malformed"


def _headers() -> set[int]:
    """Offsets of what ar's headers say of names, dates, owners, modes: not signed; dpkg heeds the names alone."""
    layout = reader.layout(io.BytesIO(GOOD))
    members = (layout.version, layout.control, layout.data, *layout.others)
    return {offset for member in members for offset in range(member.offset - 60, member.offset - 12)}


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
@settings(max_examples=250, deadline=None)
def test_any_flipped_byte_is_refused(position: int, flip: int) -> None:
    changed = bytearray(GOOD)
    changed[position] ^= flip
    try:
        evidence = verify(bytes(changed))
    except VerificationError:
        return
    # What is left are the headers' unsigned fields and the armor's own text: the facts and the verdict are the same.
    signature = reader.layout(io.BytesIO(GOOD)).others[0]
    assert position in _headers() or position >= signature.offset
    assert evidence == verify(GOOD)
    with contextlib.suppress(ParseError):  # a name's suffix that does not fit its bytes
        assert reader.facts(io.BytesIO(bytes(changed))) == reader.facts(io.BytesIO(GOOD))


def test_the_package_of_microsoft_verifies(corpus: Path) -> None:
    fingerprint = "BC528686B50D79E339D3721CEB3E94ADBE1229CF"
    armored = (corpus / "keys" / "microsoft.asc").read_text()
    pin = PackageKey(name="Microsoft", fingerprint=fingerprint, armored=armored, source="corpus")
    data = (corpus / "deb" / "good-packages-microsoft-prod.deb").read_bytes()
    evidence = verify(data, Anchors(name="Microsoft", package_keys=(pin,)))
    assert evidence.signer == "Microsoft (Release signing) <gpgsecurity@microsoft.com>"
    assert f"{evidence.signed_at:%Y-%m-%d}" == "2023-06-15"
    for position in range(0, len(data), 37):
        changed = bytearray(data)
        changed[position] ^= 0x20
        with contextlib.suppress(VerificationError):
            assert verify(bytes(changed), Anchors(name="Microsoft", package_keys=(pin,))) == evidence


TOOLS = ("gpg", "dpkg-deb", "ar")


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
def test_a_package_of_dpkg_deb_and_gpg_verifies(tmp_path: Path) -> None:
    (tmp_path / "gnupg").mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(tmp_path / "gnupg"), "--batch", "--passphrase", ""]

    def run(*command: str) -> bytes:
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout

    run(*gpg, "--quick-generate-key", "LAB <lab@localhost>", "rsa2048", "sign", "never")
    (tmp_path / "tree" / "DEBIAN").mkdir(parents=True)
    (tmp_path / "tree" / "DEBIAN" / "control").write_text(
        "Package: lab\nVersion: 1\nArchitecture: all\nMaintainer: LAB <l@b>\nDescription: LAB\n"
    )
    run("dpkg-deb", "--root-owner-group", "-b", "tree", "a.deb")
    members = run("ar", "t", "a.deb").decode().split()
    (tmp_path / "whole").write_bytes(b"".join(run("ar", "p", "a.deb", name) for name in members))
    run(*gpg, "--output", "_gpgorigin", "--detach-sign", "whole")
    run("ar", "q", "a.deb", "_gpgorigin")
    armored = run(*gpg, "--armor", "--export").decode()
    fingerprint = run(*gpg, "--with-colons", "--list-keys").decode().partition("fpr:::::::::")[2][:40]
    run("gpgconf", "--homedir", str(tmp_path / "gnupg"), "--kill", "all")
    pin = PackageKey(name="gpg", fingerprint=fingerprint, armored=armored, source="made by gpg")
    assert (
        verify((tmp_path / "a.deb").read_bytes(), Anchors(name="LAB", package_keys=(pin,))).fingerprint == fingerprint
    )


def test_a_large_package_is_verified_in_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    members = [*deb_members()[:2], ("data.tar", bytes(32 << 20))]
    data = b"".join(content for _, content in members)
    path = tmp_path / "big.deb"
    path.write_bytes(ar([*members, ("_gpgorigin", armor("SIGNATURE", KEY.detached(data, BUILT)).encode())]))
    del data, members
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            assert debsigs.verify(file, anchors=anchors(KEY), at=NOW).fingerprint == KEY.fingerprint
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()
