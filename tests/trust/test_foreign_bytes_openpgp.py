"""Foreign bytes in each place that no signature covers: refused, with that place's own reason."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from bundler.errors import VerificationError
from bundler.formats import ar, rpm_header
from bundler.formats import rpm as rpm_reader
from bundler.lab import deb, rpm
from bundler.lab.openpgp import SigningKey
from bundler.lab.package import Package, PackagedFile
from bundler.model.anchor import Anchors, PackageKey
from bundler.trust import debsigs, openpgp, rpm_signature
from bundler.trust.apt_chain import AptChain
from bundler.trust.yum_chain import YumChain
from tests.support import foreign_bytes as foreign
from tests.support import shared
from tests.support.packages import BIN, INT32, STRING, STRING_ARRAY, Fields, header
from tests.support.packages import ar as packed
from tests.support.repositories import Apt, Yum

NOW = datetime.now(timezone.utc).replace(microsecond=0)
KEY = SigningKey(shared.rsa_key("lab builders"), "LAB test <lab@localhost>", NOW - timedelta(days=90))
PINS = Anchors(
    name="LAB",
    lab=True,
    package_keys=(PackageKey(name="LAB", fingerprint=KEY.fingerprint, armored=KEY.armored(), source="the lab"),),
)
PACKAGE = Package(
    name="azcmagent",
    version="1.2.3",
    release="4",
    architecture="x86_64",
    summary="LAB summary",
    description="LAB description",
    built=NOW - timedelta(days=30),
    files=(PackagedFile("/opt/lab/lab", b"lab\n" * 50),),
    owned=("/opt/lab",),
)
DEB = deb.build(replace(PACKAGE, architecture="amd64"), KEY)
RPM = rpm.build(PACKAGE, KEY)
SIZES = (700, 40_000)


def bytes_of(size: int) -> bytes:
    """Of no meaning, and without the marks that other rules look for."""
    return random.Random(size).randbytes(size).replace(b"PK", b"pk").replace(b"-", b"_")


def members(data: bytes = DEB) -> list[tuple[str, bytes]]:
    return [(m.name, data[m.offset : m.offset + m.size]) for m in ar.members(io.BytesIO(data))]


def deb_with(signature: bytes) -> bytes:
    return packed([*members()[:3], ("_gpgorigin", signature)])


COVERED = b"".join(content for _, content in members()[:3])
PACKET = KEY.detached(COVERED, PACKAGE.built)


def deb_reason(data: bytes) -> str:
    with pytest.raises(VerificationError) as caught:
        debsigs.verify(io.BytesIO(data), anchors=PINS, at=NOW)
    assert caught.value.details, "every refusal has a meaning"
    return caught.value.reason


def test_without_them_it_is_accepted() -> None:
    for data in (DEB, deb_with(PACKET), deb_with(foreign.armored(PACKET)), deb_with(foreign.armored(PACKET, width=76))):
        assert debsigs.verify(io.BytesIO(data), anchors=PINS, at=NOW).fingerprint == KEY.fingerprint
    versioned = deb_with(foreign.armored(PACKET, "Version: " + "x" * 64, checksum=False))
    assert debsigs.verify(io.BytesIO(versioned), anchors=PINS, at=NOW).fingerprint == KEY.fingerprint
    assert rpm_signature.verify(io.BytesIO(RPM.content), anchors=PINS, at=NOW).fingerprint == KEY.fingerprint


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", foreign.PACKETS)
def test_in_the_signature_of_a_deb(place: str, size: int) -> None:
    change, reason = foreign.PACKETS[place]
    changed = change(PACKET, bytes_of(size))
    assert deb_reason(deb_with(changed)) == reason
    assert deb_reason(deb_with(foreign.armored(changed))) == reason


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", foreign.ARMOR)
def test_in_the_armor_of_a_deb(place: str, size: int) -> None:
    change, reason = foreign.ARMOR[place]
    assert deb_reason(deb_with(change(PACKET, bytes_of(size)))) == reason


@pytest.mark.parametrize("size", SIZES)
def test_in_the_archive_of_a_deb(size: int) -> None:
    found, extra = members(), bytes_of(size)
    for place in range(1, 5):
        for name in ("_gpgbuilder", "extra", "_foreign"):
            assert deb_reason(packed([*found[:place], (name, extra), *found[place:]])) == "unexpected-member"
    assert deb_reason(DEB + extra) == "trailing-data"
    assert deb_reason(DEB + b"\n" * size) == "trailing-data"
    assert deb_reason(packed([("extra", extra), *found])) == "malformed"
    second = foreign.FURTHER["in its hashed area"](PACKET, extra)
    assert deb_reason(deb_with(second)) == "several-signatures"


@pytest.mark.parametrize("field", [slice(16, 28), slice(28, 34), slice(34, 40), slice(40, 48), slice(48, 58)])
def test_in_the_header_of_a_members_of_a_deb(field: slice) -> None:
    offset = ar.members(io.BytesIO(DEB))[3].offset - 60
    changed = bytearray(DEB)
    width = field.stop - field.start
    for text in (b"evilevil", b"", b"0001", b"1 1", b"+1", b"-1", b"0x1", b"\xd9\xa1"):
        changed[offset + field.start : offset + field.stop] = f"{'':{width}}".encode()
        changed[offset + field.start : offset + field.start + len(text[:width])] = text[:width]
        if field.start == 40 and text == b"0001":  # modes are octal: 100644 and 0644 are both written
            continue
        assert deb_reason(bytes(changed)) in {"member-header", "truncated", "trailing-data"}


def rpm_fields(**more) -> Fields:
    """The lab's own signature header, and more: ``t1008=(BIN, …)``."""
    parsed = rpm_reader.layout(io.BytesIO(RPM.content)).signature
    kinds = {rpm_header.Type.BIN: parsed.binary, rpm_header.Type.STRING: parsed.string}
    fields: Fields = {
        tag: (int(entry.type), kinds.get(entry.type, lambda tag: list(parsed.integers(tag)))(tag))
        for tag, entry in parsed.entries.items()
        if tag != 62
    }
    return fields | {int(name[1:]): value for name, value in more.items()}


def rpm_with(front: bytes) -> bytes:
    return RPM.content[:96] + front + bytes(-len(front) % 8) + RPM.content[RPM.header_start :]


def rpm_reason(data: bytes) -> str:
    with pytest.raises(VerificationError) as caught:
        rpm_signature.verify(io.BytesIO(data), anchors=PINS, at=NOW)
    assert caught.value.details
    return caught.value.reason


def test_the_header_made_again_is_the_labs_own() -> None:
    data = rpm_with(header(rpm_fields(), 62))
    assert data == RPM.content
    room = rpm_with(header(rpm_fields(t1008=(BIN, bytes(4128))), 62))
    assert rpm_signature.verify(io.BytesIO(room), anchors=PINS, at=NOW).fingerprint == KEY.fingerprint


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", foreign.PACKETS)
def test_in_a_signature_of_an_rpm(place: str, size: int) -> None:
    change, reason = foreign.PACKETS[place]
    header_bytes = RPM.content[RPM.header_start : RPM.header_end]
    changed = change(KEY.detached(header_bytes, PACKAGE.built), bytes_of(size))
    assert rpm_reason(rpm_with(header(rpm_fields(t268=(BIN, changed)), 62))) == reason
    whole = change(KEY.detached(RPM.content[RPM.header_start :], PACKAGE.built), bytes_of(size))
    allowed = size < 1 << 14  # a tag of a signature that has no size of one is refused as that
    found = rpm_reason(rpm_with(header(rpm_fields(t1002=(BIN, whole)), 62)))
    assert found == reason if allowed else found in {reason, "wrong-tag"}


@pytest.mark.parametrize("size", SIZES)
def test_in_the_signature_header_of_an_rpm(size: int) -> None:
    extra = bytes_of(size)
    made = {
        "unknown-tag": [
            rpm_fields(t5000=(BIN, extra)),
            rpm_fields(t274=(STRING_ARRAY, [extra.hex()])),
            rpm_fields(t275=(INT32, [size])),
            rpm_fields(t266=(STRING_ARRAY, [extra.hex()])),
            rpm_fields(t1006=(BIN, extra)),
            rpm_fields(t264=(STRING, extra.hex())),
        ],
        "wrong-tag": [
            rpm_fields(t1007=(INT32, [1] * (size // 4))),
            rpm_fields(t1007=(BIN, extra)),
            rpm_fields(t271=(BIN, extra)),
            rpm_fields(t1008=(STRING, extra.hex())),
        ],
        "unexpected-data": [rpm_fields(t1008=(BIN, extra)), rpm_fields(t999=(BIN, bytes(size) + b"\1"))],
        "digest-mismatch": [rpm_fields(t1004=(BIN, extra)), rpm_fields(t269=(STRING, extra.hex()))],
    }
    for reason, headers in made.items():
        found = {rpm_reason(rpm_with(header(fields, 62))) for fields in headers}
        assert found <= {reason, "wrong-tag"}
    assert rpm_reason(rpm_with(header(rpm_fields(), 62, dribbles={1024: (STRING, extra.hex())}))) == "unknown-tag"
    assert rpm_reason(rpm_with(header(rpm_fields(), 62, dribbles={1008: (BIN, bytes(size))}))) == "unowned-bytes"
    assert rpm_reason(RPM.content + extra) == "trailing-data"


@pytest.mark.parametrize("size", SIZES)
def test_between_the_tags_of_an_rpm(size: int) -> None:
    """Foreign bytes before a tag's data, behind the last one, and behind the region's end."""
    front = header(rpm_fields(), 62)
    count = int.from_bytes(front[8:12], "big")
    index, store = front[16 : 16 + 16 * count], front[16 + 16 * count :]
    size -= size % 8
    extra = bytes_of(size)
    entries = [list(rpm_header._ENTRY.unpack_from(index, 16 * i)) for i in range(count)]
    order = sorted(range(count), key=lambda i: entries[i][2])
    for place in [*range(count), count]:
        at = entries[order[place]][2] if place < count else len(store)
        moved = [[t, k, o + (size if o >= at else 0), c] for t, k, o, c in entries]
        packed_index = b"".join(rpm_header._ENTRY.pack(*entry) for entry in moved)
        head = front[:12] + (len(store) + size).to_bytes(4, "big")
        assert rpm_reason(rpm_with(head + packed_index + store[:at] + extra + store[at:])) == "unowned-bytes"


@pytest.mark.parametrize("foreign_lead", [b"x" * 66, b"azcmagent\0evil", b"\x90\x90", "é".encode()])
def test_in_the_lead_of_an_rpm(foreign_lead: bytes) -> None:
    lead = bytearray(RPM.content[:96])
    lead[10:76] = foreign_lead.ljust(66, b"\0")
    assert rpm_reason(bytes(lead) + RPM.content[96:]) == "malformed"
    for offset in (80, 95, 76, 8, 5):
        lead = bytearray(RPM.content[:96])
        lead[offset] ^= 0x55
        assert rpm_reason(bytes(lead) + RPM.content[96:]) in {"malformed", "unsupported"}


DATA = b"the document\n" * 9


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", [*foreign.PACKETS, *foreign.ARMOR])
def test_in_any_other_signature(place: str, size: int) -> None:
    """``repomd.xml.asc``, ``SHA256SUMS.asc``: the same reader."""
    change, reason = (foreign.PACKETS | foreign.ARMOR)[place]
    changed = change(KEY.detached(DATA, PACKAGE.built), bytes_of(size))
    with pytest.raises(VerificationError) as caught:
        openpgp.verify_detached(changed, [DATA], size=len(DATA), anchors=PINS, at=NOW, what="repomd.xml")
    assert caught.value.reason == reason


@pytest.mark.parametrize("place", foreign.FURTHER)
@pytest.mark.parametrize("size", SIZES)
def test_in_a_further_signature_by_another_key(place: str, size: int) -> None:
    def verify(signatures: bytes) -> openpgp.Signed:
        return openpgp.verify_detached(signatures, [DATA], size=len(DATA), anchors=PINS, at=NOW, what="repomd.xml")

    packet = KEY.detached(DATA, PACKAGE.built)
    assert verify(foreign.FURTHER[place](packet, b"")).key.fingerprint == KEY.fingerprint
    with pytest.raises(VerificationError) as caught:
        verify(foreign.FURTHER[place](packet, bytes_of(size)))
    assert caught.value.reason == "other-signature"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("before", "trailing-data"),
        ("behind", "trailing-data"),
        ("hash", "trailing-data"),
        ("header", "trailing-data"),
        ("space", "trailing-data"),
        ("armor", "armor-data"),
        ("version", "armor-data"),
    ],
)
def test_in_a_clear_signed_document(place: str, reason: str, size: int) -> None:
    repository = Apt()
    document, extra = repository.inrelease, bytes_of(size).hex().encode()
    changed = {
        "before": extra + b"\n" + document,
        "behind": document + extra,
        "hash": document.replace(b"Hash: SHA256", b"Hash: SHA256," + extra),
        "header": document.replace(b"Hash: SHA256\n", b"Hash: SHA256\nComment: " + extra + b"\n"),
        "space": document.replace(b"\nSuite:", b" \t" * size + b"\nSuite:"),
        "armor": document.replace(b"\n-----END", extra + b"\n-----END"),
        "version": document.replace(b"SIGNATURE-----\n\n", b"SIGNATURE-----\nVersion: " + extra + b"\n\n"),
    }[place]
    chain = AptChain(_pins(repository), suite="jammy", component="main", architecture="amd64")
    with pytest.raises(VerificationError) as caught:
        chain.release(changed, NOW)
    assert caught.value.reason == reason
    AptChain(_pins(repository), suite="jammy", component="main", architecture="amd64").release(document, NOW)


def _pins(repository: Apt | Yum) -> Anchors:
    return Anchors(name="LAB", package_keys=(repository.key.pin(),))


def test_a_repomd_that_ends_early_is_truncated() -> None:
    repository = Yum()
    for cut in (1, 40, 300):
        with pytest.raises(VerificationError) as caught:
            YumChain(_pins(repository)).repomd(repository.repomd.rstrip()[:-cut], repository.signature, NOW)
        assert caught.value.reason == "truncated"


def test_a_signed_repomd_may_have_a_comment_behind_its_end() -> None:
    repository = Yum()
    document = repository.repomd.rstrip() + b"\n<!-- of a mirror -->\n"
    YumChain(_pins(repository)).repomd(document, repository.key.detached(document, NOW), NOW)
