"""A jump host with Windows: what it writes for others holds no backslash and no drive of its own."""

from __future__ import annotations

import nturl2path
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyfakefs.fake_filesystem import FakeFilesystem, OSType

from bundler.fetch.download import Downloader
from bundler.fetch.network import Network
from bundler.fetch.store import Store
from bundler.flow import fetch_pins, lock_file
from bundler.flow import lock as locks
from bundler.flow.plan import plan
from bundler.flow.project import Project
from bundler.flow.project import read as read_project
from bundler.formats import json_codec
from bundler.lab.lab import Lab
from bundler.model.lock import Lock
from bundler.model.progress import NullProgress
from tests.support.lab_project import NOW

FOLDER = "C:\\Sites\\T\u014dky\u014d 1"
STORE = "C:\\Store"
MSI = "AzureConnectedMachineAgent.msi"
DEFINITION = """
name: arc-tokyo
version: "1.0"
tenant: 11111111-1111-4111-8111-111111111111
subscription: 22222222-2222-4222-8222-222222222222
resource_group: servers
location: japaneast
authentication: {method: device-code}
targets: [{os: windows}]
upstream:
  anchors: 'trust\\anchors.json'
  packages: [{target: windows/x64, path: 'packages\\AzureConnectedMachineAgent.msi'}]
outputs: [{format: directory}, {format: zip}]
"""


@dataclass
class LabFiles:
    """What the lab gives, read before the file system is another's."""

    anchors: bytes
    msi: bytes


@pytest.fixture(scope="module")
def lab_files(authority: Path, tmp_path_factory: pytest.TempPathFactory) -> LabFiles:
    lab = Lab(authority, NOW)
    with lab:
        found = lab._upstream.find(f"/gbl.his.arc.azure.com/azcmagent/latest/{MSI}")
    # The product's own data are read once and kept: the file system that plays Windows' does not have them.
    folder = tmp_path_factory.mktemp("once")
    (folder / "trust").mkdir()
    (folder / "packages").mkdir()
    (folder / "bundle.yaml").write_text(DEFINITION.replace("\\", "/"), encoding="utf-8")
    (folder / "trust/anchors.json").write_bytes(lab.anchors_file.read_bytes())
    (folder / "packages" / MSI).write_bytes(found.body)
    read = read_project(folder / "bundle.yaml", anchors_file=None, today=NOW.date(), strict=False)
    taken(read, folder / "store")
    return LabFiles(lab.anchors_file.read_bytes(), found.body)


@pytest.fixture
def tokyo(lab_files: LabFiles, fs: FakeFilesystem, monkeypatch: pytest.MonkeyPatch) -> Project:
    fs.os = OSType.WINDOWS
    # What urllib.request has on Windows.
    monkeypatch.setattr("bundler.fetch.download.url2pathname", nturl2path.url2pathname)
    folder = Path(FOLDER)
    for name, content in {
        "bundle.yaml": DEFINITION.encode(),
        "trust\\anchors.json": lab_files.anchors,
        f"packages\\{MSI}": lab_files.msi,
    }.items():
        fs.create_file(str(folder / name), contents=content)
    return read_project(folder / "bundle.yaml", anchors_file=None, today=NOW.date(), strict=False)


def taken(read: Project, store: Path) -> Lock:
    with Downloader(Store(store), Network(), NullProgress(), offline=True) as downloader:
        return locks.resolve(read, downloader, at=NOW, environment={}).lock


def test_a_lock_holds_no_path_of_this_host(tokyo: Project) -> None:
    lock = taken(tokyo, Path(STORE))
    assert [pin.url for pin in lock.pins] == [f"file:packages/{MSI}"]
    assert [pin.path for pin in lock.pins] == [f"payload/windows/x64/{MSI}"]
    path = tokyo.path.with_name("bundle.lock")
    lock_file.write(lock, path)
    assert b"\\" not in path.read_bytes()
    assert b"C:" not in path.read_bytes()
    assert b"\r" not in path.read_bytes()
    assert lock_file.read(path) == lock


def test_it_is_built_from_any_folder_of_the_definition(tokyo: Project) -> None:
    lock = taken(tokyo, Path(STORE))
    (request,) = fetch_pins.requests(lock, Path("D:\\Elsewhere"))
    assert request.url == f"file:///D:/Elsewhere/packages/{MSI}"


def test_a_plan_speaks_of_paths_in_one_way(tokyo: Project) -> None:
    actions = plan(tokyo, taken(tokyo, Path(STORE)), Store(Path(STORE)), Path("D:\\Out")).actions
    written = [action.subject for action in actions if action.verb == "write"]
    assert written == ["D:/Out/arc-tokyo/1.0/arc-tokyo-1.0", "D:/Out/arc-tokyo/1.0/arc-tokyo-1.0.zip"]
    assert not [action for action in actions if "\\" in action.subject]


def test_records_are_the_same_bytes_on_any_system(tokyo: Project) -> None:
    lock = taken(tokyo, Path(STORE))
    assert json_codec.from_json(Lock, json_codec.to_json(lock)) == lock
