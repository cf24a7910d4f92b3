"""An upstream, a store, a downloader between them, and progress that remembers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

from typing_extensions import Self

from bundler.fetch.download import Downloader
from bundler.fetch.network import Network
from bundler.fetch.request import Request
from bundler.fetch.store import Store
from bundler.model.progress import Task
from tests.support.misbehaving_server import MisbehavingServer


@dataclass
class Heard:
    """Progress that remembers."""

    notes: list[str] = field(default_factory=list)
    tasks: list[tuple[str, int | None, int]] = field(default_factory=list)
    moved: int = 0
    open: int = 0

    def task(self, label: str, total: int | None, done: int = 0) -> Task:
        self.tasks.append((label, total, done))
        heard = self

        class Each:
            def advance(self, amount: int) -> None:
                heard.moved += amount

            def note(self, message: str) -> None:
                heard.notes.append(message)

            def __enter__(self) -> Self:
                heard.open += 1
                return self

            def __exit__(self, *_: object) -> None:
                heard.open -= 1

        return Each()

    def said(self, words: str) -> bool:
        return any(words in note for note in self.notes)


@dataclass
class Bench:
    """An upstream and everything to fetch from it."""

    server: MisbehavingServer
    folder: Path
    network: Network
    heard: Heard = field(default_factory=Heard)
    slept: list[float] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return Store(self.folder / "store")

    def downloader(self, **options: object) -> Downloader:
        network = options.pop("network", self.network)
        return Downloader(
            self.store, network, self.heard, sleep=self.slept.append, random=random.Random(0).random, **options
        )

    def request(self, path: str, **options: object) -> Request:
        plain = Request(self.server.url(path), label=path, hosts=(), max_size=50_000_000)
        return replace(plain, **options)

    def objects(self) -> list[Path]:
        return sorted(path for path in (self.folder / "store" / "objects").rglob("*") if path.is_file())

    def partials(self) -> list[Path]:
        return sorted((self.folder / "store" / "partial").glob("*.part"))
