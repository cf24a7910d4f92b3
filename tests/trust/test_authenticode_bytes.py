"""Changing any byte of a signed file is detected, and no bytes cause another error than a refusal."""

from __future__ import annotations

import io
import struct
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import authenticode as der
from bundler.formats import compound_file, msi_signature, portable_executable
from bundler.formats.compound_file import CompoundFile
from bundler.lab import authenticode_signer
from tests.support.authenticode_material import good, pe, verify

KINDS = ("msi", "pe", "ps1")
STRIDE = 23


@lru_cache
def signature_bytes(kind: str) -> frozenset[int]:
    """Where the PKCS#7 lies: its own length and tags of parameters are not signed, all that it says is."""
    content = good(kind)
    if kind == "msi":
        held = CompoundFile(io.BytesIO(content))
        places = held._places[id(held.stream(msi_signature.SIGNATURE))]
        return frozenset(at for offset, length in places for at in range(offset, offset + length))
    if kind == "pe":
        return frozenset(range(portable_executable.layout(io.BytesIO(content)).table + 8, len(content)))
    return frozenset(range(content.index(b"# SIG # Begin"), len(content)))


@lru_cache
def free_bytes(kind: str) -> frozenset[int]:
    """What no signature covers and no reader looks at, as the readers' docstrings say."""
    content = good(kind)
    if kind == "ps1":
        return frozenset()
    if kind == "pe":
        checksum = portable_executable.layout(io.BytesIO(content)).checksum
        return frozenset(range(checksum, checksum + 4))
    held = CompoundFile(io.BytesIO(content))
    owned = set()
    for places in held._places.values():
        owned |= {at for offset, length in places for at in range(offset, offset + length)}
    directory = content.index("Root Entry".encode("utf-16-le"))
    mini_fat = (struct.unpack_from("<I", content, 60)[0] + 1) * 512
    colours = range(directory + 67, mini_fat, 128)
    root_times = range(directory + 100, directory + 116)
    unused = range(mini_fat + held.root.size // 64 * 4, mini_fat + 512)
    slack = set(range(512, directory)) - owned
    return frozenset([*range(52, 56), *root_times, *colours, *slack, *unused])


def verdict(content: bytes, kind: str):
    try:
        return verify(content, kind)
    except VerificationError:
        return None


@pytest.mark.parametrize("bit", [0, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_refused(kind, bit):
    content, expected = good(kind), verify(good(kind), kind)
    unseen = set()
    for at in range(bit, len(content), STRIDE):
        changed = bytearray(content)
        changed[at] ^= 1 << bit
        found = verdict(bytes(changed), kind)
        assert found in (None, expected), "a changed file must not get another verdict"
        if found:
            unseen.add(at)
    assert unseen <= signature_bytes(kind) | free_bytes(kind)
    in_signature = unseen & signature_bytes(kind)
    assert len(in_signature) * STRIDE < len(signature_bytes(kind)) / 20


@pytest.mark.parametrize("kind", KINDS)
def test_nearly_every_byte_counts(kind):
    """Or the test above would prove nothing."""
    counted = set(range(len(good(kind)))) - free_bytes(kind)
    assert len(counted) > 0.8 * len(good(kind))


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(KINDS), cut=st.floats(0, 1, exclude_max=True))
def test_a_part_of_a_file_is_refused(kind, cut):
    content = good(kind)
    assert verdict(content[: int(len(content) * cut)], kind) is None


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(KINDS), addition=st.binary(min_size=1, max_size=1024))
def test_an_addition_is_refused(kind, addition):
    assert verdict(good(kind) + addition, kind) is None


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    start=st.floats(0, 1, exclude_max=True),
    removed=st.integers(0, 64),
    added=st.binary(max_size=64),
)
def test_a_splice_is_refused_or_changes_nothing(kind, start, removed, added):
    content = good(kind)
    at = int(len(content) * start)
    spliced = content[:at] + added + content[at + removed :]
    found = verdict(spliced, kind)
    if found and spliced != content:
        assert found == verify(content, kind)
        assert len(spliced) == len(content)


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(KINDS), content=st.binary(max_size=4096))
def test_noise_is_refused(kind, content):
    head = {"msi": compound_file.MAGIC, "pe": b"MZ", "ps1": b"# SIG # Begin signature block\r\n"}[kind]
    assert verdict(content, kind) is None
    assert verdict(head + content, kind) is None


@settings(max_examples=400, deadline=None)
@given(noise=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_signature_with_noise_raises_nothing_else(noise):
    """Straight into the DER: the parsers behind raise all kinds of errors, of which none may come through."""
    content = bytearray(good("pe"))
    table = portable_executable.layout(io.BytesIO(good("pe"))).table + 8
    for place, value in noise:
        content[table + int((len(content) - table) * place)] = value
    found = verdict(bytes(content), "pe")
    assert found in (None, verify(good("pe"), "pe"))


def hostile(content: bytes = b"0\0", certificates=(), infos=()) -> bytes:
    return authenticode_signer.signed_data(1, der.SPC_INDIRECT_DATA, content, certificates, infos, "sha256")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "signature",
    [
        hostile(certificates=[b"0\0"] * 120_000),
        hostile(infos=[b"0\0"] * 120_000),
        hostile(content=b"0\0" * 300_000),
        hostile(content=b"\x30\x80" * 50_000),
        b"\x30\x82\xff\xff" * 60_000,
        b"\x30\x80" * 120_000,
    ],
    ids=["certificates", "signers", "content", "depth", "lengths", "indefinite"],
)
def test_a_signature_made_to_keep_us_busy_is_refused(signature):
    assert verdict(authenticode_signer.with_certificate_table(pe(), signature), "pe") is None
