"""Finding packages in yum repositories."""

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
from bundler.sources import yum
from bundler.sources.location import Located
from bundler.trust import yum_chain
from tests.support.package_signing import NOW, Key, anchors
from tests.support.repositories import DATE, Served, Yum, entry, sha256

PINS = anchors(Key())
BASE = "https://packages.lab.test/rhel/9/prod"
BUILDS = (("1.66.1", "2"), ("1.67.03504", "1320"), ("1.67.03504", "999"), ("1.9.1", "1"), ("1.670.1", "1"))
REPOSITORY = Yum(entries=(*(entry(*build) for build in BUILDS), entry("2.0.0", "0", "aarch64")))


def artifact(version: str = "latest", architecture: str = "x86_64") -> Artifact:
    return Artifact(
        name="azcmagent",
        kind="rpm",
        place="rhel/9/x86_64",
        architecture=architecture,
        version=version,
        targets=(Target(os="rhel", version="9"),),
        origin=YumOrigin(base=BASE, package="azcmagent"),
    )


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path, REPOSITORY.files(BASE))


def locate(served: Served, version: str = "latest", architecture: str = "x86_64", **more) -> Located:
    options = {"anchors": PINS, "at": NOW, **more}
    return yum.locate(artifact(version, architecture), served.fetch, **options)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("latest", "1.670.1-1"),
        ("1.67", "1.67.03504-1320"),
        ("1.66", "1.66.1-2"),
        ("1.9", "1.9.1-1"),
        ("1.67.03504-999", "1.67.03504-999"),
        ("1.67.03504.999", "1.67.03504-999"),
    ],
)
def test_the_newest_that_is_wanted_is_chosen(served: Served, wanted: str, found: str) -> None:
    located = locate(served, wanted)
    version, _, release = found.partition("-")
    assert located.version == found
    assert located.url == f"{BASE}/Packages/a/azcmagent-{found}.x86_64.rpm"
    assert located.sha256 == sha256(f"rpm of {version} {release} x86_64".encode())


def test_the_other_architecture(served: Served) -> None:
    assert locate(served, architecture="aarch64").version == "2.0.0-0"
    with pytest.raises(NotThereError, match="has none for ppc64le") as raised:
        locate(served, architecture="ppc64le")
    assert raised.value.exit_code == 5
    assert raised.value.do.startswith("leave ")


def test_no_repository_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match="there is no repository at https://"):
        locate(Served(tmp_path, {}))


@pytest.mark.parametrize("wanted", ["1.6", "1.68", "1.67.03504-1", "2.0"])
def test_a_version_that_is_not_there_names_those_that_are(served: Served, wanted: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        locate(served, wanted)
    assert "1.67.03504-1320" in caught.value.details


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".zst"])
def test_evidence_names_the_documents_and_their_bytes_are_held(tmp_path: Path, suffix: str) -> None:
    served = Served(tmp_path, replace(REPOSITORY, suffix=suffix).files(BASE))
    located = locate(served)
    assert located.evidence is not None
    roles = [document.role for document in located.evidence.documents]
    assert roles == ["repomd.xml", "repomd.xml.asc", f"primary.xml{suffix}"]
    again = yum_chain.reverify(
        {d.role: (served.folder / d.sha256).read_bytes() for d in located.evidence.documents},
        located.evidence,
        facts=PackageFacts(name="azcmagent", version=located.version or "", architecture="x86_64"),
        sha256=located.sha256 or "",
        size=located.size or 0,
        anchors=PINS,
        at=NOW + timedelta(days=2000),
    )
    assert again.evidence == located.evidence
    assert again.state == located.repository


def test_every_request_is_bounded_and_stays_with_its_host(served: Served) -> None:
    locate(served)
    assert len(served.asked) == 3
    assert all(request.hosts == ("packages.lab.test",) for request in served.asked)
    assert all(0 < request.max_size <= 256 << 20 for request in served.asked)
    assert served.asked[2].sha256 == sha256(REPOSITORY.primary)


def test_the_state_is_returned_and_a_rollback_is_refused(served: Served) -> None:
    state = locate(served).repository
    assert state == RepositoryState(origin=BASE, date=DATE)
    newer = {BASE: RepositoryState(origin=BASE, date=DATE + timedelta(hours=1))}
    with pytest.raises(VerificationError) as caught:
        locate(served, states=newer)
    assert caught.value.reason == "rollback"
    assert locate(served, states=newer, allow_older=True).repository == state


def test_unverified_metadata_locates_nothing(tmp_path: Path) -> None:
    with pytest.raises(VerificationError) as caught:
        locate(Served(tmp_path, replace(REPOSITORY, key=Key("other")).files(BASE)))
    assert caught.value.reason == "wrong-key"


def test_a_repository_without_signature_is_an_upstream_fault(served: Served) -> None:
    del served.files[f"{BASE}/repodata/repomd.xml.asc"]
    with pytest.raises(UpstreamError):
        locate(served)


def test_an_artifact_of_another_origin_is_an_internal_error(served: Served) -> None:
    origin = AptOrigin(base=BASE, suite="jammy", component="main", package="azcmagent")
    with pytest.raises(TypeError):
        yum.locate(replace(artifact(), origin=origin), served.fetch, anchors=PINS, at=NOW)
