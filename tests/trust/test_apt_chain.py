"""Verifying apt repositories, from the signature to the package."""

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
from bundler.model.anchor import Anchors, PackageKey
from bundler.model.evidence import Document, Evidence, PackageFacts
from bundler.model.lock import RepositoryState
from bundler.trust.apt_chain import AptChain, AptPackage, reverify
from bundler.trust.repository import WrongOrder
from tests.support.package_signing import NOW, Key, anchors
from tests.support.packages import control, deb
from tests.support.repositories import BASE, DATE, Apt, sha256, stamp, stanza

KEY = Key()
PINS = anchors(KEY)
INDEX = "main/binary-amd64/Packages"


def chain(pins: Anchors = PINS, suite: str = "jammy", component: str = "main", architecture: str = "amd64") -> AptChain:
    return AptChain(pins, suite=suite, component=component, architecture=architecture)


def followed(repository: Apt, suffix: str = ".gz", **wanted) -> tuple[AptPackage, ...]:
    links = chain(**wanted)
    links.release(repository.inrelease, NOW)
    links.index(f"{INDEX}{suffix}", repository.indexes[f"{INDEX}{suffix}"])
    return links.packages("azcmagent")


def reason(call, *args, **kwargs) -> str:
    with pytest.raises(VerificationError) as caught:
        call(*args, **kwargs)
    return caught.value.reason


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".zst"])
def test_packages_are_found_in_every_compression(suffix: str) -> None:
    found = followed(Apt(suffixes=[suffix]), suffix)
    assert [(p.version, p.architecture) for p in found] == [("1.67.03504.1320", "amd64"), ("1.66.1.2", "amd64")]
    assert found[0].path == "pool/main/a/azcmagent/azcmagent_1.67.03504.1320_amd64.deb"
    assert found[0].sha256 == sha256(b"deb of 1.67.03504.1320 amd64")
    assert found[0].size == len(b"deb of 1.67.03504.1320 amd64")


def test_packages_for_all_architectures_are_found() -> None:
    assert followed(Apt(stanzas=[stanza(arch="all")]))[0].architecture == "all"


def test_the_smallest_index_is_offered_first() -> None:
    links = chain()
    links.release(Apt(stanzas=[stanza(f"1.{i}") for i in range(50)]).inrelease, NOW)
    assert [entry.path.removeprefix(INDEX) for entry in links.indexes()][-1] == ""


def test_no_other_order_is_accepted() -> None:
    repository = Apt()
    links = chain()
    for early in (
        links.indexes,
        lambda: links.index(INDEX, b""),
        lambda: links.packages("a"),
        lambda: links.evidence([]),
    ):
        with pytest.raises(WrongOrder):
            early()
    links.release(repository.inrelease, NOW)
    for wrong in (
        lambda: links.release(repository.inrelease, NOW),
        lambda: links.packages("a"),
        lambda: links.evidence([]),
    ):
        with pytest.raises(WrongOrder):
            wrong()
    links.index(INDEX, repository.indexes[INDEX])
    with pytest.raises(WrongOrder):
        links.index(INDEX, repository.indexes[INDEX])


def test_a_refused_document_does_not_count() -> None:
    links = chain()
    assert reason(links.release, Apt(key=Key("other")).inrelease, NOW) == "wrong-key"
    with pytest.raises(WrongOrder):
        links.indexes()


@pytest.mark.parametrize(
    ("repository", "why"),
    [
        (Apt(key=Key("other")), "wrong-key"),
        (Apt(key=Key(digest="sha1")), "weak-digest"),
        (Apt(fields={"Suite": "noble", "Codename": "noble"}), "wrong-suite"),
        (Apt(fields={"Suite": "", "Codename": ""}), "wrong-suite"),
        (Apt(fields={"Components": "contrib"}), "not-listed"),
        (Apt(fields={"Components": ""}), "not-listed"),
        (Apt(fields={"Architectures": "arm64"}), "not-listed"),
        (Apt(fields={"Date": ""}), "malformed"),
        (Apt(fields={"Date": "yesterday"}), "malformed"),
        (Apt(fields={"Date": "Fri, 31 Feb 2020 09:29:35 UTC"}), "malformed"),
        (Apt(fields={"Date": "Fri, 18 Feb 2022 09:29:35 CET"}), "malformed"),
        (Apt(fields={"Date": stamp(NOW + timedelta(days=2))}), "future-metadata"),
        (Apt(fields={"Valid_Until": stamp(NOW - timedelta(minutes=5))}), "expired-metadata"),
        (Apt(fields={"SHA256": "", "SHA1": "\n " + "0" * 40 + f" 5 {INDEX}"}), "weak-digest"),
        (Apt(fields={"SHA256": "\n garbage"}), "malformed"),
        (Apt(extra="\n " + "0" * 64 + f" 5 {INDEX}.gz"), "duplicate"),
        (Apt(extra="\n " + "0" * 64 + " 5 ../../secret"), "unsafe-path"),
        (Apt(extra="\n " + "0" * 64 + " 5 /etc/passwd"), "unsafe-path"),
        (Apt(extra="\nSuite: jammy"), "duplicate"),
        (Apt(extra="\n\nSuite: jammy"), "malformed"),
    ],
)
def test_a_release_that_cannot_be_relied_on(repository: Apt, why: str) -> None:
    assert reason(chain().release, repository.inrelease, NOW) == why


def test_a_revoked_or_expired_key() -> None:
    assert reason(chain(anchors(Key(revoked=True))).release, Apt().inrelease, NOW) == "revoked-key"
    key = Key(expires=DATE - timedelta(days=1))
    assert reason(chain(anchors(key)).release, Apt(key=key).inrelease, NOW) == "expired-key"
    key = Key(expires=DATE + timedelta(days=1))
    chain(anchors(key)).release(Apt(key=key).inrelease, NOW)


def test_the_suite_is_found_by_either_name() -> None:
    repository = Apt(fields={"Suite": "stable", "Codename": "bookworm"})
    for name in ("stable", "bookworm"):
        chain(suite=name).release(repository.inrelease, NOW)


def test_an_unsigned_release_is_refused() -> None:
    assert reason(chain().release, Apt().release.encode(), NOW) == "unsigned"


def test_an_older_state_is_refused_unless_allowed() -> None:
    older = RepositoryState(origin=BASE, date=DATE + timedelta(seconds=1))
    assert reason(chain().release, Apt().inrelease, NOW, older=older) == "rollback"
    chain().release(Apt().inrelease, NOW, older=older, allow_older=True)
    chain().release(Apt().inrelease, NOW, older=replace(older, date=DATE))


def test_an_index_that_is_not_the_signed_one_is_refused() -> None:
    links = chain()
    links.release(Apt().inrelease, NOW)
    other = Apt(stanzas=[stanza("9.9")]).indexes
    assert reason(links.index, f"{INDEX}.gz", other[f"{INDEX}.gz"]) == "digest-mismatch"
    assert reason(links.index, f"{INDEX}.zst", b"") == "not-listed"
    assert reason(links.index, "main/binary-arm64/Packages.gz", b"") == "not-listed"


def test_no_index_that_can_be_read() -> None:
    links = chain()
    links.release(Apt(suffixes=[], extra="\n " + "0" * 64 + f" 5 {INDEX}.bz2").inrelease, NOW)
    assert reason(links.indexes) == "not-listed"


@pytest.mark.parametrize(
    ("stanzas", "why"),
    [
        ([stanza(), stanza()], "duplicate"),
        ([stanza(), stanza(content=b"other")], "duplicate"),
        ([stanza() + "Version: 2\n"], "duplicate"),
        ([stanza(Filename="../../etc/passwd")], "unsafe-path"),
        ([stanza(Filename="/etc/passwd")], "unsafe-path"),
        ([stanza(Filename="pool/./a.deb")], "unsafe-path"),
        ([stanza(Filename="pool//a.deb")], "unsafe-path"),
        ([stanza(Filename="pool\\..\\a.deb")], "unsafe-path"),
        ([stanza(Filename="pool/%2e%2e/a.deb")], "unsafe-path"),
        ([stanza(Filename="https://elsewhere.test/a.deb")], "unsafe-path"),
        ([stanza(Filename="")], "unsafe-path"),
        ([stanza(SHA256="", SHA1="0" * 40)], "weak-digest"),
        ([stanza(SHA256="xyz")], "weak-digest"),
        ([stanza(Size="-1")], "malformed"),
        ([stanza(Version="one two")], "malformed"),
        ([stanza(Architecture="../x")], "malformed"),
        (["\x00"], "malformed"),
    ],
)
def test_an_index_that_cannot_be_relied_on(stanzas: list[str], why: str) -> None:
    assert reason(followed, Apt(stanzas=stanzas)) == why


def test_faults_of_other_packages_do_not_matter() -> None:
    other = stanza(Package="other", SHA256="", Filename="../x")
    assert len(followed(Apt(stanzas=[other, other, stanza()]))) == 1


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(100 << 20))
    small = b"Package: a\n"
    listed = f"\n {sha256(bomb)} {len(bomb)} {INDEX}.gz\n {sha256(small)} {len(small)} {INDEX}"
    links = chain()
    links.release(Apt(suffixes=[], extra=listed).inrelease, NOW)
    links.index(f"{INDEX}.gz", bomb)
    assert reason(links.packages, "azcmagent") == "too-big"


def test_a_bomb_that_is_signed_as_such_is_not_unpacked_either() -> None:
    bomb = gzip.compress(bytes(10 << 20))
    links = chain()
    listed = f"\n {sha256(bomb)} {len(bomb)} {INDEX}.gz\n {'0' * 64} {10 << 30} {INDEX}"
    links.release(Apt(suffixes=[], extra=listed).inrelease, NOW)
    assert reason(links.index, f"{INDEX}.gz", bomb) == "too-big"


def test_a_bomb_without_a_listed_size_ends_at_its_first_line() -> None:
    bomb = gzip.compress(b"Package: " + b"x" * (100 << 20))
    links = chain()
    links.release(Apt(suffixes=[], extra=f"\n {sha256(bomb)} {len(bomb)} {INDEX}.gz").inrelease, NOW)
    links.index(f"{INDEX}.gz", bomb)
    assert reason(links.packages, "azcmagent") == "too-big"


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_flipped_byte_is_refused_or_changes_nothing(data) -> None:
    repository = Apt(stanzas=[stanza()], suffixes=[".gz"])
    documents = [bytearray(repository.inrelease), bytearray(repository.indexes[f"{INDEX}.gz"])]
    which = data.draw(st.integers(0, 1))
    position = data.draw(st.integers(0, len(documents[which]) - 1))
    documents[which][position] ^= data.draw(st.integers(1, 255))
    links = chain()
    with contextlib.suppress(VerificationError):
        links.release(bytes(documents[0]), NOW)
        links.index(f"{INDEX}.gz", bytes(documents[1]))
        assert which == 0
        assert links.packages("azcmagent") == followed(repository)


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_signed_nonsense_raises_only_what_is_documented(noise: bytes) -> None:
    text = noise.decode("latin-1").replace("\r", "")
    with contextlib.suppress(VerificationError):
        chain().release(KEY.clear_signed(text, DATE), NOW)
    with contextlib.suppress(VerificationError):
        followed(Apt(stanzas=[stanza() + text]))


class TestAgain:
    """Verifying again, from stored documents."""

    REPOSITORY = Apt()
    PACKAGE = b"deb of 1.67.03504.1320 amd64"
    FACTS = PackageFacts(name="azcmagent", version="1.67.03504.1320", architecture="amd64")

    def kept(self, repository: Apt = REPOSITORY) -> dict[str, bytes]:
        return {"InRelease": repository.inrelease, "Packages.gz": repository.indexes[f"{INDEX}.gz"]}

    def evidence(self, repository: Apt = REPOSITORY) -> Evidence:
        kept = self.kept(repository)
        places = {"InRelease": "InRelease", "Packages.gz": f"{INDEX}.gz"}
        links = chain(anchors(repository.key))
        links.release(kept["InRelease"], NOW, fresh=False)
        links.index(places["Packages.gz"], kept["Packages.gz"])
        return links.evidence(
            [
                Document(role=role, url=f"{BASE}/dists/jammy/{places[role]}", sha256=sha256(data), size=len(data))
                for role, data in kept.items()
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
        evidence = self.evidence()
        assert evidence.method == "apt-repository"
        assert (evidence.signer, evidence.signed_at) == (KEY.user_id, DATE)
        assert [document.role for document in evidence.documents] == ["InRelease", "Packages.gz"]
        assert self.again() == evidence

    def test_asks_no_freshness(self) -> None:
        old = Apt(fields={"Valid_Until": stamp(NOW - timedelta(days=1))})
        assert self.again(self.evidence(old), self.kept(old)) == self.evidence(old)

    def test_refuses_another_package(self) -> None:
        assert reason(self.again, package=b"another") == "not-listed"
        assert reason(self.again, facts=replace(self.FACTS, name="other")) == "not-listed"

    def test_refuses_a_package_that_differs_from_its_metadata(self) -> None:
        assert reason(self.again, facts=replace(self.FACTS, version="1.68")) == "metadata-mismatch"
        assert reason(self.again, facts=replace(self.FACTS, architecture="arm64")) == "metadata-mismatch"

    def test_refuses_missing_and_changed_documents(self) -> None:
        kept = self.kept()
        assert reason(self.again, documents={"InRelease": kept["InRelease"]}) == "missing-document"
        assert reason(self.again, documents={**kept, "Packages.gz": kept["Packages.gz"] + b"x"}) == "digest-mismatch"
        evidence = self.evidence()
        assert reason(self.again, replace(evidence, documents=evidence.documents[:1])) == "missing-document"
        assert reason(self.again, replace(evidence, documents=evidence.documents[::-1])) == "missing-document"

    def test_refuses_documents_of_another_suite(self) -> None:
        evidence = self.evidence()
        elsewhere = tuple(replace(d, url=d.url.replace("jammy", "noble")) for d in evidence.documents)
        assert reason(self.again, replace(evidence, documents=elsewhere)) == "wrong-suite"

    def test_refuses_documents_of_other_anchors(self) -> None:
        assert reason(self.again, pins=anchors(Key("other"))) == "wrong-key"


class TestMicrosoft:
    """The real repository of packages.microsoft.com/repos/code, of 2022-02-18."""

    def links(self, corpus: Path) -> AptChain:
        fingerprint = "BC528686B50D79E339D3721CEB3E94ADBE1229CF"
        armored = (corpus / "keys" / "microsoft.asc").read_text()
        pin = PackageKey(name="Microsoft", fingerprint=fingerprint, armored=armored, source="corpus")
        return chain(Anchors(name="Microsoft", package_keys=(pin,)), suite="stable")

    def test_verifies_down_to_the_package(self, corpus: Path) -> None:
        links = self.links(corpus)
        release = links.release((corpus / "repository" / "InRelease").read_bytes(), NOW)
        assert f"{release.date:%Y-%m-%d %H:%M}" == "2022-02-18 09:29"
        index = gzip.decompress((corpus / "repository" / "main_binary-amd64_Packages.gz").read_bytes())
        links.index(INDEX, index)  # the corpus has it packed anew
        newest = links.packages("code")[0]
        assert newest.version == "1.64.2-1644445741"
        assert newest.sha256 == "2cd40f44554d7cc5cb0bd4550370a0a1098aa43b76980ee718a58e1ccf82254e"

    def test_is_of_no_other_suite(self, corpus: Path) -> None:
        links = chain(self.links(corpus)._anchors, suite="jammy")
        assert reason(links.release, (corpus / "repository" / "InRelease").read_bytes(), NOW) == "wrong-suite"


TOOLS = ("gpg", "reprepro")


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
def test_a_repository_of_reprepro_and_gpg_verifies(tmp_path: Path) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)

    def run(*command: str) -> bytes:
        environment = {"PATH": "/usr/bin:/bin", "GNUPGHOME": str(home), "HOME": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=environment).stdout

    run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", "LAB <lab@localhost>", "rsa2048", "sign", "never")
    armored = run("gpg", "--armor", "--export").decode()
    fingerprint = run("gpg", "--with-colons", "--list-keys").decode().partition("fpr:::::::::")[2][:40]
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "distributions").write_text(
        f"Codename: jammy\nSuite: jammy\nArchitectures: amd64\nComponents: main\nSignWith: {fingerprint}\n"
        "ValidFor: 7d\n"
    )
    package = deb(text=control(more="Section: misc\nPriority: optional\n"))
    (tmp_path / "a.deb").write_bytes(package)
    run("reprepro", "-b", ".", "includedeb", "jammy", "a.deb")
    run("gpgconf", "--kill", "all")
    pin = PackageKey(name="gpg", fingerprint=fingerprint, armored=armored, source="made by gpg")
    links = chain(Anchors(name="LAB", package_keys=(pin,)))
    release = links.release((tmp_path / "dists" / "jammy" / "InRelease").read_bytes(), NOW + timedelta(minutes=10))
    assert release.valid_until is not None
    entry = links.indexes()[0]
    links.index(entry.path, (tmp_path / "dists" / "jammy" / entry.path).read_bytes())
    (found,) = links.packages("azcmagent")
    assert (found.sha256, found.size) == (sha256(package), len(package))
    assert (tmp_path / found.path).read_bytes() == package
