"""A wrong proxy fails at the first try and is named; one that was right before, or is only slow, is tried again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.errors import UpstreamError
from tests.support import squid_proxy
from tests.support.downloads import Bench
from tests.support.misbehaving_server import File, MisbehavingServer, proxying, status

CONTENT = b"through the tunnel"


def fetch(bench: Bench, proxy: str, **network: object) -> bytes:
    bench.server.plan.setdefault("/x", [File(CONTENT)])
    with bench.downloader(network=replace(bench.network, proxy=proxy, **network)) as downloader:
        return downloader.fetch(bench.request("/x")).path.read_bytes()


def fails(bench: Bench, proxy: str, **network: object) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        fetch(bench, proxy, **network)
    return raised.value


@contextmanager
def answering(*answers: Callable[[socket.socket], None]) -> Iterator[str]:
    """A port that treats one connection after the other so, the last for ever; its address as a proxy's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            left = list(answers)
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                answer = left.pop(0) if len(left) > 1 else left[0]
                threading.Thread(target=_quietly, args=(answer, connection), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _quietly(answer: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection, suppress(OSError):
        connection.settimeout(20)
        answer(connection)


def saying(answer: bytes) -> Callable[[socket.socket], None]:
    """Reads the request and answers so."""

    def spoken(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    return spoken


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def banner(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
    silent(connection)


def closing(connection: socket.socket) -> None:
    connection.recv(4096)


NO_PROXIES = [
    (banner, "is not an HTTP proxy"),
    (closing, "closes the connection"),
    (saying(b"\x15\x03\x03\x00\x02\x02\x46"), "is not an HTTP proxy"),
    (saying(b"220 mail.example ESMTP\r\n"), "is not an HTTP proxy"),
    *(
        (saying(f"HTTP/1.1 {code} no\r\nContent-Length: 0\r\n\r\n".encode()), f"(HTTP {code})")
        for code in (400, 403, 404, 405, 501)
    ),
    (saying(b"HTTP/1.1 407 who\r\nProxy-Authenticate: Negotiate\r\n\r\n"), "requires credentials"),
]


@pytest.mark.parametrize(("answer", "words"), NO_PROXIES)
def test_what_is_no_proxy_fails_at_once(bench: Bench, answer: Callable[[socket.socket], None], words: str) -> None:
    with answering(answer) as proxy:
        error = fails(bench, proxy)
    assert error.what.startswith(f"the proxy {proxy} ")
    assert words in error.what
    assert "HTTPS_PROXY" in error.do
    assert bench.slept == []
    assert bench.server.asked == []


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://no-such-proxy.invalid:3128", "cannot be resolved"),
        ("http://127.0.0.1:1", "refuses the connection"),
        ("https://127.0.0.1:1", "refuses the connection"),
        ("http://me:cAn4ry@127.0.0.1:1", "refuses the connection"),
    ],
)
def test_a_wrong_address_fails_at_once(bench: Bench, proxy: str, words: str) -> None:
    began = time.monotonic()
    error = fails(bench, proxy)
    assert "the proxy http" in error.what
    assert words in error.what
    assert "cAn4ry" not in " ".join([error.what, *error.details, error.do, *bench.heard.notes])
    assert bench.slept == []
    assert time.monotonic() - began < 10


def test_a_proxy_by_tls_that_speaks_none(bench: Bench) -> None:
    with proxying() as proxy:
        error = fails(bench, proxy.url.replace("http:", "https:"))
    assert "the proxy https://127.0.0.1" in error.what
    assert bench.slept == []


def test_a_proxy_by_tls_with_an_untrusted_certificate_is_named(bench: Bench, another) -> None:
    strange: MisbehavingServer = another(issuer="an unknown CA")
    error = fails(bench, f"https://{strange.host}")
    assert error.what == f"the proxy https://{strange.host} presents a certificate that is not trusted here"
    assert bench.slept == []


@pytest.mark.parametrize("code", [502, 503, 504])
def test_a_proxy_that_cannot_reach_the_host_is_tried_once_more(bench: Bench, code: int) -> None:
    with answering(saying(f"HTTP/1.1 {code} no\r\n\r\n".encode())) as proxy:
        error = fails(bench, proxy)
    assert f"does not connect to {bench.server.host} (HTTP {code})" in error.what
    assert len(bench.slept) == 1
    assert bench.heard.said("(1 of 1)")


def test_a_silent_proxy_is_tried_once_more(bench: Bench) -> None:
    with answering(silent) as proxy:
        error = fails(bench, proxy)
    assert f"the proxy {proxy} did not connect to {bench.server.host} in time" in error.what
    assert len(bench.slept) == 1


def test_a_proxy_that_is_silent_once_does_not_end_the_download(bench: Bench) -> None:
    with proxying() as true:
        port = int(true.url.rpartition(":")[2])

        def passed_on(connection: socket.socket) -> None:
            with socket.create_connection(("127.0.0.1", port)) as far:
                threading.Thread(target=_copy, args=(far, connection), daemon=True).start()
                _copy(connection, far)

        with answering(silent, passed_on) as proxy:
            assert fetch(bench, proxy) == CONTENT
    assert len(bench.slept) == 1


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


def test_a_proxy_that_was_right_before_is_tried_as_often_as_a_host(bench: Bench) -> None:
    """It led to the host, and is then restarted: the download waits for it."""
    with proxying() as proxy:
        url = proxy.url

        def stopping(exchange) -> None:
            exchange.answer(500, b"", Connection="close")
            exchange.close_connection = True
            threading.Thread(target=proxy.server_close, daemon=True).start()

        bench.server.plan["/x"] = [stopping, status(200)]
        error = fails(bench, url)
    assert f"the proxy {url} " in error.what
    assert len(bench.slept) == bench.network.retries


# ---- A real one ----


@pytest.fixture
def squid(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Debian's squid on this machine: ``open`` and ``locked``, by their addresses."""
    why = squid_proxy.missing() or ("" if os.name == "posix" and os.geteuid() == 0 else "needs root, to start squid")
    if why:
        pytest.skip(why)
    folder = Path(shutil.copytree(tmp_path, f"/var/tmp/arc-squid-{os.getpid()}"))
    ports = [_free_port(), _free_port()]
    words = {"proxy": "127.0.0.1", "open": ports[0], "locked": ports[1], "refused": ".refused.example"}
    settings = squid_proxy.SETTINGS.format(folder=folder, helper=squid_proxy.HELPER, **words)
    (folder / "hosts").write_text("127.0.0.1 localhost\n")  # squid asks for the name of an address
    (folder / "squid.conf").write_text(settings)
    shutil.chown(folder, "proxy")
    process = subprocess.Popen(["squid", "-N", "-f", folder / "squid.conf"], stderr=subprocess.DEVNULL)
    try:
        _wait_for(ports[1], process)
        yield {"open": f"http://127.0.0.1:{ports[0]}", "locked": f"http://127.0.0.1:{ports[1]}"}
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


def _wait_for(port: int, process: subprocess.Popen) -> None:
    until = time.monotonic() + 30
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)


def test_squid(bench: Bench, squid: dict[str, str]) -> None:
    bench.network = replace(bench.network, stall_timeout=20)
    assert fetch(bench, squid["open"]) == CONTENT
    asked = len(bench.server.asked)
    bench.server.plan["/y"] = [File(CONTENT)]
    locked = fails_at(bench, squid["locked"], bench.server.url("/y"))
    assert locked.what == f"the proxy {squid['locked']} requires credentials for {bench.server.host}"
    refused = fails_at(bench, squid["open"], "https://www.refused.example/y")
    assert refused.what == f"the proxy {squid['open']} does not connect to www.refused.example (HTTP 403)"
    assert bench.slept == []
    assert len(bench.server.asked) == asked


def fails_at(bench: Bench, proxy: str, url: str) -> UpstreamError:
    network = replace(bench.network, proxy=proxy)
    with bench.downloader(network=network) as downloader, pytest.raises(UpstreamError) as raised:
        downloader.fetch(replace(bench.request("/y"), url=url))
    return raised.value
