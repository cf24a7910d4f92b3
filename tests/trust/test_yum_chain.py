"""Verifying yum repositories, from the signature to the package."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats.repodata import Package
from bundler.model.anchor import Anchors, PackageKey
from bundler.model.evidence import Document, Evidence, PackageFacts
from bundler.model.lock import RepositoryState
from bundler.trust.repository import WrongOrder
from bundler.trust.yum_chain import YumChain, reverify
from tests.support.package_signing import NOW, Key, anchors
from tests.support.packages import rpm
from tests.support.repositories import DATE, Yum, entry, sha256

KEY = Key()
PINS = anchors(KEY)
GOOD = Yum()
BASE = "https://packages.lab.test/rhel/9/prod"


def begun(repository: Yum = GOOD, pins: Anchors = PINS) -> YumChain:
    links = YumChain(pins)
    links.repomd(repository.repomd, repository.signature, NOW)
    return links


def followed(repository: Yum = GOOD) -> tuple[Package, ...]:
    links = begun(repository)
    links.primary(repository.primary)
    return links.packages("azcmagent", "x86_64")


def reason(call, *args, **kwargs) -> str:
    with pytest.raises(VerificationError) as caught:
        call(*args, **kwargs)
    return caught.value.reason


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".zst"])
def test_packages_are_found_in_every_compression(suffix: str) -> None:
    found = followed(Yum(suffix=suffix))
    assert [(p.version, p.architecture) for p in found] == [("1.67.03504-1320", "x86_64"), ("1.66.1-2", "x86_64")]


def test_packages_for_all_architectures_are_found() -> None:
    assert followed(Yum(entries=[entry(arch="noarch")]))[0].architecture == "noarch"


def test_no_other_order_is_accepted() -> None:
    links = YumChain(PINS)
    for early in (lambda: links.primary(b""), lambda: links.packages("a", "b"), lambda: links.evidence([])):
        with pytest.raises(WrongOrder):
            early()
    links = begun()
    with pytest.raises(WrongOrder):
        links.repomd(GOOD.repomd, GOOD.signature, NOW)
    with pytest.raises(WrongOrder):
        links.packages("a", "b")
    links.primary(GOOD.primary)
    with pytest.raises(WrongOrder):
        links.primary(GOOD.primary)


@pytest.mark.parametrize(
    ("repository", "why"),
    [
        (Yum(key=Key("other")), "wrong-key"),
        (Yum(key=Key(digest="sha1")), "weak-digest"),
        (Yum(changes={"checksum": '<checksum type="sha">00</checksum>'}), "weak-digest"),
        (Yum(changes={"timestamp": f"<timestamp>{int(NOW.timestamp()) + 9000}</timestamp>"}), "future-metadata"),
        (Yum(head="<!DOCTYPE repomd>"), "malformed"),
    ],
)
def test_a_repomd_that_cannot_be_relied_on(repository: Yum, why: str) -> None:
    assert reason(begun, repository) == why


def test_unsigned_tampered_and_text_signed() -> None:
    assert reason(YumChain(PINS).repomd, GOOD.repomd, b"", NOW) == "unsigned"
    assert reason(YumChain(PINS).repomd, GOOD.repomd, b"<html>", NOW) == "malformed"
    assert reason(YumChain(PINS).repomd, GOOD.repomd + b" ", GOOD.signature, NOW) == "bad-signature"
    text = KEY.text_detached(GOOD.repomd, DATE)
    assert reason(YumChain(PINS).repomd, GOOD.repomd, text, NOW) == "bad-signature"


def test_a_revoked_or_expired_key() -> None:
    assert reason(begun, GOOD, anchors(Key(revoked=True))) == "revoked-key"
    assert reason(begun, GOOD, anchors(Key(expires=DATE - timedelta(days=1)))) == "expired-key"
    begun(GOOD, anchors(Key(expires=DATE + timedelta(days=1))))


def test_an_older_state_is_refused_unless_allowed() -> None:
    older = RepositoryState(origin=BASE, date=DATE + timedelta(seconds=1))
    call = YumChain(PINS).repomd
    assert reason(call, GOOD.repomd, GOOD.signature, NOW, older=older) == "rollback"
    YumChain(PINS).repomd(GOOD.repomd, GOOD.signature, NOW, older=older, allow_older=True)
    YumChain(PINS).repomd(GOOD.repomd, GOOD.signature, NOW, older=replace(older, date=DATE))


def test_a_primary_that_is_not_the_signed_one_is_refused() -> None:
    assert reason(begun().primary, Yum(entries=[entry("9")]).primary) == "digest-mismatch"
    assert reason(begun().primary, GOOD.primary + b"\0") == "digest-mismatch"


def test_the_unpacked_digest_is_checked_too() -> None:
    wrong = Yum(changes={"open-checksum": f'<open-checksum type="sha256">{"0" * 64}</open-checksum>'})
    assert reason(begun(wrong).primary, wrong.primary) == "digest-mismatch"
    longer = Yum(changes={"open-size": "<open-size>999999</open-size>"})
    assert reason(begun(longer).primary, longer.primary) == "digest-mismatch"


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(100 << 20))
    changes = {
        "checksum": f'<checksum type="sha256">{sha256(bomb)}</checksum>',
        "size": f"<size>{len(bomb)}</size>",
        "open-size": "<open-size>5000</open-size>",
    }
    assert reason(begun(Yum(changes=changes)).primary, bomb) == "too-big"
    honest = {**changes, "open-size": f"<open-size>{10 << 30}</open-size>"}
    assert reason(begun(Yum(changes=honest)).primary, bomb) == "too-big"


def test_an_unknown_compression_is_refused() -> None:
    strange = Yum(changes={"location": '<location href="repodata/primary.xml.zck"/>'})
    assert reason(begun(strange).primary, strange.primary) == "unsupported"


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([entry(), entry()], "duplicate"),
        ([entry(), entry(checksum=f'<checksum type="sha256">{"0" * 64}</checksum>')], "duplicate"),
        ([entry(location='<location href="../../x.rpm"/>')], "unsafe-path"),
        ([entry(checksum='<checksum type="sha">00</checksum>')], "weak-digest"),
        ([entry(version='<version epoch="0" ver="1 2" rel="1"/>')], "malformed"),
        ([entry(version="")], "malformed"),
        (["<unclosed>"], "malformed"),
    ],
)
def test_a_primary_that_cannot_be_relied_on(entries: list[str], why: str) -> None:
    assert reason(followed, Yum(entries=entries)) == why


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_flipped_byte_is_refused_or_changes_nothing(data) -> None:
    documents = [bytearray(GOOD.repomd), bytearray(GOOD.signature), bytearray(GOOD.primary)]
    which = data.draw(st.integers(0, 2))
    documents[which][data.draw(st.integers(0, len(documents[which]) - 1))] ^= data.draw(st.integers(1, 255))
    links = YumChain(PINS)
    with contextlib.suppress(VerificationError):
        links.repomd(bytes(documents[0]), bytes(documents[1]), NOW)
        links.primary(bytes(documents[2]))
        assert which == 1  # the armor's own text, or a hint that is not hashed
        assert links.packages("azcmagent", "x86_64") == followed()


class TestAgain:
    """Verifying again, from stored documents."""

    PACKAGE = b"rpm of 1.67.03504 1320 x86_64"
    FACTS = PackageFacts(name="azcmagent", version="1.67.03504-1320", architecture="x86_64")

    def kept(self) -> dict[str, bytes]:
        return {"repomd.xml": GOOD.repomd, "repomd.xml.asc": GOOD.signature, "primary.xml.gz": GOOD.primary}

    def evidence(self) -> Evidence:
        links = begun()
        links.primary(GOOD.primary)
        return links.evidence(
            [
                Document(role=role, url=f"{BASE}/repodata/{role}", sha256=sha256(data), size=len(data))
                for role, data in self.kept().items()
            ]
        )

    def again(
        self, evidence: Evidence | None = None, documents=None, facts=FACTS, pins=PINS, package=PACKAGE
    ) -> Evidence:
        return reverify(
            self.kept() if documents is None else documents,
            evidence or self.evidence(),
            facts=facts,
            sha256=sha256(package),
            size=len(package),
            anchors=pins,
            at=NOW,
        ).evidence

    def test_gives_the_same_evidence(self) -> None:
        assert self.evidence().method == "yum-repository"
        assert self.again() == self.evidence()

    def test_refuses_another_package(self) -> None:
        assert reason(self.again, package=b"another") == "not-listed"
        assert reason(self.again, facts=replace(self.FACTS, name="other")) == "not-listed"

    def test_refuses_a_package_that_differs_from_its_metadata(self) -> None:
        assert reason(self.again, facts=replace(self.FACTS, version="1.68-1")) == "metadata-mismatch"
        assert reason(self.again, facts=replace(self.FACTS, architecture="aarch64")) == "not-listed"

    def test_refuses_missing_and_changed_documents(self) -> None:
        kept = self.kept()
        assert reason(self.again, documents={}) == "missing-document"
        assert reason(self.again, documents={**kept, "repomd.xml": b"x"}) == "digest-mismatch"
        evidence = self.evidence()
        assert reason(self.again, replace(evidence, documents=evidence.documents[:2])) == "missing-document"

    def test_refuses_documents_of_other_anchors(self) -> None:
        assert reason(self.again, pins=anchors(Key("other"))) == "wrong-key"


TOOLS = ("gpg", "createrepo_c")


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
@pytest.mark.parametrize("compression", ["gz", "xz"])
def test_a_repository_of_createrepo_and_gpg_verifies(tmp_path: Path, compression: str) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)

    def run(*command: str) -> bytes:
        environment = {"PATH": "/usr/bin:/bin", "GNUPGHOME": str(home), "HOME": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=environment).stdout

    run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "LAB <lab@localhost>", "ed25519", "sign", "never")
    armored = run("gpg", "--armor", "--export").decode()
    fingerprint = run("gpg", "--with-colons", "--list-keys").decode().partition("fpr:::::::::")[2][:40]
    package = rpm(KEY)
    (tmp_path / "repository" / "Packages").mkdir(parents=True)
    (tmp_path / "repository" / "Packages" / "a.rpm").write_bytes(package)
    run("createrepo_c", f"--general-compress-type={compression}", "repository")
    run("gpg", "--armor", "--detach-sign", "repository/repodata/repomd.xml")
    run("gpgconf", "--kill", "all")
    links = YumChain(
        Anchors(
            name="LAB", package_keys=(PackageKey(name="g", fingerprint=fingerprint, armored=armored, source="gpg"),)
        )
    )
    repodata = tmp_path / "repository" / "repodata"
    repomd = links.repomd(
        (repodata / "repomd.xml").read_bytes(),
        (repodata / "repomd.xml.asc").read_bytes(),
        NOW + timedelta(minutes=10),
    )
    links.primary((tmp_path / "repository" / repomd.primary.path).read_bytes())
    (found,) = links.packages("azcmagent", "x86_64")
    assert (found.version, found.path, found.sha256) == ("1.67.03504-1320", "Packages/a.rpm", sha256(package))
