"""Keep one sealed LAB bundle of a release, in each container, for the tests of all later releases.

Run once for a release, when the version is set and before it is tagged: ``python tools/keep_release.py``. It writes
``tests/kept/VERSION/``, which is never changed again: every later release must verify it. For another tag, put that
tag's tree first on ``PYTHONPATH``. The lab runs on this machine; nothing is downloaded.
"""

from __future__ import annotations

import argparse
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bundler

KEPT = Path(__file__).resolve().parent.parent / "tests" / "kept"
COMMAND = (sys.executable, "-m", "bundler")
KEYS = Path("lab/authority")
CERTIFICATE, ANCHORS = KEYS / "seal-certificate.pem", KEYS / "anchors.json"
TARGETS = ("windows", "ubuntu/22.04", "rhel/9")
PASSWORD = "kept"  # noqa: S105  # of a stand-in that holds no secret
OUTPUTS = """outputs:
  - {format: directory}
  - {format: zip}
  - {format: tar.gz}
  - {format: 7z}
  - {format: 7z, archives: per-platform, encrypted: true}
"""
START_LIMIT = 60.0  # seconds for the lab to make its keys and packages on a slow machine

README = """# A bundle of arc-bundler {version}

Made by `tools/keep_release.py` with the tree that was tagged `v{version}`, on Python {python}; never changed since. The
agent is the lab's stand-in, the signer the lab's. The keys are not kept.

| file | what it is |
|---|---|
| `bundles.tar.xz` | the folder, zip, tar.gz and 7z of one sealed bundle, and an encrypted 7z for one platform |
| `seal-certificate.pem`, `anchors.json` | the signer's certificate, and the trust anchors of the packages |
| `bundle.yaml`, `bundle.lock` | the definition and the lock that they were built from |

The password of the encrypted 7z is `{password}`. The commands were:

```
arc-bundler lab --dir lab --port 0 &
arc-bundler init --lab lab {targets}
arc-bundler lock
arc-bundler build --locked --seal-key lab/authority/seal-key.pem --seal-certificate lab/authority/seal-certificate.pem
```

`tests/flow/test_kept_releases.py` verifies them with the clock at the day of the bundle.
"""


def main() -> int:
    """Make and keep the bundle of the release that is imported; returns the exit code."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    version = bundler.__version__
    if "dev" in version:
        sys.exit(f"{version} is no release: set the version first")
    place = KEPT / version
    if place.exists():
        sys.exit(f"{place} is there already; what a release made is never changed")
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        _build(folder)
        _verify(folder)
        _keep(folder, place, version)
    size = sum(file.stat().st_size for file in place.iterdir())
    print(f"{place}: {size / 1000:.0f} kB. Commit it with the release.")
    return 0


def _build(folder: Path) -> None:
    with _lab(folder / "lab"):
        targets = [argument for target in TARGETS for argument in ("--target", target)]
        _run(folder, "init", "--lab", "lab", *targets)
        definition = folder / "bundle.yaml"
        before, _, _ = definition.read_text(encoding="utf-8").partition("\noutputs:")
        definition.write_text(f"{before}\n{OUTPUTS}", encoding="utf-8")
        _run(folder, "lock")
        key = str(KEYS / "seal-key.pem")
        _run(folder, "build", "--locked", "--seal-key", key, "--seal-certificate", str(CERTIFICATE))


def _verify(folder: Path) -> None:
    outputs = [path for path in _outputs(folder) if path.is_dir() or path.suffix in (".zip", ".gz", ".7z")]
    for path in outputs:
        _run(folder, "verify", str(path), "--signer", str(CERTIFICATE), "--anchors", str(ANCHORS))


def _outputs(folder: Path) -> list[Path]:
    """What the build made, but of the encrypted archives, one for each platform, the one for Linux alone."""
    (made,) = (folder / "bundles").glob("*/*")
    return sorted(path for path in made.iterdir() if "-windows." not in path.name)


def _keep(folder: Path, place: Path, version: str) -> None:
    place.mkdir(parents=True)
    for name in (CERTIFICATE, ANCHORS, Path("bundle.yaml"), Path("bundle.lock")):
        shutil.copyfile(folder / name, place / name.name)
    # One window over all containers: what they hold is the same, so it is stored once.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 64 << 20}]
    with (
        lzma.open(place / "bundles.tar.xz", "wb", filters=filters) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in _outputs(folder):
            archive.add(path, path.name, filter=_anonymous)
    targets = " ".join(f"--target {target}" for target in TARGETS)
    python = ".".join(map(str, sys.version_info[:3]))
    readme = README.format(version=version, python=python, password=PASSWORD, targets=targets)
    (place / "README.md").write_text(readme, encoding="utf-8")


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


@contextmanager
def _lab(folder: Path) -> Iterator[None]:
    with subprocess.Popen([*COMMAND, "lab", "--dir", str(folder), "--port", "0"], stderr=subprocess.DEVNULL) as lab:
        try:
            until = time.monotonic() + START_LIMIT
            while not (folder / "lab.json").exists():
                if lab.poll() is not None or time.monotonic() > until:
                    sys.exit("the lab did not start")
                time.sleep(0.1)
            yield
        finally:
            lab.terminate()


def _run(folder: Path, *arguments: str) -> None:
    print(f"$ arc-bundler {' '.join(arguments)}", flush=True)
    store = {"ARC_BUNDLER_STORE": str(folder / "store"), "ARC_BUNDLER_PASSWORD": PASSWORD}
    subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env={**os.environ, **store}, check=True, stdout=subprocess.DEVNULL
    )


if __name__ == "__main__":
    sys.exit(main())
