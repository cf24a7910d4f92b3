"""Finding packages in apt repositories."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bundler.errors import NotThereError, UpstreamError, VerificationError
from bundler.model.artifact import AptOrigin, Artifact, YumOrigin
from bundler.model.evidence import PackageFacts
from bundler.model.lock import RepositoryState
from bundler.model.target import Target
from bundler.sources import apt
from bundler.sources.location import Located
from bundler.trust import anchors as trusted
from bundler.trust import apt_chain
from tests.support.package_signing import NOW, Key, anchors
from tests.support.repositories import BASE, DATE, Apt, Served, sha256, stamp, stanza

PINS = anchors(Key())
STANZAS = tuple(stanza(v) for v in ("1.66.1.2", "1.67.03504.1320", "1.67.03504.999", "1.9.1.1", "1.670.1.1"))
REPOSITORY = Apt(stanzas=(*STANZAS, stanza("2.0.0.0", "arm64"), stanza("9.9", Package="azcmagent-other")))


def artifact(version: str = "latest", architecture: str = "amd64", base: str = BASE) -> Artifact:
    return Artifact(
        name="azcmagent",
        kind="deb",
        place="ubuntu/22.04/amd64",
        architecture=architecture,
        version=version,
        targets=(Target(os="ubuntu", version="22.04"),),
        origin=AptOrigin(base=base, suite="jammy", component="main", package="azcmagent"),
    )


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path, REPOSITORY.files())


def locate(served: Served, version: str = "latest", **more) -> Located:
    options = {"anchors": PINS, "at": NOW, **more}
    return apt.locate(artifact(version), served.fetch, **options)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("latest", "1.670.1.1"),
        ("1.67", "1.67.03504.1320"),
        ("1.66", "1.66.1.2"),
        ("1.9", "1.9.1.1"),
        ("1.67.03504.999", "1.67.03504.999"),
    ],
)
def test_the_newest_that_is_wanted_is_chosen(served: Served, wanted: str, found: str) -> None:
    located = locate(served, wanted)
    assert located.version == found
    assert located.url == f"{BASE}/pool/main/a/azcmagent/azcmagent_{found}_amd64.deb"
    assert located.filename == f"azcmagent_{found}_amd64.deb"
    assert located.sha256 == sha256(f"deb of {found} amd64".encode())


def test_the_file_name_decides_nothing(tmp_path: Path) -> None:
    misnamed = stanza("1.68.1.1", Filename="pool/azcmagent_9.9.9.9_arm64.deb")
    located = locate(Served(tmp_path, Apt(stanzas=[misnamed]).files()), "1.68")
    assert (located.version, located.filename) == ("1.68.1.1", "azcmagent_9.9.9.9_arm64.deb")


@pytest.mark.parametrize("wanted", ["1.6", "1.68", "1.67.03504.1", "2.0", "67"])
def test_a_version_that_is_not_there_names_those_that_are(served: Served, wanted: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        locate(served, wanted)
    assert wanted in caught.value.what
    assert "1.67.03504.1320" in caught.value.details
    assert "9.9" not in caught.value.details


def test_an_architecture_without_the_package_is_an_error(served: Served, tmp_path: Path) -> None:
    files = Apt(stanzas=[stanza(arch="amd64")], place="main/binary-arm64").files()
    with pytest.raises(NotThereError, match=f"is not there: the repository {BASE} has none for arm64") as raised:
        apt.locate(artifact(architecture="arm64"), Served(tmp_path, files).fetch, anchors=PINS, at=NOW)
    assert "ubuntu/22.04/x64" in raised.value.what


NOT_THERE = {
    "the architecture is not listed": (Apt(fields={"Architectures": "amd64"}), "arm64", "does not list arm64"),
    "it is listed, without an index": (Apt(place="main/binary-amd64"), "arm64", "lists no readable index"),
    "nothing is listed": (Apt(fields={"Architectures": ""}), "amd64", "does not list amd64, but nothing"),
    "the component is not listed": (Apt(fields={"Components": "contrib"}), "amd64", "does not list main"),
    "no repository": (None, "amd64", "404"),
}


@pytest.mark.parametrize("case", NOT_THERE)
def test_what_verified_metadata_lack_is_not_there(case: str, tmp_path: Path) -> None:
    """And no failed verification: the signature over the list is good."""
    repository, architecture, detail = NOT_THERE[case]
    served = Served(tmp_path, repository.files() if repository else {})
    with pytest.raises(NotThereError) as raised:
        apt.locate(artifact(architecture=architecture), served.fetch, anchors=PINS, at=NOW)
    error = raised.value
    assert error.exit_code == 5
    assert "ubuntu/22.04/x64 is not there" in error.what
    assert BASE in error.what
    assert detail in " ".join(error.details)
    assert error.do.startswith("leave ubuntu/22.04/x64 out of the definition")


@pytest.mark.parametrize(
    "changes",
    [{"fields": {"Suite": "focal", "Codename": "focal"}}, {"key": Key("other")}, {"date": NOW + timedelta(9)}],
)
def test_a_list_that_does_not_verify_says_nothing_of_what_is_there(changes: dict, tmp_path: Path) -> None:
    files = Apt(**changes, **({} if "fields" in changes else {"fields": {"Architectures": "amd64"}})).files()
    with pytest.raises(VerificationError):
        apt.locate(artifact(architecture="arm64"), Served(tmp_path, files).fetch, anchors=PINS, at=NOW)


def test_an_index_that_is_listed_and_missing_is_an_incomplete_repository(served: Served) -> None:
    for url in [url for url in served.files if "Packages" in url]:
        del served.files[url]
    with pytest.raises(UpstreamError, match="although its signed metadata list it") as raised:
        locate(served)
    assert not isinstance(raised.value, NotThereError)


def test_evidence_names_the_documents_and_their_bytes_are_held(served: Served) -> None:
    located = locate(served)
    assert located.evidence is not None
    first, second = located.evidence.documents
    assert first.role == "InRelease"
    assert second.role in {"Packages.gz", "Packages.xz"}
    documents = {d.role: (served.folder / d.sha256).read_bytes() for d in located.evidence.documents}
    facts = PackageFacts(name="azcmagent", version=located.version or "", architecture="amd64")
    again = apt_chain.reverify(
        documents,
        located.evidence,
        facts=facts,
        sha256=located.sha256 or "",
        size=located.size or 0,
        anchors=PINS,
        at=NOW + timedelta(days=2000),
    )
    assert again.evidence == located.evidence
    assert again.state == located.repository


def test_every_request_is_bounded_and_stays_with_its_host(served: Served) -> None:
    locate(served)
    assert served.asked[0].url == f"{BASE}/dists/jammy/InRelease"
    assert all(request.hosts == ("packages.lab.test",) for request in served.asked)
    assert all(0 < request.max_size <= 256 << 20 for request in served.asked)
    assert served.asked[1].sha256
    assert served.asked[1].size


def test_a_port_belongs_to_the_host(tmp_path: Path) -> None:
    base = "https://127.0.0.1:8443/ubuntu/22.04/prod"
    served = Served(tmp_path, REPOSITORY.files(base))
    located = apt.locate(artifact(base=base), served.fetch, anchors=PINS, at=NOW)
    assert located.hosts == ("127.0.0.1:8443",)


def test_the_index_is_requested_by_its_digest_where_that_is_offered(tmp_path: Path) -> None:
    repository = replace(REPOSITORY, fields={"Acquire_By_Hash": "yes"}, suffixes=[".gz"])
    served = Served(tmp_path, repository.files())
    plain = locate(served)
    assert "by-hash" in served.asked[1].url  # a mirror without these names is asked for the plain one
    assert served.asked[2].url.endswith("Packages.gz")
    content = served.files.pop(served.asked[2].url)
    served.files[f"{BASE}/dists/jammy/main/binary-amd64/by-hash/SHA256/{sha256(content)}"] = content
    assert locate(served) == plain


def test_the_state_is_returned_and_a_rollback_is_refused(served: Served) -> None:
    state = locate(served).repository
    assert state is not None
    assert state.date == DATE
    newer = {state.origin: RepositoryState(origin=state.origin, date=DATE + timedelta(hours=1))}
    with pytest.raises(VerificationError) as caught:
        locate(served, states=newer)
    assert caught.value.reason == "rollback"
    assert locate(served, states=newer, allow_older=True).repository == state
    elsewhere = {"https://elsewhere.test jammy": newer[state.origin]}
    assert locate(served, states=elsewhere).repository == state


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"key": Key("other")}, "wrong-key"),
        ({"fields": {"Suite": "noble", "Codename": "noble"}}, "wrong-suite"),
        ({"fields": {"Valid_Until": stamp(NOW - timedelta(days=1))}}, "expired-metadata"),
        ({"stanzas": [stanza(), stanza()]}, "duplicate"),
    ],
)
def test_unverified_metadata_locates_nothing(tmp_path: Path, changes: dict, why: str) -> None:
    with pytest.raises(VerificationError) as caught:
        locate(Served(tmp_path, replace(REPOSITORY, **changes).files()))
    assert caught.value.reason == why


def test_an_index_replaced_under_its_name_is_refused(served: Served) -> None:
    for url in list(served.files):
        if "Packages" in url:
            served.files[url] = Apt().indexes["main/binary-amd64/Packages.gz"]
    with pytest.raises(VerificationError) as caught:
        locate(served)
    assert caught.value.reason == "digest-mismatch"


def test_an_artifact_of_another_origin_is_an_internal_error(served: Served) -> None:
    other = replace(artifact(), origin=YumOrigin(base=BASE, package="azcmagent"))
    with pytest.raises(TypeError):
        apt.locate(other, served.fetch, anchors=PINS, at=NOW)


@pytest.mark.parametrize(
    ("architecture", "suite", "why"),
    [
        ("riscv64", "stable", "InRelease does not list riscv64, but amd64, arm64, armhf"),
        ("i386", "stable", "InRelease does not list i386, but amd64, arm64, armhf"),
    ],
)
def test_microsoft_s_own_list_says_what_it_has_not(
    corpus: Path, tmp_path: Path, architecture: str, suite: str, why: str
) -> None:
    """The real repository of packages.microsoft.com/repos/code, by the anchors that are built in."""
    base = "https://packages.microsoft.com/repos/code"
    inrelease = (corpus / "repository" / "InRelease").read_bytes()
    served = Served(tmp_path, {f"{base}/dists/{suite}/InRelease": inrelease})
    wanted = replace(
        artifact(architecture=architecture),
        targets=(Target(os="debian", version="13", architecture="arm64"),),
        origin=AptOrigin(base=base, suite=suite, component="main", package="code"),
    )
    with pytest.raises(NotThereError) as raised:
        apt.locate(wanted, served.fetch, anchors=trusted.microsoft(), at=NOW)
    error = raised.value
    assert (
        error.what
        == f"azcmagent for debian/13/arm64 is not there: the repository {base} has nothing for {architecture}"
    )
    assert error.details == (f"address: {base}", why)
    assert "leave debian/13/arm64 out of the definition: Microsoft has no such package" in error.do
