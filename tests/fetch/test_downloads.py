"""Parallel downloads, offline use, local files and interruptions."""

from __future__ import annotations

import hashlib
import random
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyfakefs.fake_filesystem import FakeFilesystem

from bundler.errors import UpstreamError, UsageError, VerificationError, WriteError
from bundler.fetch import ranges, retry
from bundler.fetch.download import Downloader, file_of
from bundler.fetch.network import Network
from bundler.model.progress import NullProgress
from tests.support.downloads import Bench
from tests.support.misbehaving_server import Exchange, File, stall, status

FILES = {f"/{number}": random.Random(number).randbytes(200_000 + number) for number in range(12)}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_results_keep_the_order_and_each_url_is_fetched_once(bench: Bench) -> None:
    bench.server.plan.update({path: [File(content)] for path, content in FILES.items()})
    requests = [bench.request(path) for path in FILES]
    with bench.downloader() as downloader:
        received = downloader.fetch_all([*requests, requests[0]])
    assert [each.sha256 for each in received] == [*map(digest, FILES.values()), digest(FILES["/0"])]
    assert len(bench.server.asked) == len(FILES)
    assert bench.heard.moved == sum(map(len, FILES.values()))
    assert {total for _, total, _ in bench.heard.tasks} == {len(content) for content in FILES.values()}


def test_no_requests_need_no_network(bench: Bench) -> None:
    with bench.downloader() as downloader:
        assert downloader.fetch_all([]) == ()


def test_downloads_run_in_parallel(bench: Bench) -> None:
    together = threading.Barrier(4, timeout=20)

    class Meeting(File):
        def __call__(self, exchange: Exchange) -> None:
            together.wait()
            super().__call__(exchange)

    bench.server.plan.update({path: [Meeting(FILES[path])] for path in list(FILES)[:4]})
    network = replace(bench.network, stall_timeout=30)
    with bench.downloader(network=network) as downloader:
        downloader.fetch_all([bench.request(path) for path in list(FILES)[:4]])
    assert not together.broken


def test_the_first_failure_cancels_the_others_and_keeps_their_partial_files(bench: Bench) -> None:
    begun = threading.Event()

    def begin_and_stall(exchange: Exchange) -> None:
        begun.set()
        stall(exchange)

    def refuse(exchange: Exchange) -> None:
        begun.wait(20)
        exchange.server.stop.wait(0.3)
        exchange.answer(404)

    content = FILES["/0"]
    bench.server.plan = {"/0": [File(content, cut=100_000, ending=begin_and_stall)], "/gone": [refuse]}
    # Without cutting the connection, the silent one would last for ten minutes.
    network = replace(bench.network, stall_timeout=600)
    with bench.downloader(network=network) as downloader, pytest.raises(UpstreamError, match="404"):
        downloader.fetch_all([bench.request("/0"), bench.request("/gone")])
    assert bench.objects() == []
    assert [path.stat().st_size for path in bench.partials()] == [100_000]
    bench.server.plan["/0"] = [File(content)]
    with bench.downloader() as downloader:
        downloader.fetch(bench.request("/0"))
    assert bench.server.asked[-1].headers["Range"] == "bytes=100000-"


def test_a_download_beside_cancelled_ones_continues_and_is_correct(bench: Bench) -> None:
    """Aborting connections must never give a reader encrypted bytes, or an early end."""
    content = random.Random(9).randbytes(6_000_000)

    def refuse(exchange: Exchange) -> None:
        exchange.server.stop.wait(0.1)
        exchange.answer(404)

    bench.server.plan = {"/big": [File(content, pause=0.004)], "/silent": [stall], "/gone": [refuse]}
    received: list[bytes] = []
    with bench.downloader(network=replace(bench.network, stall_timeout=600, retries=20)) as downloader:

        def fetch() -> None:
            received.append(downloader.fetch(bench.request("/big")).path.read_bytes())

        beside = threading.Thread(target=fetch)
        beside.start()
        for _ in range(3):
            with pytest.raises(UpstreamError, match="404"):
                downloader.fetch_all([bench.request("/silent"), bench.request("/gone")])
        beside.join()
    assert received == [content]
    assert bench.heard.said("continued after")


def test_a_wait_is_cancelled_too(bench: Bench) -> None:
    waiting = threading.Event()

    def busy(exchange: Exchange) -> None:
        exchange.answer(503, Retry_After="250")
        waiting.set()

    def refuse(exchange: Exchange) -> None:
        waiting.wait(20)
        exchange.server.stop.wait(0.2)
        exchange.answer(404)

    bench.server.plan = {"/busy": [busy], "/gone": [refuse]}
    network = replace(bench.network, stall_timeout=600)
    with Downloader(bench.store, network, NullProgress()) as downloader, pytest.raises(UpstreamError, match="404"):
        downloader.fetch_all([bench.request("/busy"), bench.request("/gone")])


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_control_c_stops_the_downloads(bench: Bench) -> None:
    def interrupt(exchange: Exchange) -> None:
        time.sleep(0.2)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        stall(exchange)

    bench.server.plan = {"/0": [File(FILES["/0"], cut=100_000, ending=interrupt)], "/1": [stall]}
    network = replace(bench.network, stall_timeout=600)
    with bench.downloader(network=network) as downloader, pytest.raises(KeyboardInterrupt):
        downloader.fetch_all([bench.request("/0"), bench.request("/1")])
    assert bench.heard.open == 0
    assert [path.stat().st_size for path in bench.partials()] == [100_000]
    bench.server.plan["/0"] = [File(FILES["/0"])]
    with bench.downloader() as downloader:
        assert downloader.fetch(bench.request("/0")).path.read_bytes() == FILES["/0"]


def test_offline_uses_only_the_store(bench: Bench) -> None:
    content = FILES["/0"]
    sha256 = bench.store.put(content)
    with bench.downloader(offline=True) as downloader:
        held = downloader.fetch(bench.request("/0", sha256=sha256))
        assert (held.sha256, held.size) == (sha256, len(content))
        for request in (bench.request("/0"), bench.request("/0", sha256="0" * 64)):
            with pytest.raises(UpstreamError, match="not in the store"):
                downloader.fetch(request)
    assert bench.server.asked == []


def test_a_local_file_is_imported_into_the_store(bench: Bench) -> None:
    source = bench.folder / "azcm agent (1).msi"
    source.write_bytes(FILES["/0"])
    request = bench.request("/", url=source.as_uri())
    with bench.downloader(offline=True) as downloader:
        assert downloader.fetch(request).path.read_bytes() == FILES["/0"]
        with pytest.raises(VerificationError) as raised:
            downloader.fetch(replace(request, sha256="0" * 64))
    assert raised.value.reason == "digest-mismatch"


def test_missing_space_is_detected_before_the_first_request(bench: Bench) -> None:
    requests = [bench.request("/0", size=10**18), bench.request("/1", size=10**18)]
    with bench.downloader() as downloader, pytest.raises(WriteError, match="not enough space for 2 downloads"):
        downloader.fetch_all(requests)
    assert bench.server.asked == []


def test_missing_space_for_the_announced_length(bench: Bench) -> None:
    bench.server.plan["/0"] = [lambda exchange: exchange.answer(200, b"", 10**17)]
    with bench.downloader() as downloader, pytest.raises(WriteError, match="not enough space for /0"):
        downloader.fetch(bench.request("/0", max_size=10**19))
    assert bench.objects() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_disk_that_fills_up_during_the_download(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The partial file's descriptor is redirected to /dev/full after a while, so that the system reports ENOSPC."""
    import os

    from bundler.fetch.partial import Partial

    honest = Partial.append

    def append(partial: Partial, piece: bytes) -> None:
        if partial.offset > 50_000:
            full = os.open("/dev/full", os.O_WRONLY)
            os.dup2(full, partial._opened().fileno())
            os.close(full)
        honest(partial, piece)

    content = FILES["/0"]
    bench.server.plan["/0"] = [File(content)]
    with bench.downloader() as downloader:
        with monkeypatch.context() as patch:
            patch.setattr(Partial, "append", append)
            with pytest.raises(WriteError) as raised:
                downloader.fetch(bench.request("/0"))
        assert "free space" in raised.value.do
        assert bench.objects() == []
        kept = bench.partials()[0].stat().st_size
        assert kept > 50_000
        assert downloader.fetch(bench.request("/0")).path.read_bytes() == content
    assert bench.server.asked[-1].headers["Range"] == f"bytes={kept}-"


@pytest.mark.parametrize("damage", [b"{", b"", b'{"url": 1}', b"\xff" * 100, b"[]"])
def test_an_unreadable_state_starts_over(bench: Bench, damage: bytes) -> None:
    bench.server.plan["/0"] = [File(FILES["/0"], cut=100_000)] * 4 + [File(FILES["/0"])]
    network = replace(bench.network, retries=0)
    with bench.downloader(network=network) as downloader:
        with pytest.raises(UpstreamError):
            downloader.fetch(bench.request("/0"))
        bench.partials()[0].with_suffix(".json").write_bytes(damage)
        bench.server.plan["/0"] = [File(FILES["/0"])]
        assert downloader.fetch(bench.request("/0")).path.read_bytes() == FILES["/0"]
    assert "Range" not in bench.server.asked[-1].headers


def test_a_partial_file_that_is_too_long_starts_over(bench: Bench) -> None:
    bench.server.plan["/0"] = [File(FILES["/0"], cut=100_000)]
    with bench.downloader(network=replace(bench.network, retries=0)) as downloader:
        with pytest.raises(UpstreamError):
            downloader.fetch(bench.request("/0"))
        bench.partials()[0].write_bytes(bytes(300_000))
        bench.server.plan["/0"] = [File(FILES["/0"])]
        assert downloader.fetch(bench.request("/0")).path.read_bytes() == FILES["/0"]


def test_a_damaged_partial_file_is_detected_by_the_expected_digest(bench: Bench) -> None:
    content = FILES["/0"]
    bench.server.plan["/0"] = [File(content, cut=100_000), status(404)]
    request = bench.request("/0", sha256=digest(content), size=len(content))
    with bench.downloader(network=replace(bench.network, retries=1)) as downloader:
        with pytest.raises(UpstreamError):
            downloader.fetch(request)
        bench.partials()[0].write_bytes(bytes(100_000))
        bench.server.plan["/0"] = [File(content)]
        assert downloader.fetch(request).path.read_bytes() == content
    assert bench.heard.said("starting over")


def test_a_complete_partial_file_with_an_expected_digest_needs_no_request(bench: Bench) -> None:
    content = FILES["/0"]
    with bench.downloader(network=replace(bench.network, retries=0)) as downloader:
        bench.server.plan["/0"] = [File(content, cut=100_000)]
        with pytest.raises(UpstreamError):
            downloader.fetch(bench.request("/0"))
        bench.partials()[0].write_bytes(content)
        asked = len(bench.server.asked)
        assert downloader.fetch(bench.request("/0", sha256=digest(content))).path.read_bytes() == content
    assert len(bench.server.asked) == asked


@pytest.mark.parametrize("content", [b"", b"no certificate", None])
def test_a_ca_file_without_certificates(bench: Bench, content: bytes | None) -> None:
    path = bench.folder / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="CA file"):
        Downloader(bench.store, Network(ca_file=path), NullProgress())


def test_a_ca_file_from_the_environment(bench: Bench) -> None:
    bench.server.plan["/0"] = [File(FILES["/0"])]
    network = Network(environment={"REQUESTS_CA_BUNDLE": str(bench.network.ca_file)})
    with bench.downloader(network=network) as downloader:
        assert downloader.fetch(bench.request("/0")).size == len(FILES["/0"])


def test_request_headers(bench: Bench) -> None:
    bench.server.plan["/0"] = [status(200, b"x", Set_Cookie="a=b; Path=/")]
    with bench.downloader() as downloader:
        downloader.fetch(bench.request("/0"))
        downloader.fetch(bench.request("/0"))
    for asked in bench.server.asked:
        assert asked.headers.keys() == {"Host", "User-Agent", "Accept", "Accept-Encoding"}
        assert asked.headers["User-Agent"].startswith("arc-bundler/")


# --- rules ----------------------------------------------------------------------------------------------------------


@given(failures=st.integers(1, 10_000), base=st.floats(0.01, 10), chance=st.floats(0, 1))
def test_backoff_is_bounded_and_never_zero(failures: int, base: float, chance: float) -> None:
    seconds = retry.backoff(failures, base=base, limit=30, random=lambda: chance)
    assert 0 < seconds <= 30


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_retry_after_is_parsed_or_ignored(text: str, date: str) -> None:
    found = retry.retry_after({"Retry-After": text, "Date": date})
    assert found is None or found >= 0


def test_a_retry_after_date_is_relative_to_the_server_clock() -> None:
    headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry.retry_after(headers) == 30
    assert retry.retry_after({**headers, "Date": "Wed, 21 Oct 2015 08:28:00 GMT"}) == 0
    assert retry.retry_after({"Retry-After": headers["Retry-After"]}) is None


@given(first=st.integers(0, 99), last=st.integers(0, 99), whole=st.integers(0, 99), offset=st.integers(1, 99))
def test_only_the_next_byte_continues_a_partial_file(first: int, last: int, whole: int, offset: int) -> None:
    headers = {"Content-Range": f"bytes {first}-{last}/{whole}"}
    found = ranges.continues(headers, offset=offset, validator='"x"', size=50)
    assert found == (first == offset and first <= last < whole == 50)


@given(st.text(max_size=60))
def test_any_header_is_parsed_without_an_error(text: str) -> None:
    headers = {"Content-Range": text, "ETag": text, "Last-Modified": text, "Date": text, "Content-Length": text}
    ranges.validator(headers)
    ranges.whole_size(headers)
    ranges.content_length(headers)
    ranges.continues(headers, offset=1, validator=text, size=None)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30))
def test_any_path_round_trips_through_its_url(name: str) -> None:
    path = Path("/folder") / name.strip("/")
    assert file_of(path.as_uri()) == path


def test_a_windows_share_is_a_file_url(fs: FakeFilesystem) -> None:
    assert file_of("file://server/share/agent.msi") == Path("//server/share/agent.msi")
