"""What dpkg and rpm refuse is refused, and every byte that may change in an unsigned part is accounted for."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from bundler.errors import VerificationError
from bundler.flow.package_kinds import verify_package
from bundler.formats import ar
from bundler.formats import rpm as rpm_reader
from bundler.model.anchor import Anchors
from bundler.trust import anchors as trusted
from tests.support.package_signing import NOW, Key, anchors
from tests.support.packages import (
    BIN,
    BUILT,
    INT32,
    PACK,
    PAYLOAD,
    STRING,
    control,
    deb,
    deb_members,
    header,
    header_fields,
    rpm,
    rpm_with,
    signature_fields,
    signed_members,
    tar,
)
from tests.support.packages import (
    ar as packed,
)

KEY, OTHER = Key(), Key("other")
PINS = anchors(KEY)
HAS_DPKG = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
HAS_RPM = pytest.mark.skipif(not shutil.which("rpmkeys"), reason="needs rpmkeys")
FLIPS = (0x01, 0x0F, 0x20, 0x80)


def accepted(kind, data: bytes, pins: Anchors = PINS) -> bool:
    try:
        verify_package(io.BytesIO(data), kind, anchors=pins, at=NOW)
    except VerificationError:
        return False
    return True


def changed(data: bytes, positions: Iterable[int]) -> Iterable[tuple[int, bytes]]:
    """Each position with each flip."""
    for position in positions:
        for flip in FLIPS:
            mutant = bytearray(data)
            mutant[position] ^= flip
            yield position, bytes(mutant)


def unexplained(
    kind, data: bytes, pins: Anchors, positions: Iterable[int], explained: Mapping[str, set[int]]
) -> tuple[dict[str, list[bytes]], list[int]]:
    """The mutants that are accepted, by explanation, and the positions of those that have none."""
    found, strange = defaultdict(list), []
    for position, mutant in changed(data, positions):
        if accepted(kind, mutant, pins):
            why = next((why for why, places in explained.items() if position in places), "")
            found[why].append(mutant)
            strange += [] if why else [position]
    return found, strange


def genuine(corpus: Path, kind: str) -> bytes:
    return (corpus / kind / f"good-packages-microsoft-prod.{kind}").read_bytes()


# Debian packages


def dpkg(folder: Path, data: bytes) -> bool:
    """Whether dpkg-deb reads a package in each way in which dpkg uses it."""
    path = folder / "a.deb"
    path.write_bytes(data)
    commands = (["--info"], ["--contents"], ["--field"], ["--ctrl-tarfile"], ["--fsys-tarfile"])
    runs = [subprocess.run(["dpkg-deb", *command, path], check=False, capture_output=True) for command in commands]
    return all(run.returncode == 0 for run in runs)


def deb_explained(data: bytes) -> tuple[list[int], dict[str, set[int]]]:
    """The unsigned positions of a deb, and which of them may change."""
    members = ar.members(io.BytesIO(data))
    signed = {at for member in members[:3] for at in range(member.offset, member.offset + member.size)}
    fields = {
        "the slash behind a name, which dpkg strips": range(16),
        "a date, which dpkg ignores": range(16, 28),
        "an owner or group, which dpkg ignores": range(28, 40),
        "a mode, which dpkg ignores": range(40, 48),
    }
    explained = {why: {m.offset - 60 + at for m in members for at in span} for why, span in fields.items()}
    start = data.find(b"Version: ", members[3].offset)
    if start > 0:
        explained["the text of the armor's Version"] = set(range(start + 9, data.index(b"\n", start)))
    last_digit = members[3].offset - 60 + 48 + len(str(members[3].size)) - 1
    explained["the line end behind the armor, counted as padding"] = {last_digit}
    return [at for at in range(len(data)) if at not in signed], explained


@HAS_DPKG
@pytest.mark.parametrize("which", ["lab", "genuine"])
def test_each_flip_that_a_deb_bears_is_explained(corpus: Path, tmp_path: Path, which: str) -> None:
    data, pins = (deb(KEY), PINS) if which == "lab" else (genuine(corpus, "deb"), trusted.microsoft())
    assert accepted("deb", data, pins)
    assert dpkg(tmp_path, data)
    positions, explained = deb_explained(data)
    found, strange = unexplained("deb", data, pins, positions, explained)
    assert strange == []
    for why, mutants in found.items():
        for mutant in mutants[:: max(1, len(mutants) // 8)]:
            assert dpkg(tmp_path, mutant), why


BINARY, CONTROL, DATA = deb_members()
FIELDS = control()


def resigned(*members: tuple[str, bytes]) -> bytes:
    return packed(signed_members(list(members), KEY))


def renamed(old: bytes, new: bytes) -> bytes:
    return deb(KEY).replace(old, new, 1)


DEBS: dict[str, Callable[[], bytes]] = {
    "as it is": lambda: deb(KEY),
    "control, not compressed": lambda: deb(KEY, suffix=""),
    "control in xz": lambda: deb(KEY, suffix=".xz"),
    "control in Zstandard": lambda: deb(KEY, suffix=".zst"),
    "data in xz": lambda: resigned(BINARY, CONTROL, ("data.tar.xz", PACK[".xz"](tar({"./a": b"a"})))),
    "data, not compressed": lambda: resigned(BINARY, CONTROL, ("data.tar", tar({"./a": b"a"}))),
    "control.tar.gz named xz": lambda: renamed(b"control.tar.gz", b"control.tar.xz"),
    "control.tar.gz named bz2": lambda: renamed(b"control.tar.gz ", b"control.tar.bz2"),
    "control.tar.gz named lzma": lambda: renamed(b"control.tar.gz  ", b"control.tar.lzma"),
    "control.tar.gz named tar": lambda: renamed(b"control.tar.gz", b"control.tar   "),
    "control.tar.gz named Z": lambda: renamed(b"control.tar.gz", b"control.tar.Z "),
    "data.tar.gz named xz": lambda: renamed(b"data.tar.gz", b"data.tar.xz"),
    "data.tar.gz named zst": lambda: renamed(b"data.tar.gz ", b"data.tar.zst"),
    "data.tar.gz named bz2": lambda: renamed(b"data.tar.gz ", b"data.tar.bz2"),
    "data.tar.gz named lzma": lambda: renamed(b"data.tar.gz  ", b"data.tar.lzma"),
    "data.tar.gz named tar": lambda: renamed(b"data.tar.gz", b"data.tar   "),
    "data.tar.gz named zip": lambda: renamed(b"data.tar.gz ", b"data.tar.zip"),
    "data.tar.gz named DATA": lambda: renamed(b"data.tar.gz", b"DATA.tar.gz"),
    "debian-binary renamed": lambda: renamed(b"debian-binary", b"Debian-binary"),
    "an old format": lambda: resigned(("debian-binary", b"0.939000\n"), CONTROL, DATA),
    "format 3": lambda: resigned(("debian-binary", b"3.0\n"), CONTROL, DATA),
    "no format": lambda: resigned(("debian-binary", b""), CONTROL, DATA),
    "a format in words": lambda: resigned(("debian-binary", b"two\n"), CONTROL, DATA),
    "a size with a plus": lambda: renamed(b"`\n2.0", b"`\n2.0").replace(b"4         `", b"+4        `", 1),
    "a size in hexadecimal": lambda: deb(KEY).replace(b"4         `", b"0x4       `", 1),
    "a negative size": lambda: deb(KEY).replace(b"4         `", b"-4        `", 1),
    "no size": lambda: deb(KEY).replace(b"4         `", b"          `", 1),
    "a size in other digits": lambda: deb(KEY).replace(b"4         `", b"\xd9\xa4        `", 1),
    "a size with bytes behind": lambda: deb(KEY).replace(b"4         `", b"4       x `", 1),
    "a large size": lambda: deb(KEY).replace(b"4         `", b"4000000000`", 1),
    "no end of a header": lambda: deb(KEY).replace(b"`\n", b"`\r", 1),
    "no magic": lambda: deb(KEY).replace(b"!<arch>\n", b"!<thin>\n", 1),
    "control twice": lambda: resigned(BINARY, CONTROL, CONTROL, DATA),
    "data before control": lambda: resigned(BINARY, DATA, CONTROL),
    "a member before control": lambda: resigned(BINARY, ("extra", b"x"), CONTROL, DATA),
    "a member before data": lambda: resigned(BINARY, CONTROL, ("extra", b"x"), DATA),
    "no data": lambda: resigned(BINARY, CONTROL),
    "no control": lambda: resigned(BINARY, DATA),
    "data that is no archive": lambda: resigned(BINARY, CONTROL, ("data.tar", b"junk" * 500)),
    "data that is no gzip": lambda: resigned(BINARY, CONTROL, ("data.tar.gz", b"junk" * 500)),
    "data that is not there": lambda: resigned(BINARY, CONTROL, ("data.tar.gz", b"")),
    "control that is no gzip": lambda: resigned(BINARY, ("control.tar.gz", b"junk" * 500), DATA),
    "control without control": lambda: resigned(BINARY, ("control.tar", tar({"./other": b""})), DATA),
    "control that is cut": lambda: resigned(BINARY, (CONTROL[0], CONTROL[1][:-12]), DATA),
    "a field without a colon": lambda: deb(KEY, text=FIELDS + "evil\n"),
    "a field twice": lambda: deb(KEY, text=FIELDS + "Version: 2\n"),
    "no name": lambda: deb(KEY, text=FIELDS.replace("Package: azcmagent\n", "")),
    "a name with a slash": lambda: deb(KEY, text=FIELDS.replace("azcmagent", "../azcmagent")),
    "no version": lambda: deb(KEY, text=FIELDS.replace("Version: 1.67.03504.1320\n", "")),
    "a version in words": lambda: deb(KEY, text=FIELDS.replace("1.67.03504.1320", "one two")),
    "two paragraphs": lambda: deb(KEY, text=FIELDS + "\n" + FIELDS),
    "nothing in control": lambda: deb(KEY, text="\n"),
    "cut": lambda: deb(KEY)[:-700],
    "empty": lambda: b"",
}


def moved(count: int, suffix: str = "") -> bytes:
    """A deb in which ``count`` bytes go from ``data.tar`` to ``control.tar``: the signed bytes stay the same."""
    plain = tar({"./control": FIELDS.encode()}), tar({"./opt/a": b"a" * 600, "./opt/b": b"b"})
    control_tar, data_tar = (PACK[suffix](content) for content in plain)
    signed = signed_members([BINARY, (f"control.tar{suffix}", control_tar), (f"data.tar{suffix}", data_tar)], KEY)
    both, cut = control_tar + data_tar, len(control_tar) + count
    front, back = (f"control.tar{suffix}", both[:cut]), (f"data.tar{suffix}", both[cut:])
    return packed([BINARY, front, back, signed[3]])


@pytest.mark.parametrize("suffix", sorted(PACK))
def test_the_edge_between_two_members_cannot_be_moved(suffix: str) -> None:
    """Files that go over the edge would not be installed, although the signature holds."""
    assert accepted("deb", moved(0, suffix))
    step = 512 if not suffix else 7
    for count in (*range(-20 * step, 0, step), *range(step, 8 * step, step)):
        assert not accepted("deb", moved(count, suffix)), count


@HAS_DPKG
@pytest.mark.parametrize("what", DEBS)
def test_a_deb_that_dpkg_refuses_is_refused(tmp_path: Path, what: str) -> None:
    data = DEBS[what]()
    ours = accepted("deb", data)
    assert dpkg(tmp_path, data) or not ours
    assert ours == (list(DEBS).index(what) < 6), "the first ones are accepted, or this test could not fail"


# rpm packages


@pytest.fixture(scope="module")
def rpmkeys(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bool]:
    """Whether rpm says that a package verifies, and reads it."""
    folder = tmp_path_factory.mktemp("rpm")

    def database(pins: Anchors) -> Path:
        place = folder / pins.package_keys[0].fingerprint
        if not place.exists():
            place.mkdir()
            for number, key in enumerate(pins.package_keys):
                (folder / f"{number}.asc").write_text(key.armored)
                command = ["rpmkeys", "--dbpath", place, "--import", folder / f"{number}.asc"]
                subprocess.run(command, check=True, capture_output=True)
        return place

    def check(data: bytes, pins: Anchors = PINS) -> bool:
        path = folder / "a.rpm"
        path.write_bytes(data)
        commands = (["rpmkeys", "--define", "_pkgverify_level all", "-K"], ["rpm", "-qp", "--qf", "%{NAME}"])
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        for command in commands:
            run = subprocess.run(
                [*command, "--dbpath", database(pins), path], check=False, capture_output=True, env=environment
            )
            if run.returncode or b"error" in run.stderr:
                return False
        return True

    return check


def rpm_explained(data: bytes) -> dict[str, set[int]]:
    layout = rpm_reader.layout(io.BytesIO(data))
    store = 96 + 16 + 16 * len(layout.signature.entries)
    places = {tag: range(store + e.offset, store + e.end) for tag, e in layout.signature.entries.items()}
    index = list(layout.signature.entries)
    explained = {
        "the lead's version, 3 or 4, which rpm ignores": {4},
        "the lead's processor, which rpm ignores": {9},
        "the lead's name, which rpm ignores": set(range(10, 75)),
        "the lead's system, which rpm ignores": {77},
        "how many tags the region has, from one to all": {places[62].stop - 5},
    }
    if 1007 in places:
        explained["the unpacked size, which rpm shows to a progress bar"] = set(places[1007])
    if 268 in index:
        explained["the tag of the signature: DSA for RSA"] = {112 + 16 * index.index(268) + 3}
    return explained


@HAS_RPM
@pytest.mark.parametrize("which", ["lab", "genuine"])
def test_each_flip_that_an_rpm_bears_is_explained(corpus: Path, rpmkeys: Callable[..., bool], which: str) -> None:
    data, pins = (rpm(KEY), PINS) if which == "lab" else (genuine(corpus, "rpm"), trusted.microsoft())
    assert accepted("rpm", data, pins)
    assert rpmkeys(data, pins)
    layout = rpm_reader.layout(io.BytesIO(data))
    room = layout.header_offset > 4000  # of the reserved zeros a few are enough
    positions = [at for at in range(layout.header_offset) if not room or at < 600 or at > 5060 or at % 61 == 0]
    found, strange = unexplained("rpm", data, pins, positions, rpm_explained(data))
    assert strange == []
    for why, mutants in found.items():
        for mutant in mutants[:: max(1, len(mutants) // 5)]:
            assert rpmkeys(mutant, pins), why


MAIN = header(header_fields(PAYLOAD), 63)


def with_signature(main: bytes = MAIN, payload: bytes = PAYLOAD, without: tuple[int, ...] = (), **more) -> bytes:
    fields = signature_fields(main, payload, KEY) | {int(name[1:]): value for name, value in more.items()}
    return rpm_with(main, {tag: value for tag, value in fields.items() if tag not in without}, payload)


def main_with(**more) -> bytes:
    fields = {**header_fields(PAYLOAD), **{int(name[1:]): value for name, value in more.items()}}
    return header({tag: value for tag, value in fields.items() if value is not None}, 63)


WHOLE = MAIN + PAYLOAD
RPMS: dict[str, Callable[[], bytes]] = {
    "as it is": lambda: rpm(KEY),
    "with an older signature as well": lambda: with_signature(t1002=(BIN, KEY.detached(WHOLE, BUILT))),
    "with room": lambda: with_signature(t1008=(BIN, bytes(4128))),
    "no signature": rpm,
    "a bad older signature": lambda: with_signature(t1002=(BIN, KEY.detached(b"other", BUILT))),
    "an older signature by another key": lambda: with_signature(t1002=(BIN, OTHER.detached(WHOLE, BUILT))),
    "a bad second signature": lambda: with_signature(t267=(BIN, KEY.detached(b"other", BUILT))),
    "a bad older DSA signature": lambda: with_signature(t1005=(BIN, KEY.detached(b"other", BUILT))),
    "two signatures in one": lambda: with_signature(t268=(BIN, KEY.detached(MAIN, BUILT) * 2)),
    "junk for a signature": lambda: with_signature(t268=(BIN, b"junk" * 80)),
    "junk for an older signature": lambda: with_signature(t1002=(BIN, b"junk" * 80)),
    "text for a signature": lambda: with_signature(t268=(STRING, "text")),
    "a wrong MD5": lambda: with_signature(t1004=(BIN, bytes(16))),
    "a short MD5": lambda: with_signature(t1004=(BIN, bytes(8))),
    "a wrong SHA-1": lambda: with_signature(t269=(STRING, "0" * 40)),
    "a short SHA-256": lambda: with_signature(t273=(STRING, "0" * 40)),
    "another payload": lambda: with_signature(payload=PAYLOAD[:-9] + b"X" + PAYLOAD[-8:], without=(1004,)),
    "bytes behind": lambda: rpm(KEY) + b"\0",
    "cut": lambda: rpm(KEY)[:-1],
    "cut in the header": lambda: rpm(KEY)[:900],
    "an odd place of numbers": lambda: with_signature(_shifted(MAIN)),
    "an unknown type": lambda: with_signature(MAIN.replace(b"\0\0\x03\xf3\0\0\0\6", b"\0\0\x03\xf3\0\0\0\x0b", 1)),
    "a tag of a region inside": lambda: with_signature(MAIN.replace(b"\0\0\x03\xf3\0\0\0\6", b"\0\0\0\x3d\0\0\0\6", 1)),
    "data that overlaps": lambda: with_signature(_overlapping(MAIN)),
    "a name of numbers": lambda: with_signature(main_with(t1000=(INT32, [1]))),
    "no name": lambda: with_signature(main_with(t1000=None)),
    "no region": lambda: with_signature(MAIN.replace(b"\0\0\0\x3f", b"\0\0\0\x40")),
    "no magic": lambda: b"\0" + rpm(KEY)[1:],
    "empty": lambda: b"",
}


def _entry(main: bytes, tag: int) -> int:
    return main.index(tag.to_bytes(4, "big"), 16)


def _shifted(main: bytes) -> bytes:
    """The number of tag 1009 at an odd offset."""
    at = _entry(main, 1009) + 8
    return main[:at] + (int.from_bytes(main[at : at + 4], "big") + 1).to_bytes(4, "big") + main[at + 4 :]


def _overlapping(main: bytes) -> bytes:
    """The version's data in the name's."""
    at = _entry(main, 1001) + 8
    return main[:at] + bytes(4) + main[at + 4 :]


@HAS_RPM
@pytest.mark.parametrize("what", RPMS)
def test_an_rpm_that_rpm_refuses_is_refused(rpmkeys: Callable[..., bool], what: str) -> None:
    data = RPMS[what]()
    ours = accepted("rpm", data)
    assert rpmkeys(data) or not ours
    assert ours == (list(RPMS).index(what) < 3), "the first ones are accepted, or this test could not fail"
