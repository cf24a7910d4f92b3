"""What every earlier release made verifies with this one, for ever: the kept bundles, in each container."""

from __future__ import annotations

import json
import re
import tarfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from bundler.cli import console
from bundler.cli.main import main
from bundler.flow import lock_file
from tests.support import shared

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "tests" / "kept"
RELEASES = sorted(path.name for path in KEPT.iterdir())
CONTAINERS = {"directory": "", "zip": ".zip", "tar.gz": ".tar.gz", "7z": ".7z", "7z encrypted": "-linux.7z"}
PASSWORD = "kept"


class Kept(NamedTuple):
    folder: Path
    """With the definition, the lock, the signer's certificate and the trust anchors."""
    bundle: Path
    """The folder of the bundle; its archives are beside it."""
    manifest: dict

    @property
    def created(self) -> datetime:
        return datetime.fromisoformat(self.manifest["created"].replace("Z", "+00:00"))

    def container(self, kind: str) -> Path:
        return self.bundle.with_name(self.bundle.name + CONTAINERS[kind])

    @property
    def trusted(self) -> tuple[str, ...]:
        return "--signer", str(self.folder / "seal-certificate.pem"), "--anchors", str(self.folder / "anchors.json")


@pytest.fixture(params=RELEASES)
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """The bundle of a release, with the clock at its day and its password at hand."""

    def make(folder: Path) -> None:
        with tarfile.open(KEPT / request.param / "bundles.tar.xz") as archive:
            archive.extractall(folder, filter="data")

    made = shared.once(f"kept {request.param}", make)
    (bundle,) = (path for path in made.iterdir() if path.is_dir())
    found = Kept(KEPT / request.param, bundle, json.loads((bundle / "manifest.json").read_text(encoding="utf-8")))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # noqa: ARG003
            return found.created + timedelta(hours=1)

    monkeypatch.setattr(console, "datetime", Clock)
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", PASSWORD)
    return found


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict]:
    capsys.readouterr()
    code = main([*map(str, arguments), "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def test_every_release_is_kept_in_every_container(kept: Kept) -> None:
    for kind in CONTAINERS:
        assert kept.container(kind).exists(), kind
    assert {path.name for path in kept.folder.iterdir()} == {
        *("README.md", "anchors.json", "bundle.lock", "bundle.yaml", "bundles.tar.xz", "seal-certificate.pem")
    }
    assert kept.manifest["tool"] == f"arc-bundler {kept.folder.name}"
    assert kept.manifest["lab"]


def test_no_release_is_missing() -> None:
    """From 0.2.0, the first tag, on. `tools/keep_release.py` makes what is missing."""
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    known = [one for one in released if tuple(map(int, one.split("."))) >= (0, 2, 0)]
    assert known
    assert sorted(known) == RELEASES


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_kept_bundle_verifies(kept: Kept, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = run(capsys, "verify", kept.container(kind), *kept.trusted)
    assert code == 0, found
    assert (found["ok"], found["weakened"], found["lab"]) == (True, [], True)
    assert {package["path"].rsplit(".", 1)[-1] for package in found["packages"]} >= (
        {"deb", "rpm"} if kind == "7z encrypted" else {"deb", "rpm", "msi"}
    )
    if kind != "7z encrypted":
        assert found["digest"] == run(capsys, "verify", kept.bundle, *kept.trusted)[1]["digest"]
        assert found["provenance"], "the provenance beside the bundle is verified"


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_kept_bundle_is_inspected(kept: Kept, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = run(capsys, "inspect", kept.container(kind))
    assert (code, found["manifest"]["tool"]) == (0, kept.manifest["tool"])


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "7z"])
def test_a_kept_bundle_is_compared(kept: Kept, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = run(capsys, "diff", kept.bundle, kept.container(kind))
    assert (code, found["different"]) == (0, False), found


def test_a_kept_lock_is_read_and_compared(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    path = kept.folder / "bundle.lock"
    lock = lock_file.read(path)
    assert lock is not None
    assert {pin.sha256 for pin in lock.pins} == {pin["sha256"] for pin in kept.manifest["pins"]}
    for other in (path, kept.bundle):
        code, found = run(capsys, "diff", path, other)
        assert (code, found["ok"]) == (0, True), found
