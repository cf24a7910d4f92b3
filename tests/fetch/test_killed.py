"""After a kill at any point, or with two processes, the next run completes and no wrong file has a final name."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import sys
import threading
from multiprocessing.process import BaseProcess

import pytest

from tests.support import fetch_once
from tests.support.downloads import Bench
from tests.support.misbehaving_server import Exchange, File

CONTEXT = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
CONTEXT.set_forkserver_preload(["bundler.fetch.download", "tests.support.fetch_once"])
CONTENT = random.Random(3).randbytes(4_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
POINTS = 100


def start(bench: Bench) -> BaseProcess:
    """A process forked from one that has everything imported: a hundred of them take seconds."""
    arguments = (bench.server.url("/agent.msi"), str(bench.store.root), str(bench.network.ca_file))
    process = CONTEXT.Process(target=fetch_once.main, args=arguments)
    process.start()
    return process


def ended(process: BaseProcess) -> int | None:
    process.join(60)
    return process.exitcode


def sound(bench: Bench) -> bool:
    return all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in bench.objects())


def held(bench: Bench) -> int:
    return sum(path.stat().st_size for path in bench.partials())


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_sigkill_at_many_points(bench: Bench) -> None:
    """Each process is killed after the server has sent a further part of the file, so each makes some progress."""
    killed = 0
    running: list[BaseProcess] = []

    class Killer(File):
        def __call__(self, exchange: Exchange) -> None:
            nonlocal killed
            start = self._start(exchange) or 0
            upto = (killed + 1) * len(CONTENT) // (POINTS + 1) - start
            self.cut, self.ending = (max(upto, 0), kill) if killed < POINTS else (None, Exchange.hang_up)
            super().__call__(exchange)

    def kill(exchange: Exchange) -> None:
        nonlocal killed
        # Some are killed at once, some after they had time to write what they got.
        exchange.server.stop.wait(0.004 * (killed % 5))
        running[-1].kill()
        killed += 1
        exchange.hang_up()

    bench.server.plan["/agent.msi"] = [Killer(CONTENT)]
    began: list[int] = []
    for _ in range(POINTS + 1):
        before = held(bench)
        running.append(start(bench))
        ended(running[-1])
        assert sound(bench)
        asked = bench.server.asked[-1].headers.get("Range", "bytes=0-")
        began.append(int(asked.removeprefix("bytes=").removesuffix("-")))
        assert began[-1] == before  # nothing that was there is fetched again
    assert killed == POINTS
    assert began[-1] > 0
    assert running[-1].exitcode == 0
    assert bench.store.path(SHA256).read_bytes() == CONTENT
    assert bench.partials() == []


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_sigkill_around_the_last_byte(bench: Bench) -> None:
    """Killed between the last byte and the final name, complete or not: the next run ends with the right bytes."""
    for point in range(10):
        for path in (*bench.objects(), *bench.partials()):
            path.unlink()
        victim: list[BaseProcess] = []

        class Last(File):
            def __call__(self, exchange: Exchange, point: int = point, victim: list = victim) -> None:  # type: ignore[type-arg]
                super().__call__(exchange)
                exchange.server.stop.wait(0.002 * point)
                victim[0].kill()

        bench.server.plan["/agent.msi"] = [Last(CONTENT), File(CONTENT)]
        victim.append(start(bench))
        ended(victim[0])
        assert sound(bench)
        assert ended(start(bench)) == 0
        assert bench.store.path(SHA256).read_bytes() == CONTENT
        assert bench.partials() == []


def test_two_processes_at_once(bench: Bench) -> None:
    bench.server.plan["/agent.msi"] = [File(CONTENT, pause=0.002)]
    assert [ended(each) for each in [start(bench), start(bench), start(bench)]] == [0, 0, 0]
    assert sound(bench)
    assert [path.name for path in bench.objects()] == [SHA256]
    assert bench.partials() == []


def test_a_waiting_process_uses_the_others_download(bench: Bench) -> None:
    bench.server.plan["/agent.msi"] = [File(CONTENT, pause=0.005)]
    request = bench.request("/agent.msi", sha256=SHA256)
    with bench.downloader() as one, bench.downloader() as two:
        threads = [threading.Thread(target=each.fetch, args=(request,)) for each in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert bench.store.check(SHA256)
    assert len(bench.server.asked) == 1
    assert bench.heard.said("another process")
