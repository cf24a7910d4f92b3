"""Kinds of package beside msi, deb and rpm: programs, archives member by member, and files without a signature."""

from __future__ import annotations

import hashlib
import html
import json
import re
import zipfile
from contextlib import suppress
from datetime import datetime, timezone
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.flow import package_kinds
from bundler.formats import pe_version
from bundler.formats.parse_error import ParseError
from bundler.model.artifact import ArchiveRules
from bundler.products import registry
from bundler.products.arc_server.product import ArcServer
from bundler.trust import anchors as trusted
from tests.conftest import SHARED
from tests.support import plugins

AT = datetime(2026, 11, 30, tzinfo=timezone.utc)
DLL = "good-microsoft-pca2024.dll"
RULES = ArchiveRules(main=f"bin/{DLL}", data_endings=(".txt",))
NOTICE = b"Use at your own risk.\n"
DIGEST = hashlib.sha256(NOTICE).hexdigest()
PROGRAM = SHARED / "corpus" / "authenticode" / DLL
fresh = pytest.fixture(autouse=True)(plugins.forgotten)


@pytest.fixture
def signed(corpus) -> Path:
    return corpus / "authenticode"


def verified(content: bytes, kind: str, archive: ArchiveRules | None = None) -> package_kinds.VerifiedPackage:
    return package_kinds.verify_package(BytesIO(content), kind, anchors=trusted.microsoft(), at=AT, archive=archive)


def packed(members: dict[str, bytes]) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def test_a_program_is_verified_and_says_what_it_is(signed):
    found = verified((signed / DLL).read_bytes(), "pe")
    assert (found.facts.name, found.facts.architecture) == ("Microsoft® Windows® Operating System", "x64")
    assert found.facts.version == "1.31.1.20261023.3.6af1a93"
    assert [one.method for one in found.evidence] == ["authenticode"]


def test_a_program_of_another_publisher_is_refused(signed):
    with pytest.raises(VerificationError) as refused:
        verified((signed / "bad-other-publisher-same-root.dll").read_bytes(), "pe")
    assert refused.value.reason == "wrong-publisher"


@pytest.mark.parametrize("cut", [0, 64, 300, 700, 5000])
def test_a_program_that_is_cut_off_has_no_version(signed, cut):
    content = (signed / DLL).read_bytes()[:cut]
    with pytest.raises(ParseError):
        pe_version.facts(BytesIO(content))


@given(st.lists(st.tuples(st.integers(0, 21_000), st.integers(0, 255)), max_size=8), st.integers(0, 21_856))
def test_a_damaged_program_has_facts_or_a_fault_and_nothing_else(changes, cut):
    content = bytearray(PROGRAM.read_bytes() if PROGRAM.exists() else b"MZ" + bytes(400))
    for at, byte in changes:
        if at < len(content):
            content[at] = byte
    with suppress(ParseError):
        pe_version.facts(BytesIO(bytes(content[:cut])))


def test_an_archive_is_verified_member_by_member(signed):
    dll = (signed / DLL).read_bytes()
    script = (signed / "good-microsoft.psd1").read_bytes()
    found = verified(packed({"read.txt": b"hi", "a.psd1": script, f"bin/{DLL}": dll}), "zip", RULES)
    assert found.facts == verified(dll, "pe").facts
    assert found.evidence[0].signer == verified(dll, "pe").evidence[0].signer
    assert "members verified one by one: 2; plain data without signature: 1" in found.evidence[0].notes
    assert len({(one.fingerprint, one.anchor) for one in found.evidence}) == len(found.evidence)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"run.sh": b"#!/bin/sh\n"}, "unsigned-member"),
        ({"run.exe.TXT": b"MZ" + bytes(200)}, "unknown-kind"),
        ({"empty.bin": b""}, "unsigned-member"),
        ({"../out.txt": b"x"}, "unsafe-name"),
        ({"a.txt": b"x", "A.TXT": b"y"}, "unsafe-name"),
        ({RULES.main: b"only text"}, "unsigned-member"),
        ({RULES.main: None}, "missing-member"),
    ],
)
def test_an_archive_with_a_member_that_nothing_verifies_is_refused(signed, change, reason):
    members = {f"bin/{DLL}": (signed / DLL).read_bytes(), "read.txt": b"hi", **change}
    with pytest.raises(VerificationError) as refused:
        verified(packed({name: content for name, content in members.items() if content is not None}), "zip", RULES)
    assert refused.value.reason == reason


def test_an_archive_with_a_changed_or_foreign_program_is_refused(signed):
    dll = (signed / DLL).read_bytes()
    changed = dll[:1000] + bytes([dll[1000] ^ 1]) + dll[1001:]
    for other, reason in (
        (changed, "digest-mismatch"),
        ((signed / "bad-other-publisher-same-root.dll").read_bytes(), "wrong-publisher"),
    ):
        with pytest.raises(VerificationError) as refused:
            verified(packed({f"bin/{DLL}": dll, "bin/other.dll": other}), "zip", RULES)
        assert refused.value.reason == reason
        assert refused.value.what.startswith("bin/other.dll: ")


def test_an_unsigned_file_is_never_verified_by_its_kind(signed):
    for kind in ("unsigned", "zip"):
        with pytest.raises(VerificationError) as refused:
            verified(NOTICE, kind)
        assert refused.value.reason == "unsigned"


def test_arc_server_admits_its_three_kinds_alone():
    product = ArcServer()
    assert [product.admits(kind, "azcmagent") for kind in ("msi", "deb", "rpm")] == [True] * 3
    assert not any(product.admits(kind, "azcmagent") for kind in ("pe", "zip", "unsigned"))


@pytest.fixture
def hello(project, monkeypatch):
    """A definition of ``hello`` with a notice beside it; ``notice`` are the further keys of the notice."""
    plugins.install_hello(monkeypatch, project.folder / "site")
    (project.folder / "NOTICE").write_bytes(NOTICE)

    def define(notice: str) -> None:
        project.definition.write_text(
            f"product: hello\nname: hello\nversion: '1'\nrepository: {project.lab.packages_url}/ubuntu/22.04/prod\n"
            f"notice: {{path: NOTICE{notice}}}\n"
            "upstream: {ca: lab/authority/ca.pem, anchors: lab/authority/anchors.json}\n"
        )

    define.project = project
    return define


@pytest.mark.parametrize(
    "notice", ["", f", sha256: {DIGEST}", ", accept_unsigned: true", ", sha256: 12ab, accept_unsigned: true"]
)
def test_a_file_without_signature_needs_digest_and_consent(hello, notice):
    hello(notice)
    refused = hello.project.run("lock")
    assert refused.code == 3, refused.err
    assert "notice for notice carries no signature" in refused.err
    assert "accept_unsigned: true" in refused.err
    assert not hello.project.lock.exists()


def test_a_file_without_signature_must_have_the_digest_that_is_given(hello):
    hello(f", sha256: {'ab' * 32}, accept_unsigned: true")
    assert hello.project.run("lock").code == 6


def test_a_product_that_does_not_admit_a_kind_refuses_it(hello, monkeypatch):
    hello(f", sha256: {DIGEST}, accept_unsigned: true")
    monkeypatch.setattr(type(registry.get("hello")), "admits", lambda _, kind, __: kind == "deb")
    refused = hello.project.run("lock")
    assert refused.code == 3
    assert "does not admit notice as a package of kind unsigned" in refused.err


def test_an_accepted_file_is_said_to_be_unsigned_everywhere(hello, monkeypatch):
    hello(f", sha256: {DIGEST}, accept_unsigned: true")
    run = hello.project.run
    assert run("lock").code == 0
    seal = ("--seal-key", "lab/authority/seal-key.pem", "--seal-certificate", "lab/authority/seal-certificate.pem")
    assert run("build", *seal).code == 0
    bundle = hello.project.folder / "bundles/hello/1/hello-1"
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    (pin,) = (one for one in manifest["pins"] if one["kind"] == "unsigned")
    assert [one["method"] for one in pin["evidence"]] == ["admin-pin"]
    assert any("NOT SIGNED" in line for line in manifest["unusual"])
    page = html.unescape(re.sub(r"<[^>]*>", "", (bundle / "review.html").read_text()))
    assert "notice 1 is not signed" in page
    assert "NOT SIGNED: the definition accepts these bytes by their SHA-256" in page
    assert "NOT SIGNED" in run("inspect", str(bundle)).out
    checked = ("verify", str(bundle), "--signer", "lab/authority/seal-certificate.pem")
    anchors = ("--anchors", "lab/authority/anchors.json")
    assert run(*checked, *anchors).code == 0
    # Without the product's consent the manifest's word is worth nothing.
    monkeypatch.setattr(type(registry.get("hello")), "admits", lambda _, kind, __: kind == "deb")
    refused = run(*checked, *anchors, "--format", "json")
    assert refused.code == 6
    assert refused.json["error"]["reason"] == "wrong-kind"
