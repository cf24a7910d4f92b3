"""The wheel, built once, and environments that have it and nothing of the checkout."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundler.lab import announcement
from tests.support import shared

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="session")
def wheel() -> Path:
    return built("wheel", ROOT)


def built(name: str, source: Path) -> Path:
    """The wheel of the distribution in ``source``, built once."""
    (made,) = shared.once(name, lambda folder: build(folder, source)).glob("*.whl")
    return made


def build(folder: Path, source: Path) -> None:
    # Without isolation: hatchling is among the development tools, and nothing is asked of the network.
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that has the wheel, and borrows its dependencies from ours."""
    return environment(tmp_path_factory.mktemp("installed") / "venv", wheel)


def pip(commands: Path, *arguments: str) -> None:
    """Run pip for the environment with its commands in ``commands``, without the network."""
    names = (Path(sys.executable).name, "python", "python.exe")
    python = next(path for path in (commands / name for name in names) if path.exists())
    own = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run([*own, *arguments], check=True, capture_output=True)


def environment(folder: Path, *wheels: Path) -> Path:
    """The folder of commands of a new environment with the ``wheels``, which borrows their dependencies from ours."""
    venv.create(folder, with_pip=False)
    python = folder / SCRIPTS / Path(sys.executable).name
    python = python if python.exists() else folder / SCRIPTS / "python"
    pip(folder / SCRIPTS, "install", "--quiet", "--no-index", "--no-deps", *map(str, wheels))
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    library = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    # Folders named in a .pth come last, and .pth files in *them* are not read: our editable install stays unseen.
    (library / "borrowed.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    return folder / SCRIPTS


class Elsewhere:
    """Runs the installed command in a folder that has nothing to do with the checkout."""

    def __init__(self, commands: Path, folder: Path) -> None:
        self.command = str(commands / ("arc-bundler.exe" if os.name == "nt" else "arc-bundler"))
        self.folder = folder
        unwanted = ("PYTHONPATH", "ARC_BUNDLER_")
        self.environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith(unwanted)},
            "ARC_BUNDLER_STORE": str(folder / "store"),
        }

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.command, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, *arguments: str) -> str:
        process = self.begin(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out

    @contextmanager
    def lab(self) -> Iterator[None]:
        process = self.begin("lab", "--dir", "lab", "--port", "0")
        try:
            until = time.monotonic() + 60
            while not (self.folder / "lab" / announcement.NAME).is_file():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < until, "the lab has not announced itself"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.fixture
def elsewhere(installed: Path, tmp_path: Path) -> Elsewhere:
    return Elsewhere(installed, tmp_path)
