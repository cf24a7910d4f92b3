"""Fetches one address into one store: what a process does that tests kill."""

from __future__ import annotations

from pathlib import Path

from bundler.fetch.download import Downloader
from bundler.fetch.network import Network
from bundler.fetch.request import Request
from bundler.fetch.store import Store
from bundler.model.progress import NullProgress


def main(url: str, store: str, ca_file: str) -> None:
    network = Network(ca_file=Path(ca_file), retries=0)
    with Downloader(Store(Path(store)), network, NullProgress()) as downloader:
        downloader.fetch(Request(url, label="it", hosts=(), max_size=50_000_000))
