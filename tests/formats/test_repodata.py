"""The documents of yum repositories."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.formats.parse_error import ParseError
from bundler.formats.repodata import Package, packages, repomd
from tests.support.repositories import DATE, Yum, entry, sha256

GOOD = Yum()


def listed(document: bytes, name: str = "azcmagent", step: int = 50) -> list[Package]:
    return list(packages([document[i : i + step] for i in range(0, len(document), step)], name=name))


def reason(call, *args) -> str:
    with pytest.raises(ParseError) as caught:
        call(*args)
    return caught.value.reason


def test_repomd_names_its_primary_document() -> None:
    found = repomd(GOOD.repomd)
    assert (found.primary.path, found.primary.size) == (GOOD.path, len(GOOD.primary))
    assert (found.primary.sha256, found.primary.open_sha256) == (sha256(GOOD.primary), sha256(GOOD.plain))
    assert found.primary.open_size == len(GOOD.plain)


def test_its_date_is_the_newest_timestamp() -> None:
    assert repomd(GOOD.repomd).date == DATE
    more = "<data type='updateinfo'><timestamp>2000000000.25</timestamp></data>"
    assert repomd(Yum(more=more).repomd).date == datetime.fromtimestamp(2000000000, timezone.utc)


def test_unpacked_size_and_digest_may_be_missing() -> None:
    found = repomd(Yum(changes={"open-checksum": "", "open-size": ""}).repomd).primary
    assert (found.open_size, found.open_sha256) == (None, None)


@pytest.mark.parametrize(
    ("repository", "why"),
    [
        (Yum(changes={"checksum": '<checksum type="sha">00</checksum>'}), "weak-digest"),
        (Yum(changes={"checksum": '<checksum type="md5">00</checksum>'}), "weak-digest"),
        (Yum(changes={"open-checksum": '<open-checksum type="sha1">00</open-checksum>'}), "weak-digest"),
        (Yum(changes={"checksum": '<checksum type="blake3">00</checksum>'}), "unsupported"),
        (Yum(changes={"checksum": '<checksum type="sha256">00</checksum>'}), "malformed"),
        (Yum(changes={"checksum": ""}), "unsupported"),
        (Yum(changes={"size": "<size>-1</size>"}), "malformed"),
        (Yum(changes={"size": ""}), "malformed"),
        (Yum(changes={"size": "<size>1</size><size>2</size>"}), "duplicate"),
        (Yum(changes={"timestamp": ""}), "malformed"),
        (Yum(changes={"timestamp": "<timestamp>999999999999999</timestamp>"}), "malformed"),
        (Yum(changes={"location": '<location href="../../etc/passwd"/>'}), "unsafe-path"),
        (Yum(changes={"location": '<location href="https://elsewhere.test/a.xml"/>'}), "unsafe-path"),
        (Yum(changes={"location": '<location xml:base="https://elsewhere.test/" href="a.xml"/>'}), "unsafe-path"),
        (Yum(changes={"location": ""}), "unsafe-path"),
        (Yum(more='<data type="primary"/>'), "duplicate"),
        (Yum(head='<!DOCTYPE repomd [<!ENTITY a "aaaa">]>'), "malformed"),
        (Yum(head='<!DOCTYPE repomd SYSTEM "file:///etc/passwd">'), "malformed"),
        (Yum(more="&undefined;"), "malformed"),
        (Yum(more="<unclosed>"), "malformed"),
    ],
)
def test_a_repomd_that_cannot_be_relied_on(repository: Yum, why: str) -> None:
    assert reason(repomd, repository.repomd) == why


def test_a_second_primary_document_is_refused() -> None:
    one = GOOD.repomd.partition(b'<data type="primary">')[2].partition(b"</data>")[0]
    twice = Yum(more=f'<data type="primary">{one.decode()}</data>')
    assert reason(repomd, twice.repomd) == "duplicate"


def test_elements_of_other_namespaces_are_not_those_meant() -> None:
    other = Yum(more='<x:data xmlns:x="urn:x" type="primary"><x:size>1</x:size></x:data>')
    assert repomd(other.repomd).primary.path == GOOD.path
    assert reason(repomd, GOOD.repomd.replace(b"metadata/repo", b"metadata/other")) == "malformed"


def test_packages_are_read() -> None:
    newest = listed(GOOD.plain)[0]
    content = b"rpm of 1.67.03504 1320 x86_64"
    assert newest == Package(
        name="azcmagent",
        architecture="x86_64",
        version="1.67.03504-1320",
        path="Packages/a/azcmagent-1.67.03504-1320.x86_64.rpm",
        size=len(content),
        sha256=sha256(content),
    )
    assert len(listed(GOOD.plain)) == 3
    assert listed(GOOD.plain, "other") == []


def test_an_epoch_stands_before_the_version() -> None:
    document = GOOD.plain.replace(b'epoch="0"', b'epoch="2"')
    assert listed(document)[0].version == "2:1.67.03504-1320"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"location": '<location href="/etc/passwd"/>'}, "unsafe-path"),
        ({"location": '<location href="a/../../b.rpm"/>'}, "unsafe-path"),
        ({"location": '<location xml:base="https://elsewhere.test/" href="a.rpm"/>'}, "unsafe-path"),
        ({"checksum": '<checksum type="sha" pkgid="YES">00</checksum>'}, "weak-digest"),
        ({"size": '<size package="many"/>'}, "malformed"),
        ({"name": "<name>azcmagent</name><name>azcmagent</name>"}, "duplicate"),
        ({"arch": "<arch>../x</arch>"}, "malformed"),
        ({"summary": "<summary>&xxe;</summary>"}, "malformed"),
    ],
)
def test_an_entry_that_cannot_be_relied_on(changes: dict[str, str], why: str) -> None:
    parts = dict(changes)
    arch = parts.pop("arch", None)
    text = entry(**parts)
    text = text.replace("<arch>x86_64</arch>", arch) if arch else text
    assert reason(listed, Yum(entries=[text]).plain) == why


def test_faults_of_other_packages_do_not_matter() -> None:
    other = entry(name="<name>other</name>", location="", checksum="")
    assert len(listed(Yum(entries=[other, entry()]).plain)) == 1


def test_entries_of_other_namespaces_are_not_those_meant() -> None:
    strange = entry(name='<name xmlns="urn:x">other</name><name>azcmagent</name>')
    assert len(listed(Yum(entries=[strange]).plain)) == 1
    assert listed(Yum(entries=[entry().replace("<package ", '<package xmlns="urn:x" ')]).plain) == []
    hidden = f"<other>{entry()}</other>"
    assert listed(Yum(entries=[hidden]).plain) == []


@pytest.mark.parametrize("text", [b"", b"not xml", b"<metadata/>", b"\xff\xfe\x00", GOOD.plain[:-5]])
def test_documents_of_another_kind(text: bytes) -> None:
    assert reason(listed, text) == reason(repomd, text) == "malformed"


def test_a_billion_laughs_are_refused_at_once() -> None:
    laughs = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    started = time.perf_counter()
    assert reason(listed, Yum(head=laughs + "]>\n", entries=["&i;"]).plain) == "malformed"
    assert time.perf_counter() - started < 1


def test_memory_does_not_grow_with_the_document() -> None:
    one = entry(name="<name>other</name>").encode()
    start, _, end = Yum(entries=["|"]).plain.partition(b"|")

    def document():
        yield start
        for _ in range(300):
            yield one * 10
        yield end

    tracemalloc.start()
    try:
        assert list(packages(document(), name="azcmagent")) == []
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_raises_only_the_documented_error(data) -> None:
    original, call = data.draw(st.sampled_from([(GOOD.repomd, repomd), (GOOD.plain, listed)]))
    damaged = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ParseError):
        call(bytes(damaged))
