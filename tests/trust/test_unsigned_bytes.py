"""The second net: no end record of a ZIP archive in bytes that no signature covers."""

from __future__ import annotations

import io
import struct
from functools import lru_cache

import pytest

from bundler.errors import VerificationError
from bundler.formats.compound_file import CompoundFile
from bundler.trust.signed_file import Kind, open_signed
from bundler.trust.unsigned_bytes import RECORDS, require_no_archive
from tests.support.authenticode_material import verify
from tests.trust.test_authenticode_bytes import free_bytes, good

END = RECORDS[0]
PLACES = (
    *("slack of a stream", "slack of a stream in the mini stream", "slack of the mini stream"),
    *("free sector", "directory", "allocation table"),
)


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_of_an_archive_is_found(record: bytes) -> None:
    """At the edge of what is signed, and at that of a chunk, too."""
    for data, covered in (
        (b"signed" + record, [(0, 6)]),
        (record + b"signed", [(4, 6)]),
        (b"signed" + record, [(0, 7)]),
        (b"signed" + record + b"signed", [(0, 9), (10, 6)]),
        (bytes((1 << 20) - 2) + record + bytes(1 << 20), []),
    ):
        with pytest.raises(VerificationError) as caught:
            require_no_archive(io.BytesIO(data), covered, "the file")
        assert caught.value.reason == "hidden-archive"
    require_no_archive(io.BytesIO(b"signed" + record + b"signed"), [(0, 16)], "the file")


@pytest.mark.parametrize("kind", ["msi", "pe", "ps1"])
def test_what_a_digest_covers_is_what_it_hashes(kind: Kind) -> None:
    """Each byte counts for the digest if, and only if, it is in a covered run."""
    data = good(kind)
    subject = open_signed(io.BytesIO(data), kind)
    covered = {at for start, size in subject.covered() for at in range(start, start + size)}
    digest = subject.digest("sha256")
    assert len(covered) > 20
    for at in sorted(covered)[:: max(1, len(covered) // 60)]:
        changed = bytearray(data)
        changed[at] ^= 1
        try:
            assert open_signed(io.BytesIO(bytes(changed)), kind).digest("sha256") != digest, at
        except VerificationError:
            continue


@pytest.mark.parametrize("kind", ["msi", "pe"])
def test_a_record_where_no_other_rule_looks(kind: Kind) -> None:
    data, free = good(kind), free_bytes(kind)
    places = [at for at in sorted(free) if {at + 1, at + 2, at + 3} <= free]
    changed = [data[:at] + END + data[at + 4 :] for at in places[:: max(1, len(places) // 40)]]
    reasons = {refusal(content, kind) for content in changed}
    assert "hidden-archive" in reasons
    assert "" not in reasons


@lru_cache
def roomy() -> bytes:
    """A signed MSI with a free sector at its end."""
    return good("msi") + bytes(512)


@lru_cache
def unowned() -> dict[str, range]:
    """Places of an MSI that belong to no stream, each of several bytes, by what they are."""
    held = CompoundFile(io.BytesIO(roomy()))
    large, small = held.stream("agent.cab"), held.stream("\x05SummaryInformation")
    assert large
    assert small
    assert all((large.size % 512, small.size % 64, held.root.size % 512))
    large_end, small_end = sum(held.place(large)[-1]), sum(held.place(small)[-1])
    (mini, whole) = held._mini_runs[0]
    directory = roomy().index("Root Entry".encode("utf-16-le"))
    fat = (struct.unpack_from("<I", roomy(), 76)[0] + 1) * 512
    return {
        "slack of a stream": range(large_end, large_end - large_end % 512 + 512),
        "slack of a stream in the mini stream": range(small_end, small_end + -small.size % 64),
        "slack of the mini stream": range(mini + held.root.size, mini + whole),
        "free sector": range(len(roomy()) - 512, len(roomy())),
        "directory": range(directory + 67, directory + 128),
        "allocation table": range(fat, fat + 512),
    }


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("place", PLACES)
def test_the_net_finds_a_record_wherever_no_stream_is(place: str, record: bytes) -> None:
    """By itself, at each byte of the place: the reader's own rules are not asked."""
    assert set(PLACES) == set(unowned())
    covered = open_signed(io.BytesIO(roomy()), "msi").covered()
    require_no_archive(io.BytesIO(roomy()), covered, "the file")
    for at in unowned()[place][:-3]:
        changed = roomy()[:at] + record + roomy()[at + 4 :]
        with pytest.raises(VerificationError) as caught:
            require_no_archive(io.BytesIO(changed), covered, "the file")
        assert caught.value.reason == "hidden-archive"


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("place", PLACES)
def test_an_installer_with_a_record_where_no_stream_is_is_refused(place: str, record: bytes) -> None:
    assert refusal(roomy(), "msi") == ""
    where = unowned()[place]
    for at in (where[0], where[len(where) // 2], where[-4]):
        found = refusal(roomy()[:at] + record + roomy()[at + 4 :], "msi")
        assert found, at
        if "slack" in place:
            assert found in {"hidden-archive", "trailing-data"}


def refusal(content: bytes, kind: Kind) -> str:
    try:
        verify(content, kind)
    except VerificationError as error:
        return error.reason
    return ""
