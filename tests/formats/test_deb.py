"""Facts of Debian packages, and the order of Debian versions."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import tarfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.formats import deb as reader
from bundler.formats import deb_version
from bundler.formats.parse_error import ParseError
from bundler.model.evidence import PackageFacts
from tests.support.packages import PACK, ar, control, deb, deb_members, tar

FACTS = PackageFacts(
    name="azcmagent",
    version="1.67.03504.1320",
    architecture="amd64",
    depends=("libc6 (>= 2.17)", "passwd"),
    installed_size=12 * 1024,
    supplier="LAB <lab@localhost>",
)


def facts(data: bytes) -> PackageFacts:
    return reader.facts(io.BytesIO(data))


def reason(data: bytes) -> str:
    with pytest.raises(ParseError) as caught:
        facts(data)
    return caught.value.reason


@pytest.mark.parametrize("suffix", sorted(PACK))
def test_facts_are_read_from_every_compression(suffix: str) -> None:
    assert facts(deb(suffix=suffix)) == FACTS


def test_pre_depends_come_first() -> None:
    assert facts(deb(text=control(more="Pre-Depends: dpkg\n"))).depends[0] == "dpkg"


def test_a_real_package(corpus: Path) -> None:
    with (corpus / "deb" / "good-packages-microsoft-prod.deb").open("rb") as file:
        found = reader.facts(file)
    assert (found.name, found.version, found.architecture) == ("packages-microsoft-prod", "1.1-debian12", "all")
    assert found.depends == ("ca-certificates",)


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
@pytest.mark.parametrize("compression", ["gzip", "xz", "zstd", "none"])
def test_packages_of_dpkg_deb(tmp_path: Path, compression: str) -> None:
    (tmp_path / "tree" / "DEBIAN").mkdir(parents=True)
    (tmp_path / "tree" / "DEBIAN" / "control").write_text(control())
    command = ["dpkg-deb", "--root-owner-group", f"-Z{compression}", "-b", "tree", "made.deb"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert facts((tmp_path / "made.deb").read_bytes()) == FACTS


def with_control(text: str) -> bytes:
    return deb(text=text)


def with_tar(files: dict[str, bytes]) -> bytes:
    return ar([("debian-binary", b"2.0\n"), ("control.tar", tar(files)), ("data.tar", b"")])


BINARY, CONTROL, DATA = deb_members()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (deb()[:200], "truncated"),
        (ar([CONTROL, BINARY, DATA]), "malformed"),
        (ar([BINARY, DATA, CONTROL]), "malformed"),
        (ar([BINARY, CONTROL, CONTROL, DATA]), "duplicate"),
        (ar([BINARY, CONTROL, ("control.tar.xz", b""), DATA]), "duplicate"),
        (ar([BINARY, CONTROL]), "truncated"),
        (ar([("debian-binary", b"3.0\n"), CONTROL, DATA]), "unsupported"),
        (ar([BINARY, ("control.tar.bz2", b"BZh9"), DATA]), "unsupported"),
        (ar([BINARY, ("control.tar.gz", CONTROL[1][:-30]), DATA]), "truncated"),
        (ar([BINARY, ("control.tar.gz", b"not gzip"), DATA]), "malformed"),
        (ar([BINARY, ("control.tar", b"not a tar archive" * 100), DATA]), "malformed"),
        (with_tar({"./other": b""}), "malformed"),
        (with_tar({"./control": control().encode(), "control": control().encode()}), "duplicate"),
        (with_control(control() + "\n" + control()), "malformed"),
        (with_control(control() + "Version: 2\n"), "duplicate"),
        (with_control(control().replace("Version: 1.67", "Version: one")), "malformed"),
        (with_control(control().replace("Architecture: amd64\n", "")), "malformed"),
        (with_control(control().replace("Package: azcmagent", "Package: ../azcmagent")), "malformed"),
        (with_control(control().replace("Size: 12", "Size: -12")), "malformed"),
    ],
)
def test_each_fault_has_its_reason(data: bytes, why: str) -> None:
    assert reason(data) == why


def test_a_bomb_is_not_unpacked() -> None:
    bomb = PACK[".gz"](tar({"./control": b"", "./filler": bytes(80 << 20)}))
    assert len(bomb) < 200_000
    assert reason(ar([BINARY, ("control.tar.gz", bomb), DATA])) == "too-big"


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damage_raises_only_the_documented_error(data) -> None:
    suffix = data.draw(st.sampled_from(sorted(PACK)))
    damaged = bytearray(deb(suffix=suffix))
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ParseError):
        facts(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))


def test_headers_that_lead_a_lenient_reader_astray_are_refused() -> None:
    """Negative and enormous sizes, and an extended header that is cut short."""
    plain = bytearray(tar({"./control": control().encode()}))
    for kind, size in ((b"S", b"\xff" * 12), (b"0", b"\xff" * 12), (b"0", b"77777777777\0"), (b"x", b"00000000001\0")):
        header = plain[:512]
        header[156:157], header[124:136] = kind, size
        header[148:156] = b"        "
        header[148:156] = b"%06o\0 " % sum(header)
        reason(ar([BINARY, ("control.tar", bytes(header) + bytes(plain[512:])), DATA]))


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_of_other_files_are_passed_over(form: int) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in (("./" + "a/" * 60 + "md5sums", b"x" * 700), ("./control", control().encode())):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    data = ar([BINARY, ("control.tar", out.getvalue()), DATA])
    if form == tarfile.PAX_FORMAT:
        assert reason(data) == "unsupported"
    else:
        assert facts(data) == FACTS


versions = st.from_regex(r"\A([01]:)?[0-3][0-9a-b.+~]{0,5}(-[0-2a.~+]{1,3})?\Z").filter(deb_version.is_version)


@pytest.mark.skipif(not shutil.which("dpkg"), reason="needs dpkg")
@given(versions, versions)
@settings(max_examples=150, deadline=None)
def test_versions_are_ordered_as_dpkg_orders_them(one: str, other: str) -> None:
    first, second = deb_version.key(one), deb_version.key(other)
    relation = "lt" if first < second else "gt" if first > second else "eq"
    assert subprocess.run(["dpkg", "--compare-versions", one, relation, other], check=False).returncode == 0


def test_versions_are_ordered() -> None:
    ordered = ["1.0~rc1", "1.0", "1.0-1", "1.0-1a", "1.0a", "1.0+b", "1.9.1", "1.67.03504.1320", "1.68", "1:0.1"]
    keys = [deb_version.key(version) for version in ordered]
    assert all(older < newer for older, newer in pairwise(keys))
    assert deb_version.compare("0~", "0") < 0
    assert deb_version.key("1.0") == deb_version.key("0:1.0-0") == deb_version.key("1.00")


@pytest.mark.parametrize("text", ["", "a1", "1 0", "1:", "1-", ":1", "1:2:a-:", "x:1", "1" * 300, "1_0", "1\n"])
def test_invalid_versions(text: str) -> None:
    assert not deb_version.is_version(text)
