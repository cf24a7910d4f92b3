"""Products of other distributions, installed for one test without pip: a module, and what a wheel would leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bundler.products import registry

HELLO = Path(__file__).resolve().parents[1] / "plugin"


def install(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    *,
    product: str,
    value: str,
    distribution: str,
    code: str = "",
    version: str = "1.0",
) -> None:
    """Install a distribution with one entry point below ``folder``; ``code`` becomes the module that it names."""
    about = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", "utf-8")
    (about / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{product} = {value}\n", "utf-8")
    if code:
        (folder / f"{value.partition(':')[0]}.py").write_text(code, "utf-8")
    monkeypatch.syspath_prepend(str(folder))


def install_hello(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Install the product of ``tests/plugin``."""
    monkeypatch.syspath_prepend(str(HELLO))
    install(monkeypatch, folder, product="hello", value="arc_hello:HELLO", distribution="arc-hello")


def forgotten() -> Iterator[None]:
    """What a test loads is unloaded behind it."""
    registry.get.cache_clear()
    registry._loaded.clear()
    yield
    registry.get.cache_clear()
    registry._loaded.clear()
