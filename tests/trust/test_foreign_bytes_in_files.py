"""Foreign bytes beside a signature, in the parts of a file that it does not cover, are refused by name."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest

from bundler.errors import VerificationError
from bundler.formats import portable_executable, powershell_signature
from bundler.formats.msi_signature import METADATA_DIGEST, SIGNATURE
from bundler.lab.foreign_bytes import filling
from tests.support import authenticode_material as material
from tests.support.authenticode_material import good, verify


def stream(name: str) -> Callable[[bytes, bytes], bytes]:
    """Behind the content of a stream, or as a new one."""

    def put(content: bytes, more: bytes) -> bytes:
        parts = material.msi_parts(content)
        return material.msi_again(parts | {name: parts.get(name, b"") + more})

    return put


def sector(content: bytes, more: bytes) -> bytes:
    return content + more + bytes(-len(more) % 512)


def table(content: bytes, more: bytes, header: bytes = b"") -> bytes:
    """Within a PE file's certificate table, which grows by it."""
    place = portable_executable.layout(io.BytesIO(content))
    more = header + more
    changed = bytearray(content + more + bytes(-len(more) % 8))
    struct.pack_into("<I", changed, place.directory + 4, len(changed) - place.table)
    return bytes(changed)


def second_entry(content: bytes, more: bytes) -> bytes:
    return table(content, more, struct.pack("<IHH", 8 + len(more), 0x0200, 1))


def entry(content: bytes, more: bytes) -> bytes:
    """Within the one entry of the table, behind the signature."""
    place = portable_executable.layout(io.BytesIO(content))
    changed = bytearray(table(content, more))
    struct.pack_into("<I", changed, place.table, len(changed) - place.table)
    return bytes(changed)


def behind(content: bytes, more: bytes) -> bytes:
    return content + more


def in_block(content: bytes, more: bytes) -> bytes:
    """As lines of comment within the signature block."""
    end = powershell_signature.END.encode()
    return content.replace(end, b"# " + more + b"\r\n" + end)


PLACES = {
    ("msi", "behind the file"): (behind, {"trailing-data"}),
    ("msi", "in sectors behind the file"): (sector, {"trailing-data", "malformed"}),
    ("msi", "behind the signature in its stream"): (stream(SIGNATURE), {"trailing-data"}),
    ("msi", "behind the digest of the names"): (stream(METADATA_DIGEST), {"malformed", "metadata-mismatch"}),
    ("msi", "in a stream of an unknown name"): (stream("\x05Foreign"), {"unknown-stream"}),
    ("msi", "in another stream"): (stream("foreign"), {"metadata-mismatch"}),
    ("pe", "behind the file"): (behind, {"trailing-data"}),
    ("pe", "as padding of the table"): (table, {"trailing-data"}),
    ("pe", "as a second entry of the table"): (second_entry, {"trailing-data"}),
    ("pe", "behind the signature in its entry"): (entry, {"trailing-data"}),
    ("ps1", "behind the block"): (behind, {"trailing-data"}),
    ("ps1", "within the block"): (in_block, {"malformed", "trailing-data"}),
}


@pytest.mark.parametrize("size", [1, 7, 8, 700, 40_000])
@pytest.mark.parametrize(("kind", "place"), PLACES)
def test_they_are_refused(kind, place, size):
    put, reasons = PLACES[kind, place]
    document = put(good(kind), filling(size))
    with pytest.raises(VerificationError) as caught:
        verify(document, kind)
    assert caught.value.reason in reasons
    assert caught.value.details
    assert caught.value.do


@pytest.mark.parametrize("kind", ["msi", "pe", "ps1"])
def test_without_them_it_is_accepted(kind):
    assert verify(good(kind), kind)
    if kind == "msi":
        assert verify(material.msi_again(material.msi_parts(good(kind))), kind)
