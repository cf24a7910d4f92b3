"""A server may neither hold a download for ever nor flood it; one that is slow in good order succeeds.

Each attack stands beside its honest neighbour. Time is real, but for the floor of bytes a minute, whose minute passes
in less than a second by the clock that the downloader is given.
"""

from __future__ import annotations

import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from bundler.errors import UpstreamError
from bundler.fetch.request_info import RequestInfo
from bundler.fetch.retry import TransientError
from bundler.fetch.stall_timer import StallTimer
from tests.support.downloads import Bench
from tests.support.misbehaving_server import Exchange, File, redirect

PATH = "/agent.msi"
CONTENT = random.Random(7).randbytes(200_000)
HEAD = b'HTTP/1.1 200 OK\r\nETag: "one"\r\n'
LENGTH = b"Content-Length: %d\r\n\r\n" % len(CONTENT)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def raw(exchange: Exchange, *pieces: bytes, pause: float = 0.0) -> None:
    """Send ``pieces``, with a pause before each; ends the connection where nothing more is read."""
    exchange.close_connection = True
    with suppress(OSError):
        for piece in pieces:
            exchange.server.stop.wait(pause)
            exchange.wfile.write(piece)
            exchange.wfile.flush()
            exchange.server.sent += len(piece)


def for_ever(exchange: Exchange, piece: bytes, *, first: bytes = b"", pause: float = 0.0, most: int = 64 << 20) -> None:
    """Send ``first``, then ``piece`` again and again, until the other end goes away."""
    exchange.close_connection = True
    with suppress(OSError):
        exchange.wfile.write(first)
        while exchange.server.sent < most and not exchange.server.stop.is_set():
            exchange.wfile.write(piece)
            exchange.wfile.flush()
            exchange.server.sent += len(piece)
            exchange.server.stop.wait(pause)


def fetched(bench: Bench, **options: object) -> bytes:
    with bench.downloader(**options) as downloader:
        return downloader.fetch(bench.request(PATH)).path.read_bytes()


def failure(bench: Bench, step: Callable[[Exchange], None], *, within: float) -> UpstreamError:
    """The error of a download from a server that only takes ``step``, which ends ``within`` seconds."""
    bench.server.plan[PATH] = [step]
    began = time.monotonic()
    with pytest.raises(UpstreamError) as raised:
        fetched(bench)
    assert time.monotonic() - began < within
    return raised.value


# --- the header fields


TRICKLES: dict[str, Callable[[Exchange], None]] = {
    "a field, byte by byte": lambda exchange: for_ever(exchange, b"x", first=HEAD + b"X-Slow: ", pause=0.05),
    "fields, one by one": lambda exchange: for_ever(exchange, b"X: y\r\n", first=HEAD, pause=0.05),
    "the status, byte by byte": lambda exchange: for_ever(exchange, b"1", first=b"HTTP/1.", pause=0.05),
    "100 Continue again and again": lambda exchange: for_ever(exchange, b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05),
}


@pytest.mark.parametrize("step", TRICKLES.values(), ids=TRICKLES.keys())
def test_one_deadline_holds_for_all_header_fields(bench: Bench, step: Callable[[Exchange], None]) -> None:
    """Every byte arrives within the timeout of the one before; four attempts of 0.4 s each."""
    error = failure(bench, step, within=6)
    assert "did not complete its header fields in time" in error.what
    assert "continues where it stopped" in error.do


def test_header_fields_that_come_slowly_but_in_time(bench: Bench) -> None:
    pieces = [HEAD[:20], HEAD[20:], b"X-Slow: yes\r\n", LENGTH, CONTENT]
    bench.server.plan[PATH] = [lambda exchange: raw(exchange, *pieces, pause=0.05)]
    assert fetched(bench) == CONTENT


FLOODS: dict[str, Callable[[Exchange], None]] = {
    "100 Continue": lambda exchange: for_ever(exchange, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "100 Continue with fields": lambda exchange: for_ever(
        exchange, (b"HTTP/1.1 100 Continue\r\n" + b"X: " + b"y" * 60_000 + b"\r\n\r\n") * 10
    ),
    "large fields": lambda exchange: for_ever(exchange, b"X: " + b"y" * 60_000 + b"\r\n", first=HEAD),
    "one endless field": lambda exchange: for_ever(exchange, b"y" * 60_000, first=HEAD + b"X: "),
    "many fields": lambda exchange: for_ever(exchange, b"X: y\r\n" * 1000, first=HEAD),
    "one endless status": lambda exchange: for_ever(exchange, b"y" * 60_000, first=b"HTTP/1.1 200 "),
}


@pytest.mark.parametrize("step", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_before_the_body_is_not_read(bench: Bench, step: Callable[[Exchange], None]) -> None:
    failure(bench, step, within=6)
    attempts = len(bench.server.asked)
    # What was sent includes what fits into the buffers of both ends.
    assert bench.server.sent < attempts * (8 << 20)


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 3,
        HEAD + b"Content-Security-Policy: " + b"y" * 50_000 + b"\r\nSet-Cookie: " + b"z" * 50_000 + b"\r\n",
        HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(80)),
    ],
    ids=["one interim response", "three interim responses", "large fields", "eighty fields"],
)
def test_much_before_the_body_that_servers_do_send(bench: Bench, first: bytes) -> None:
    head = b"" if first.startswith(HEAD) else HEAD
    bench.server.plan[PATH] = [lambda exchange: raw(exchange, first + head + LENGTH + CONTENT)]
    assert fetched(bench) == CONTENT


# --- redirects


def test_no_body_of_a_redirect_is_read(bench: Bench) -> None:
    def endless(exchange: Exchange) -> None:
        exchange.send_response(302)
        exchange.send_header("Location", "/there")
        exchange.send_header("Content-Length", str(1 << 40))
        exchange.end_headers()
        for_ever(exchange, bytes(65536))

    bench.server.plan = {PATH: [endless], "/there": [File(CONTENT)]}
    began = time.monotonic()
    assert fetched(bench) == CONTENT
    assert time.monotonic() - began < 3
    assert bench.server.sent - len(CONTENT) < 8 << 20
    assert len(bench.server.asked) == 2


def test_no_body_of_a_redirect_is_waited_for(bench: Bench) -> None:
    def silent(exchange: Exchange) -> None:
        exchange.send_response(302)
        exchange.send_header("Location", "/there")
        exchange.send_header("Content-Length", "1000")
        exchange.end_headers()
        exchange.server.stop.wait(5)
        exchange.close_connection = True

    bench.server.plan = {PATH: [silent], "/there": [File(CONTENT)]}
    began = time.monotonic()
    assert fetched(bench, network=replace(bench.network, stall_timeout=10)) == CONTENT
    assert time.monotonic() - began < 3


def test_a_redirect_with_a_page_as_servers_send_it(bench: Bench) -> None:
    page = b"<html>moved</html>"
    bench.server.plan = {
        PATH: [lambda exchange: exchange.answer(301, page, Location="/there")],
        "/there": [redirect("/here")],
        "/here": [File(CONTENT)],
    }
    assert fetched(bench) == CONTENT


def test_no_body_of_an_error_is_read(bench: Bench) -> None:
    def endless(exchange: Exchange) -> None:
        exchange.send_response(404)
        exchange.send_header("Content-Length", str(1 << 40))
        exchange.end_headers()
        for_ever(exchange, bytes(65536))

    assert "404" in failure(bench, endless, within=3).what
    assert bench.server.sent < 8 << 20


# --- chunks and trailers


def chunk(content: bytes, extension: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n" % (len(content), extension, content)


AROUND: dict[str, tuple[Callable[[Exchange], None], str]] = {
    "trailers at full speed": (
        lambda exchange: for_ever(exchange, b"X: y\r\n" * 1000, first=CHUNKED + chunk(CONTENT) + b"0\r\n"),
        "more body than",
    ),
    "large trailers": (
        lambda exchange: for_ever(
            exchange, b"X: " + b"y" * 60_000 + b"\r\n", first=CHUNKED + chunk(CONTENT) + b"0\r\n"
        ),
        "more body than",
    ),
    "trailers, one by one": (
        lambda exchange: for_ever(exchange, b"X: y\r\n", first=CHUNKED + chunk(CONTENT) + b"0\r\n", pause=0.05),
        "did not complete its body in time",
    ),
    "a chunk's size, byte by byte": (
        lambda exchange: for_ever(exchange, b"0", first=CHUNKED + chunk(CONTENT), pause=0.05),
        "did not complete its body in time",
    ),
}


@pytest.mark.parametrize(("step", "words"), AROUND.values(), ids=AROUND.keys())
def test_what_surrounds_the_chunks_is_bounded(bench: Bench, step: Callable[[Exchange], None], words: str) -> None:
    error = failure(bench, step, within=8)
    assert words in error.what
    assert bench.server.sent < len(bench.server.asked) * (8 << 20)


def test_chunks_with_extensions_and_trailers_as_servers_send_them(bench: Bench) -> None:
    pieces = [chunk(CONTENT[at : at + 9000], b";signature=abc") for at in range(0, len(CONTENT), 9000)]
    body = CHUNKED + b"".join(pieces) + b"0\r\nExpires: never\r\nX-Digest: abc\r\n\r\n"
    bench.server.plan[PATH] = [lambda exchange: raw(exchange, body)]
    assert fetched(bench) == CONTENT


# --- the floor


def at_a_hundredfold() -> float:
    return time.monotonic() * 100


def _watched(rates: Iterator[tuple[float, int]], *, stall: float = 30.0, min_rate: int = 64) -> float | None:
    """Seconds after which a body is aborted that brings, after so many seconds each, so many bytes; None: never."""
    now = 0.0
    info = RequestInfo("https://example.com/x", None, 15.0, stall)
    timer = StallTimer(lambda: now, info, min_rate)
    for seconds, size in rates:
        now += seconds
        with suppress(TransientError):
            timer.touch(size)
            continue
        return now
    return None


def _steady(kib_a_minute: float, seconds: float = 20.0, hours: float = 3.0) -> Iterator[tuple[float, int]]:
    for _ in range(int(hours * 3600 / seconds)):
        yield seconds, round(kib_a_minute * 1024 * seconds / 60) + 1


@pytest.mark.parametrize("seconds", [0.5, 7.0, 20.0, 29.0])
def test_the_floor_is_held_every_minute(seconds: float) -> None:
    slowest, just_enough = _watched(_steady(63.0, seconds)), _watched(_steady(64.0, seconds))
    assert slowest is not None
    assert slowest <= 60 + seconds
    assert just_enough is None


def test_a_fast_beginning_is_no_credit() -> None:
    def first_fast() -> Iterator[tuple[float, int]]:
        yield 1.0, 100 << 20
        yield from _steady(10.0)

    found = _watched(first_fast())
    assert found is not None
    assert found < 3 * 60


@pytest.mark.parametrize(("lasted", "size", "option"), [(31.0, 1, "--timeout"), (61.0, 30_000, "--min-rate")])
def test_each_limit_names_the_option_that_allows_less(lasted: float, size: int, option: str) -> None:
    times = iter([0.0, 0.0, lasted])
    timer = StallTimer(lambda: next(times), RequestInfo("https://example.com/x", None, 15.0, 30.0), 64)
    with pytest.raises(TransientError) as aborted:
        timer.touch(size)
    assert option in aborted.value.error.details[0]


def test_the_floor_can_be_set() -> None:
    assert _watched(_steady(10.0), min_rate=9) is None
    assert _watched(_steady(10.0), min_rate=11) is not None


def test_a_trickle_above_the_stall_timeout_is_aborted_and_resumed(bench: Bench) -> None:
    """1 KiB within every stall timeout, which was enough for ever."""

    def trickle(exchange: Exchange) -> None:
        exchange.answer(200, b"", len(CONTENT), ETag='"one"')
        for_ever(exchange, bytes(2048), pause=0.05)

    # A minute is 0.6 s; 64 KiB in it are 110 KB a second, and the server sends 40.
    network = replace(bench.network, stall_timeout=20)
    bench.server.plan[PATH] = [trickle, File(CONTENT)]
    with bench.downloader(network=network, clock=at_a_hundredfold) as downloader:
        downloader.fetch(bench.request(PATH))
    assert bench.heard.said("bytes in 60 s")
    assert bench.server.asked[1].headers["If-Range"] == '"one"'


def test_a_slow_server_above_the_floor_is_not_aborted(bench: Bench) -> None:
    network = replace(bench.network, stall_timeout=20)
    bench.server.plan[PATH] = [File(random.Random(8).randbytes(900_000), pause=0.15)]
    with bench.downloader(network=network, clock=at_a_hundredfold) as downloader:
        assert downloader.fetch(bench.request(PATH)).size == 900_000
    assert len(bench.server.asked) == 1


# --- a proxy


@contextmanager
def answering(answer: bytes, piece: bytes = b"", pause: float = 0.05) -> Iterator[str]:
    """A proxy that answers CONNECT with ``answer``, then with ``piece`` again and again."""
    stop = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(answer)
            while piece and not stop.is_set():
                connection.sendall(piece)
                stop.wait(pause)
            stop.wait(5)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        stop.set()
        listening.close()


@pytest.mark.parametrize(("piece", "pause"), [(b"X: y\r\n", 0.05), (b"X: y\r\n" * 1000, 0.0)], ids=["trickle", "flood"])
def test_a_proxy_s_answer_is_bounded(bench: Bench, piece: bytes, pause: float) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n", piece, pause) as proxy:
        network = replace(bench.network, proxy=proxy, retries=1)
        began = time.monotonic()
        with pytest.raises(UpstreamError), bench.downloader(network=network) as downloader:
            downloader.fetch(bench.request(PATH))
        assert time.monotonic() - began < 5


def test_a_tls_handshake_that_trickles_is_bounded(bench: Bench) -> None:
    """A record of 16,000 bytes is announced, and comes byte by byte."""
    with answering(b"\x16\x03\x03\x3e\x80\x02\x00\x3e\x7c", b"\x00") as address:
        network = replace(bench.network, connect_timeout=0.5, retries=1)
        began = time.monotonic()
        with pytest.raises(UpstreamError), bench.downloader(network=network) as downloader:
            downloader.fetch(replace(bench.request(PATH), url=address.replace("http:", "https:") + PATH))
        assert time.monotonic() - began < 4


def test_the_advice_names_the_floor(bench: Bench) -> None:
    def trickle(exchange: Exchange) -> None:
        exchange.answer(200, b"", len(CONTENT))
        for_ever(exchange, bytes(2048), pause=0.05)

    bench.server.plan[PATH] = [trickle]
    network = replace(bench.network, stall_timeout=20, retries=0)
    with (
        bench.downloader(network=network, clock=at_a_hundredfold) as downloader,
        pytest.raises(UpstreamError) as raised,
    ):
        downloader.fetch(bench.request(PATH))
    assert "at least 65536 bytes are required" in raised.value.details[0]
    assert "--min-rate" in raised.value.details[0]


@pytest.fixture
def unanswered() -> Iterator[int]:
    """The port of a server with a full queue, which answers no further connection."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = []
        for _ in range(8):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
            waiting.append(one)
        yield listening.getsockname()[1]
        for one in waiting:
            one.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses")
@pytest.mark.parametrize(("addresses", "within"), [(1, 1.5), (40, 4.0)])
def test_many_silent_addresses_of_one_name_share_the_time(
    addresses: int, within: float, bench: Bench, unanswered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: resolve(*args, **more)[:1] * addresses)
    network = replace(bench.network, connect_timeout=0.5, retries=0)
    request = replace(bench.request(PATH), url=f"https://127.0.0.1:{unanswered}{PATH}")
    began = time.monotonic()
    with bench.downloader(network=network) as downloader, pytest.raises(UpstreamError, match="did not answer"):
        downloader.fetch(request)
    assert 0.4 < time.monotonic() - began < within
