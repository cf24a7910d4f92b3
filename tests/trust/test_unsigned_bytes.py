"""The second net: no end record of a ZIP archive in bytes that no signature covers."""

from __future__ import annotations

import io

import pytest

from bundler.errors import VerificationError
from bundler.trust.signed_file import Kind, open_signed
from bundler.trust.unsigned_bytes import RECORDS, require_no_archive
from tests.support.authenticode_material import verify
from tests.trust.test_authenticode_bytes import free_bytes, good

END = RECORDS[0]


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


def refusal(content: bytes, kind: Kind) -> str:
    try:
        verify(content, kind)
    except VerificationError as error:
        return error.reason
    return ""
