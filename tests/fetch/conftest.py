"""Fixtures of the download tests: a server that misbehaves on demand, and a downloader for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bundler.fetch.network import Network
from tests.support.downloads import Bench
from tests.support.misbehaving_server import MisbehavingServer, authority, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MisbehavingServer]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_bytes(authority("LAB test authority").pem)
    return path


@pytest.fixture
def bench(server: MisbehavingServer, tmp_path: Path, ca_file: Path) -> Bench:
    server.plan.clear()
    server.asked.clear()
    server.sent = 0
    network = Network(ca_file=ca_file, connect_timeout=5, stall_timeout=0.4, retries=3, backoff=0.5)
    return Bench(server, tmp_path, network)


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Callable[..., MisbehavingServer]]:
    """Starts further servers, each with its own certificate."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(serving(tmp_path, **options))
