"""Checking a bundle finds every difference from what was built, and reports all at once."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import json_codec
from bundler.integrity import hashing_reader, sums
from bundler.integrity.check import check, manifest_document, read_manifest
from bundler.model.evidence import PackageFacts
from bundler.model.lock import Pin
from bundler.model.manifest import FileEntry, Manifest

NAME = "arc-lab-1"
FILES = {
    "install.sh": b"#!/bin/bash\n",
    "payload/a/agent.deb": b"package" * 99,
    "evidence/a/InRelease": b"Origin: LAB\n",
    "evidence/empty": b"",
}


@dataclass(frozen=True)
class File:
    path: str
    content: bytes
    mode: int | None = 0o644
    top: str | None = NAME
    time: int | None = None
    time_step: int = 1

    @property
    def size(self) -> int:
        return len(self.content)

    def chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self.content), 100):
            yield self.content[start : start + 100]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _manifest(files: dict[str, bytes] = FILES) -> Manifest:
    time = datetime(2026, 11, 22, tzinfo=timezone.utc)
    package = files.get("payload/a/agent.deb", b"")
    pin = Pin(
        name="azcmagent",
        kind="deb",
        place="a",
        targets=(),
        filename="agent.deb",
        url="https://lab.invalid/agent.deb",
        size=len(package),
        sha256=_sha256(package),
        facts=PackageFacts(name="azcmagent", version="1.67", architecture="amd64"),
        evidence=(),
    )
    return Manifest(
        name="arc-lab",
        version="1",
        product="arc-server",
        created=time,
        tool="arc-bundler test",
        lab=True,
        targets=(),
        parameters={},
        anchors="LAB",
        anchors_sha256="0" * 64,
        lock_sha256="1" * 64,
        pins=(pin,),
        files=tuple(
            FileEntry(path=path, size=len(content), sha256=_sha256(content), mode="0644")
            for path, content in sorted(files.items())
        ),
    )


def _bundle(manifest: Manifest | None = None, files: dict[str, bytes] = FILES) -> dict[str, File]:
    """A whole bundle; a changed ``manifest`` is summed as it is, so that it is the one thing wrong."""
    covered = {**files, "manifest.json": json_codec.to_json(manifest or _manifest(files))}
    listed = sums.render((path, _sha256(content)) for path, content in covered.items())
    return {path: File(path, content) for path, content in {**covered, "SHA256SUMS": listed}.items()}


def _refused(bundle: dict[str, File]) -> VerificationError:
    with pytest.raises(VerificationError) as refused:
        check(bundle.values())
    assert refused.value.details
    assert refused.value.do
    return refused.value


@given(order=st.permutations(sorted(_bundle())))
@settings(max_examples=30)
def test_a_whole_bundle_is_accepted_in_any_order(order: list[str]) -> None:
    bundle = _bundle()
    found = check(bundle[path] for path in order)
    assert found.manifest == _manifest()
    assert found.digest == _sha256(bundle["SHA256SUMS"].content)
    assert found.documents == {path: content for path, content in FILES.items() if path.startswith("evidence/")}


@pytest.mark.parametrize("path", sorted(_bundle()))
def test_every_changed_byte_is_refused(path: str) -> None:
    bundle = _bundle()
    content = bundle[path].content
    for offset in range(0, len(content), max(1, len(content) // 200)):
        changed = content[:offset] + bytes([content[offset] ^ (1 << offset % 8)]) + content[offset + 1 :]
        _refused({**bundle, path: File(path, changed)})
    _refused({**bundle, path: File(path, content + b"\n")})
    _refused({**bundle, path: File(path, content[:-1] or b"x")})


@pytest.mark.parametrize("path", sorted(_bundle()))
def test_every_missing_file_is_refused(path: str) -> None:
    bundle = _bundle()
    del bundle[path]
    refused = _refused(bundle)
    assert refused.reason == ("missing-manifest" if path == "manifest.json" else "missing-file")
    assert any(path in detail for detail in refused.details)


Change = Callable[[dict[str, File]], dict[str, File]]


def _add(file: File) -> Change:
    return lambda bundle: {**bundle, file.path: file}


def _change(path: str, **fields: object) -> Change:
    return lambda bundle: {**bundle, path: replace(bundle[path], **fields)}  # type: ignore[arg-type]


def _with_manifest(**fields: object) -> Change:
    return lambda _: _bundle(replace(_manifest(), **fields))  # type: ignore[arg-type]


def _entries(*more: FileEntry) -> tuple[FileEntry, ...]:
    return (*_manifest().files, *more)


_X = FileEntry(path="x", size=1, sha256=_sha256(b"x"), mode="0644")

CHANGES: dict[str, tuple[Change, str]] = {
    "extra": (_add(File("extra", b"")), "extra-file"),
    "extra-seal": (_add(File("SHA256SUMS.asc", b"")), "extra-file"),
    "extra-evidence": (_add(File("evidence/b", b"")), "extra-file"),
    "case": (_add(File("INSTALL.sh", b"")), "unsafe-name"),
    "escaping": (_add(File("../x", b"")), "unsafe-name"),
    "content": (_change("install.sh", content=b"#!/bin/dash\n"), "digest-mismatch"),
    "longer": (_change("install.sh", content=b"#!/bin/bash\n\n"), "size-mismatch"),
    "mode": (_change("install.sh", mode=0o755), "mode-mismatch"),
    "set-user-id": (_change("install.sh", mode=0o4644), "mode-mismatch"),
    "folder": (_change("install.sh", top="other"), "wrong-folder"),
    "folder-prefix": (_change("install.sh", top="arc-lab-11"), "wrong-folder"),
    "folder-of-another-version": (_change("install.sh", top="arc-lab-1-2"), "wrong-folder"),
    "not-json": (_change("manifest.json", content=b"{"), "malformed-manifest"),
    "not-text": (_change("manifest.json", content=b"\xff\xfe"), "malformed-manifest"),
    "not-object": (_change("manifest.json", content=b"[]"), "malformed-manifest"),
    "deep-json": (_change("manifest.json", content=b"[" * 100_000), "malformed-manifest"),
    "other-schema": (_with_manifest(schema="arc-bundler/manifest/2"), "newer-manifest"),
    "schema-of-something-else": (_with_manifest(schema="arc-bundler/diff/2"), "malformed-manifest"),
    "schema-without-number": (_with_manifest(schema="arc-bundler/manifest/"), "malformed-manifest"),
    "lists-itself": (
        _with_manifest(files=_entries(replace(_X, path="SHA256SUMS"))),
        "malformed-manifest",
    ),
    "lists-twice": (_with_manifest(files=_entries(_manifest().files[0])), "malformed-manifest"),
    "lists-more": (_with_manifest(files=_entries(_X)), "missing-file"),
    "lists-less": (_with_manifest(files=_manifest().files[:2]), "malformed-manifest"),
    "pins-other-bytes": (
        _with_manifest(pins=(replace(_manifest().pins[0], sha256="2" * 64),)),
        "malformed-manifest",
    ),
    "pins-what-is-not-there": (
        _with_manifest(pins=(replace(_manifest().pins[0], filename="other.deb"),)),
        "malformed-manifest",
    ),
    "sums-in-other-order": (
        _change("SHA256SUMS", content=b"".join(reversed(_bundle()["SHA256SUMS"].content.splitlines(True)))),
        "sums-mismatch",
    ),
    "sums-with-carriage-returns": (
        _change("SHA256SUMS", content=_bundle()["SHA256SUMS"].content.replace(b"\n", b"\r\n")),
        "sums-mismatch",
    ),
    "sums-of-another-bundle": (
        _change("SHA256SUMS", content=_bundle(files={"install.sh": b""})["SHA256SUMS"].content),
        "sums-mismatch",
    ),
}


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES.keys())
def test_each_difference_has_its_reason(change: Change, reason: str) -> None:
    assert _refused(change(_bundle())).reason == reason


def test_a_platform_may_follow_the_folder_name_and_a_directory_may_be_called_anything() -> None:
    for top in (None, NAME, f"{NAME}-windows"):
        check(replace(file, top=top) for file in _bundle().values())


def test_modes_that_a_container_does_not_keep_are_not_missed() -> None:
    check(replace(file, mode=None) for file in _bundle().values())


def test_all_findings_are_reported_at_once() -> None:
    bundle = _bundle()
    del bundle["evidence/empty"]
    bundle["extra"] = File("extra", b"")
    bundle["install.sh"] = replace(bundle["install.sh"], content=b"other", mode=0o755)
    details = "\n".join(_refused(bundle).details)
    for part in (
        "'evidence/empty' is missing",
        "'extra' is not in",
        "'install.sh' has 5 bytes",
        "'install.sh' has mode",
    ):
        assert part in details
    many = {**bundle, **{f"x{n}": File(f"x{n}", b"") for n in range(99)}}
    assert len(_refused(many).details) == 21


def test_what_is_kept_is_what_was_checked() -> None:
    kept: dict[str, io.BytesIO] = {}

    def keep(path: str) -> io.BytesIO | None:
        return kept.setdefault(path, io.BytesIO()) if path.startswith("payload/") else None

    check(_bundle().values(), sink_for=keep)
    assert {path: file.getvalue() for path, file in kept.items()} == {
        "payload/a/agent.deb": FILES["payload/a/agent.deb"]
    }


@pytest.mark.parametrize("limit", ["MAX_DOCUMENT", "MAX_DOCUMENTS"])
def test_documents_are_bounded(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing_reader, limit, 50)
    assert _refused(_bundle()).reason == "document-too-large"


def test_the_manifest_alone_is_read_without_what_follows() -> None:
    def members() -> Iterator[File]:
        yield from (_bundle()[path] for path in ("install.sh", "manifest.json"))
        raise AssertionError

    assert read_manifest(manifest_document(members())) == _manifest()
    with pytest.raises(VerificationError) as refused:
        manifest_document([File("install.sh", b"")])
    assert refused.value.reason == "missing-manifest"


def test_a_manifest_alone_is_bounded() -> None:
    with pytest.raises(VerificationError) as refused:
        read_manifest(b"{" * (hashing_reader.MAX_DOCUMENT + 1))
    assert refused.value.reason == "document-too-large"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_for_a_manifest_or_sums_are_refused_in_our_own_words(content: bytes) -> None:
    for path in ("manifest.json", "SHA256SUMS"):
        _refused({**_bundle(), path: File(path, content)})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_field_of_a_manifest_may_be_anything(data: st.DataObject) -> None:
    tree = json.loads(json_codec.to_json(_manifest()))
    where = data.draw(st.sampled_from([tree, tree["files"][0], tree["pins"][0], tree["pins"][0]["facts"]]))
    key = data.draw(st.sampled_from(sorted(where)))
    where[key] = data.draw(_json)
    changed = json.dumps(tree).encode()
    if changed != json_codec.to_json(_manifest()):
        _refused({**_bundle(), "manifest.json": File("manifest.json", changed)})
