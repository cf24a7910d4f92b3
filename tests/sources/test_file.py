"""A local package is found, and then treated like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import UpstreamError
from bundler.fetch.download import Downloader
from bundler.fetch.network import Network
from bundler.fetch.request import Request
from bundler.fetch.store import Store
from bundler.model.artifact import Artifact, FileOrigin, PackageKind
from bundler.model.progress import NullProgress
from bundler.sources.location import locate_file


def artifact(path: str, kind: PackageKind = "deb") -> Artifact:
    return Artifact(
        name="azcmagent",
        kind=kind,
        place="ubuntu/22.04/amd64",
        architecture="amd64",
        version="latest",
        targets=(),
        origin=FileOrigin(path=path),
    )


@pytest.mark.parametrize("absolute", [True, False])
def test_it_is_found_and_can_be_fetched(tmp_path: Path, absolute: bool) -> None:
    package = tmp_path / "debs" / "azcmagent_1.67_amd64.deb"
    package.parent.mkdir()
    package.write_bytes(b"a package")
    found = locate_file(artifact(str(package) if absolute else "debs/azcmagent_1.67_amd64.deb"), tmp_path)
    assert found.url == package.as_uri()
    assert found.filename == package.name
    assert found.version is None
    request = Request(found.url, label="it", hosts=found.hosts, max_size=100)
    with Downloader(Store(tmp_path / "store"), Network(), NullProgress(), offline=True) as downloader:
        assert downloader.fetch(request).path.read_bytes() == b"a package"


def test_a_name_that_is_no_name_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "agent (1).deb").write_bytes(b"x")
    assert locate_file(artifact("agent (1).deb"), tmp_path).filename == "azcmagent.deb"


@pytest.mark.parametrize("path", ["nothing.deb", ".", "../nothing"])
def test_what_is_not_there(tmp_path: Path, path: str) -> None:
    with pytest.raises(UpstreamError) as raised:
        locate_file(artifact(path), tmp_path)
    assert raised.value.do


@given(st.text(max_size=300))
def test_any_path_is_found_or_refused(path: str) -> None:
    with pytest.raises(UpstreamError):
        locate_file(artifact(f"nowhere at all/{path}"), Path("/folder that is not"))
