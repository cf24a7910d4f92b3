"""Facts of rpm packages, and the order of rpm versions."""

from __future__ import annotations

import contextlib
import io
import shutil
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.formats import rpm as reader
from bundler.formats import rpm_version
from bundler.formats.rpm import RpmError
from bundler.model.evidence import PackageFacts
from tests.support.packages import (
    BIN,
    INT32,
    INT64,
    PAYLOAD,
    STRING,
    STRING_ARRAY,
    header,
    header_fields,
    lead,
    rpm,
    rpm_with,
)

FACTS = PackageFacts(
    name="azcmagent",
    version="1.67.03504-1320",
    architecture="x86_64",
    depends=("glibc >= 2.17", "shadow-utils"),
    installed_size=4711,
    license="LAB licence",
    supplier="LAB",
)


def facts(data: bytes) -> PackageFacts:
    return reader.facts(io.BytesIO(data))


def reason(data: bytes) -> str:
    with pytest.raises(RpmError) as caught:
        facts(data)
    return caught.value.reason


def main(**changes) -> bytes:
    """An rpm with changed fields in its main header: ``t1003=(INT32, [1])``; None removes one."""
    fields = header_fields(PAYLOAD)
    for name, change in changes.items():
        fields[int(name[1:])] = change
    return rpm_with(header({tag: value for tag, value in fields.items() if value}, 63), {1000: (INT32, [0])})


def test_facts_are_read() -> None:
    assert facts(rpm()) == FACTS


def test_an_epoch_stands_before_the_version_unless_it_is_0() -> None:
    assert facts(main(t1003=(INT32, [2]))).version == "2:1.67.03504-1320"
    assert facts(main(t1003=(INT32, [0]))).version == "1.67.03504-1320"


def test_long_sizes_win() -> None:
    assert facts(main(t5009=(INT64, [5 << 32]))).installed_size == 5 << 32


def test_real_packages(corpus: Path) -> None:
    with (corpus / "rpm" / "good-packages-microsoft-prod.rpm").open("rb") as file:
        found = reader.facts(file)
    assert (found.name, found.version, found.architecture) == ("packages-microsoft-prod", "1.1-2", "noarch")
    assert (found.license, found.installed_size) == ("MIT", 2536)
    assert "fedora-release < 41" in found.depends


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "truncated"),
        (rpm()[:50], "truncated"),
        (rpm()[:110], "truncated"),
        (rpm()[:400], "truncated"),
        (b"<html>", "html"),
        (b"something else" * 20, "malformed"),
        (rpm().replace(lead(), lead()[:7] + b"\x01" + lead()[8:]), "unsupported"),
        (rpm().replace(lead(), lead()[:4] + b"\x09" + lead()[5:]), "unsupported"),
        (rpm().replace(lead(), lead()[:-1] + b"\x01"), "malformed"),
        (rpm().replace(lead(), lead("a\0b")), "malformed"),
        (main(t1000=None), "malformed"),
        (main(t1000=(INT32, [1])), "malformed"),
        (main(t1000=(STRING, "../a")), "malformed"),
        (main(t1001=(STRING, "1 2")), "malformed"),
        (main(t1001=(STRING, "1:2")), "malformed"),
        (main(t1022=(STRING, "")), "malformed"),
        (main(t1050=(STRING_ARRAY, ["one"])), "malformed"),
        (main(t1014=(BIN, b"x")), "malformed"),
        (rpm_with(header(header_fields(PAYLOAD), 63)[:-20] + bytes(20), {1000: (INT32, [0])}), "malformed"),
        (rpm_with(header(header_fields(PAYLOAD), 62), {1000: (INT32, [0])}), "malformed"),
    ],
)
def test_each_fault_has_its_reason(data: bytes, why: str) -> None:
    assert reason(data) == why


def test_a_tag_outside_the_signed_region_is_refused() -> None:
    fields = header_fields(PAYLOAD)
    del fields[1001]
    dribbled = header(fields, 63, dribbles={1001: (STRING, "9.9.9")})
    assert reason(rpm_with(dribbled, {1000: (INT32, [0])})) == "malformed"


def test_a_tag_twice_is_refused() -> None:
    blob = header({**header_fields(PAYLOAD), 1004: (STRING, "twice")}, 63)
    twice = blob.replace(struct.pack(">Ii", 1004, STRING), struct.pack(">Ii", 1000, STRING))
    assert twice != blob
    assert reason(rpm_with(twice, {1000: (INT32, [0])})) == "duplicate"


def test_a_string_without_end_is_refused() -> None:
    blob = header({**header_fields(PAYLOAD), 9999: (STRING_ARRAY, ["a"])}, 63)
    damaged = blob.replace(struct.pack(">Ii", 9999, STRING_ARRAY), struct.pack(">Ii", 1014, STRING_ARRAY))
    assert reason(rpm_with(damaged, {1000: (INT32, [0])})) == "duplicate"


@pytest.mark.parametrize("count", [0, 5000, 0xFFFFFFFF])
def test_a_header_that_claims_to_be_enormous_is_refused_unread(count: int) -> None:
    data = lead() + b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", count, 0xFFFFFFF0) + b"x" * 100
    assert reason(data) == "too-big"


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_damage_raises_only_the_documented_error(data) -> None:
    damaged = bytearray(rpm())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(90, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RpmError):
        facts(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))


letters = st.text("012.ab~^_+", min_size=1, max_size=7).filter(rpm_version.is_version)


@pytest.mark.skipif(not shutil.which("rpm"), reason="needs rpm")
@given(st.lists(st.tuples(letters, letters), min_size=20, max_size=60))
@settings(max_examples=10, deadline=None)
def test_versions_are_ordered_as_rpm_orders_them(pairs: list[tuple[str, str]]) -> None:
    calls = "".join(f"print(rpm.vercmp('{one}', '{other}')..' ') " for one, other in pairs)
    run = subprocess.run(["rpm", "--eval", f"%{{lua:{calls}}}"], check=True, capture_output=True, text=True)
    keys = [(rpm_version.key(one), rpm_version.key(other)) for one, other in pairs]
    assert [(a > b) - (a < b) for a, b in keys] == [int(word) for word in run.stdout.split()]


def test_versions_are_ordered() -> None:
    ordered = ["1.0~rc1-1", "1.0-1", "1.0-1.1", "1.0-2", "1.0^git1-1", "1.0.a-1", "1.0.1-1", "1.67.03504-1320", "1:0-1"]
    keys = [rpm_version.key(version) for version in ordered]
    assert all(older < newer for older, newer in pairwise(keys))


@pytest.mark.parametrize("text", ["", "1 0", "1-2-3", "a:1", "1\n", "-1", "1-", "1" * 300])
def test_invalid_versions(text: str) -> None:
    assert not rpm_version.is_version(text)
