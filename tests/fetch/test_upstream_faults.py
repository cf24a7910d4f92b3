"""Upstream failures: the error, no file under a final name, and success on the next run."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

import pytest

from bundler.errors import BundlerError, NotThereError, UpstreamError, VerificationError
from tests.support.downloads import Bench
from tests.support.misbehaving_server import Exchange, File, MisbehavingServer, redirect, stall, status

CONTENT = random.Random(1).randbytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "/agent.msi"


def fails(
    bench: Bench, kind: type[BundlerError], *steps: Callable[[Exchange], None], **options: object
) -> BundlerError:
    """Download from a server that takes ``steps``: no file gets a final name, and a good server succeeds afterwards."""
    bench.server.plan[PATH] = list(steps)
    request = bench.request(PATH, **options)
    with bench.downloader() as downloader, pytest.raises(kind) as raised:
        downloader.fetch(request)
    assert type(raised.value) is kind
    assert bench.objects() == []
    assert bench.heard.open == 0
    bench.server.plan[PATH] = [File(CONTENT)]
    with bench.downloader() as downloader:
        received = downloader.fetch(bench.request(PATH, sha256=SHA256, size=len(CONTENT)))
    assert received.path.read_bytes() == CONTENT
    assert [path.name for path in bench.objects()] == [SHA256]
    assert bench.partials() == []
    return raised.value


def recovers(bench: Bench, *steps: Callable[[Exchange], None], **options: object) -> None:
    bench.server.plan[PATH] = list(steps)
    with bench.downloader() as downloader:
        received = downloader.fetch(bench.request(PATH, **options))
    assert (received.sha256, received.size) == (SHA256, len(CONTENT))
    assert received.path.read_bytes() == CONTENT
    assert bench.partials() == []
    assert bench.heard.open == 0


BREAKS = pytest.mark.parametrize(
    "ending", [Exchange.hang_up, Exchange.reset, stall], ids=["truncated", "reset", "stalled"]
)


@BREAKS
def test_a_lost_connection_resumes(bench: Bench, ending: Callable[[Exchange], None]) -> None:
    recovers(bench, File(CONTENT, cut=2_000_000, ending=ending), File(CONTENT))
    second = bench.server.asked[1].headers
    assert second["If-Range"] == '"one"'
    start = int(second["Range"].removeprefix("bytes=").removesuffix("-"))
    assert 0 < start <= 2_000_000
    assert bench.heard.said("continued after")
    assert len(bench.slept) == 1


@BREAKS
def test_repeated_failures_are_an_error_and_the_partial_file_stays(
    bench: Bench, ending: Callable[[Exchange], None]
) -> None:
    error = fails(bench, UpstreamError, File(CONTENT, cut=0, ending=ending))
    assert "gave up after 4 attempts" in " ".join(error.details)
    assert len(bench.slept) == 3
    assert "continues where it stopped" in error.do


def test_many_failures_with_progress_are_retried(bench: Bench) -> None:
    content = random.Random(2).randbytes(12_000_000)
    bench.server.plan[PATH] = [File(content, cut=1_200_000)]
    with bench.downloader() as downloader:
        assert downloader.fetch(bench.request(PATH)).path.read_bytes() == content
    assert len(bench.server.asked) > bench.network.retries + 2


def test_a_trickle_counts_as_stalled(bench: Bench) -> None:
    def trickle(exchange: Exchange) -> None:
        exchange.answer(200, b"", len(CONTENT))
        for _ in range(100):
            exchange.write(b"x")
            exchange.server.stop.wait(0.02)

    recovers(bench, trickle, File(CONTENT))
    assert bench.heard.said("sent")


def test_a_response_that_never_starts_times_out(bench: Bench) -> None:
    recovers(bench, stall, File(CONTENT))
    assert bench.heard.said("sent nothing for 0.4 s")


def test_a_wrong_length_is_rejected_before_the_first_byte(bench: Bench) -> None:
    error = fails(bench, VerificationError, File(CONTENT[:-1]), size=len(CONTENT))
    assert isinstance(error, VerificationError)
    assert error.reason == "size-mismatch"


def test_more_bytes_than_expected_without_a_length(bench: Bench) -> None:
    def unbounded(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Connection", "close")
        exchange.end_headers()
        exchange.write(CONTENT + b"more")

    error = fails(bench, VerificationError, unbounded, size=len(CONTENT))
    assert isinstance(error, VerificationError)
    assert error.reason == "size-mismatch"


def test_a_response_shorter_than_its_length_is_incomplete(bench: Bench) -> None:
    def short(exchange: Exchange) -> None:
        exchange.answer(200, CONTENT[:1000], len(CONTENT))
        exchange.hang_up()

    fails(bench, UpstreamError, short)


def chunked(body: bytes, *, whole: bool) -> Callable[[Exchange], None]:
    def step(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Transfer-Encoding", "chunked")
        exchange.end_headers()
        exchange.write(b"%x\r\n" % len(body) + body + b"\r\n" + (b"0\r\n\r\n" if whole else b""))
        exchange.hang_up()

    return step


def test_chunks_arrive(bench: Bench) -> None:
    recovers(bench, chunked(CONTENT, whole=True))


def test_chunked_encoding_without_its_end_is_incomplete(bench: Bench) -> None:
    fails(bench, UpstreamError, chunked(CONTENT, whole=False))


def test_garbage_instead_of_http(bench: Bench) -> None:
    def nonsense(exchange: Exchange) -> None:
        exchange.write(b"220 smtp ready\r\n\r\n")
        exchange.hang_up()

    fails(bench, UpstreamError, nonsense)


@pytest.mark.parametrize("code", [401, 403, 404, 410, 416, 418, 451])
def test_a_client_error_is_final(bench: Bench, code: int) -> None:
    error = fails(bench, NotThereError if code in (404, 410) else UpstreamError, status(code))
    assert f"HTTP {code}" in error.what
    assert PATH in error.what
    assert error.do
    assert bench.slept == []


def test_every_status_has_its_own_message(bench: Bench) -> None:
    said = {code: fails_once(bench, code) for code in (401, 403, 404, 410, 416, 429, 451, 500)}
    assert len(set(said.values())) == len(said)


def fails_once(bench: Bench, code: int) -> str:
    bench.server.plan[PATH] = [status(code)]
    with bench.downloader() as downloader, pytest.raises(UpstreamError) as raised:
        downloader.fetch(bench.request(PATH))
    return raised.value.what.replace(str(code), "")


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504, 520])
def test_transient_statuses_are_retried(bench: Bench, code: int) -> None:
    recovers(bench, status(code), status(code), File(CONTENT))
    assert len(bench.slept) == 2
    assert bench.slept[0] < bench.slept[1]


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_honoured(bench: Bench, code: int) -> None:
    recovers(bench, status(code, Retry_After="77"), File(CONTENT))
    assert bench.slept == [77.0]


def test_a_long_retry_after_ends_the_download_with_the_time(bench: Bench) -> None:
    error = fails(bench, UpstreamError, status(429, Retry_After="86400"))
    assert bench.slept == []
    assert "86400 s" in " ".join(error.details)


def test_a_permanent_5xx(bench: Bench) -> None:
    error = fails(bench, UpstreamError, status(503))
    assert "HTTP 503" in error.what
    assert len(bench.slept) == 3


def test_status_204_is_an_error(bench: Bench) -> None:
    fails(bench, UpstreamError, status(204, b""))


def test_a_206_without_a_range_request(bench: Bench) -> None:
    fails(bench, UpstreamError, status(206, CONTENT[:10], Content_Range=f"bytes 0-9/{len(CONTENT)}"))


# --- continuing ------------------------------------------------------------------------------------------------------

BROKEN = File(CONTENT, cut=1_500_000)


def test_416_to_a_continuation_starts_over(bench: Bench) -> None:
    recovers(bench, BROKEN, status(416, Content_Range="bytes */9"), File(CONTENT))
    assert "Range" not in bench.server.asked[2].headers


@pytest.mark.parametrize(
    "content_range",
    ["bytes 0-2999999/3000000", "bytes 1500001-2999999/3000000", "bytes 1400000-1399999/3000000", "items 1-2/3", ""],
)
def test_206_with_another_range_starts_over(bench: Bench, content_range: str) -> None:
    recovers(bench, BROKEN, status(206, b"x" * 99, Content_Range=content_range, ETag='"one"'), File(CONTENT))


def test_206_of_another_file_starts_over(bench: Bench) -> None:
    other = File(bytes(len(CONTENT)), etag='"two"')
    ignores_if_range: Callable[[Exchange], None] = lambda exchange: (  # noqa: E731
        exchange.headers.replace_header("If-Range", '"two"') if "If-Range" in exchange.headers else None,
        other(exchange),
    )[1]
    recovers(bench, BROKEN, ignores_if_range, File(CONTENT))


def test_200_to_a_continuation_is_the_whole_file(bench: Bench) -> None:
    recovers(bench, BROKEN, File(CONTENT, ranges=False))
    assert bench.heard.said("starting over")


def test_a_file_that_changed_meanwhile_starts_over(bench: Bench) -> None:
    old = File(bytes(len(CONTENT)), etag='"old"', cut=1_500_000)
    recovers(bench, old, File(CONTENT, etag='"new"'))


@pytest.mark.parametrize(
    ("etag", "last_modified"),
    [('W/"weak"', ""), ("", ""), ('"bad', "yesterday"), ("", "Fri, 31 Dec 9999 23:59:59 GMT")],
)
def test_without_a_strong_validator_nothing_is_resumed(bench: Bench, etag: str, last_modified: str) -> None:
    broken = File(CONTENT, etag=etag, last_modified=last_modified, cut=1_500_000)
    recovers(bench, broken, File(CONTENT))
    assert "Range" not in bench.server.asked[1].headers


def test_last_modified_is_used_without_a_strong_etag(bench: Bench) -> None:
    recovers(bench, File(CONTENT, etag="", cut=1_500_000), File(CONTENT, etag=""))
    assert bench.server.asked[1].headers["If-Range"].endswith("GMT")


def test_a_continuation_from_another_address_starts_over(bench: Bench) -> None:
    """An entity tag is not comparable across addresses: both may count their versions from one."""
    bench.server.plan["/a"] = [File(bytes(len(CONTENT)), cut=1_500_000)]
    bench.server.plan["/b"] = [File(CONTENT)]
    recovers(bench, redirect("/a"), redirect("/b"))


def test_a_range_shorter_than_the_rest_is_requested_again(bench: Bench) -> None:
    def some(exchange: Exchange) -> None:
        start = int(exchange.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        piece = CONTENT[start : start + 1_200_000]
        said = f"bytes {start}-{start + len(piece) - 1}/{len(CONTENT)}"
        exchange.answer(206, piece, ETag='"one"', Content_Range=said)

    recovers(bench, BROKEN, some)
    assert len(bench.server.asked) == 3


def test_an_early_end_detected_by_the_expected_size(bench: Bench) -> None:
    def ends_early(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Connection", "close")
        exchange.end_headers()
        exchange.write(CONTENT[:-1])
        exchange.hang_up()

    recovers(bench, ends_early, File(CONTENT), size=len(CONTENT))


def test_ranges_that_never_match_end_in_a_whole_download(bench: Bench) -> None:
    class Liar(File):
        def __call__(self, exchange: Exchange) -> None:
            if "Range" in exchange.headers:
                exchange.answer(206, b"?", ETag=self.etag, Content_Range="bytes 7-7/8")
            else:
                super().__call__(exchange)

    recovers(bench, *[Liar(CONTENT, cut=1_500_000)] * 4, Liar(CONTENT))


def test_a_wrong_digest_of_combined_responses_starts_over_first(bench: Bench) -> None:
    wrong = File(bytes(1_500_000) + CONTENT[1_500_000:], cut=1_500_000)
    recovers(bench, wrong, File(CONTENT), sha256=SHA256, size=len(CONTENT))
    assert bench.heard.said("combined from several responses")


# --- what must not be taken -----------------------------------------------------------------------------------------


def test_a_wrong_digest(bench: Bench) -> None:
    error = fails(bench, VerificationError, File(bytes(len(CONTENT))), sha256=SHA256, size=len(CONTENT))
    assert isinstance(error, VerificationError)
    assert error.reason == "digest-mismatch"
    assert bench.slept == []


def test_a_portal_page_is_reported_as_html(bench: Bench) -> None:
    portal = status(200, b"<html>Log in, please", Content_Type="text/html; charset=utf-8")
    error = fails(bench, VerificationError, portal, sha256=SHA256)
    assert "HTML page" in " ".join(error.details)
    assert bench.heard.said("HTML page")


def test_a_portal_page_of_another_size(bench: Bench) -> None:
    portal = status(200, b"<html>Log in, please", Content_Type="text/html")
    error = fails(bench, VerificationError, portal, size=len(CONTENT))
    assert "HTML page" in " ".join(error.details)


@pytest.mark.parametrize("length", [None, 10])
def test_a_body_over_the_limit_is_stopped_as_it_arrives(bench: Bench, length: int | None) -> None:
    def bomb(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Transfer-Encoding", "chunked")
        exchange.end_headers()
        for _ in range(1000):
            exchange.write(b"10000\r\n" + bytes(65536) + b"\r\n")

    error = fails(bench, UpstreamError, bomb if length is None else File(CONTENT), max_size=2_000_000)
    assert "2000000" in error.what
    assert bench.slept == []


def test_a_content_encoding_is_refused(bench: Bench) -> None:
    error = fails(bench, UpstreamError, status(200, b"\x1f\x8b", Content_Encoding="gzip"))
    assert "encoded as gzip" in error.what
    assert bench.server.asked[0].headers["Accept-Encoding"] == "identity"


def test_a_gz_file_labelled_as_encoded_is_accepted(bench: Bench) -> None:
    bench.server.plan["/Packages.gz"] = [status(200, b"\x1f\x8bwhatever", Content_Encoding="x-gzip")]
    with bench.downloader() as downloader:
        assert downloader.fetch(bench.request("/Packages.gz")).path.read_bytes() == b"\x1f\x8bwhatever"


# --- redirects ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed_and_recorded(bench: Bench, code: int) -> None:
    bench.server.plan["/b%20c"] = [redirect("../d?x=1#part", code)]
    bench.server.plan["/d?x=1"] = [File(CONTENT)]
    bench.server.plan[PATH] = [redirect("/b c", code)]
    with bench.downloader() as downloader:
        received = downloader.fetch(bench.request(PATH))
    assert received.redirects == (bench.server.url("/b%20c"), bench.server.url("/d?x=1"))
    assert received.url == bench.server.url(PATH)


def test_a_redirect_loop(bench: Bench) -> None:
    bench.server.plan["/b"] = [redirect(PATH)]
    assert "circle" in fails(bench, UpstreamError, redirect("/b")).what


def test_too_many_redirects(bench: Bench) -> None:
    for step in range(12):
        bench.server.plan[f"/{step}"] = [redirect(f"/{step + 1}")]
    assert "more than 10 times" in fails(bench, UpstreamError, redirect("/0")).what


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/agent.msi", "file:///etc/passwd", "ftp://x/y"])
def test_a_redirect_to_another_scheme(bench: Bench, location: str) -> None:
    assert "not https" in fails(bench, UpstreamError, redirect(location)).what


@pytest.mark.parametrize(
    "location", ["", "https://", "https://[", "https://h:99999999/", "https://\xff\xfe/", "https://u:p@h/"]
)
def test_a_redirect_to_an_invalid_address(bench: Bench, location: str) -> None:
    fails(bench, UpstreamError, redirect(location))


def test_a_redirect_to_a_host_that_is_not_allowed(bench: Bench, another: Callable[..., MisbehavingServer]) -> None:
    foreign = another()
    foreign.plan["/x"] = [File(CONTENT)]
    error = fails(bench, UpstreamError, redirect(foreign.url("/x")))
    assert foreign.host in error.what
    assert foreign.sent < len(CONTENT)


def test_a_redirect_to_an_allowed_host(bench: Bench, another: Callable[..., MisbehavingServer]) -> None:
    declared = another()
    declared.plan["/x"] = [File(CONTENT)]
    recovers(bench, redirect(declared.url("/x")), hosts=(declared.host,))


def test_a_redirect_through_another_host_and_back(bench: Bench, another: Callable[..., MisbehavingServer]) -> None:
    link = another()
    link.plan["/short"] = [redirect(bench.server.url("/long"))]
    bench.server.plan["/long"] = [File(CONTENT)]
    recovers(bench, redirect(link.url("/short")))


# --- certificates and connections -------------------------------------------------------------------------------------

CERTIFICATES = [
    ({"host": "another.example"}, "belongs to another host"),
    ({"ends": -1}, "has expired"),
    ({"issuer": "an unknown CA"}, "a CA that is not trusted here"),
]


@pytest.mark.parametrize(("options", "words"), CERTIFICATES)
def test_an_invalid_certificate(
    bench: Bench, another: Callable[..., MisbehavingServer], options: dict[str, object], words: str
) -> None:
    wrong = another(**options)
    wrong.plan[PATH] = [File(CONTENT)]
    error = fails(bench, UpstreamError, File(CONTENT), url=wrong.url(PATH))
    assert words in error.what
    assert error.do
    assert bench.slept == []
    assert wrong.asked == []


def test_an_unknown_ca_names_the_option(bench: Bench, another: Callable[..., MisbehavingServer]) -> None:
    wrong = another(issuer="an unknown CA")
    assert "--ca FILE" in fails(bench, UpstreamError, File(CONTENT), url=wrong.url(PATH)).do


def test_an_unresolvable_name(bench: Bench) -> None:
    error = fails(bench, UpstreamError, File(CONTENT), url="https://absent.invalid/agent.msi")
    assert "absent.invalid" in error.what


def test_a_refused_connection(bench: Bench) -> None:
    error = fails(bench, UpstreamError, File(CONTENT), url="https://127.0.0.1:1/agent.msi")
    assert "refuses the connection" in error.what


def test_http_is_never_requested(bench: Bench) -> None:
    error = fails(bench, UpstreamError, File(CONTENT), url=f"http://{bench.server.host}{PATH}")
    assert "not https" in error.what
    # fails() itself asked once, to see that a good run completes; nothing came before that.
    assert len(bench.server.asked) == 1


def test_credentials_in_an_address_are_refused_and_not_repeated(bench: Bench) -> None:
    error = fails(bench, UpstreamError, File(CONTENT), url=f"https://me:secret@{bench.server.host}{PATH}")
    assert "secret" not in " ".join([error.what, *error.details, error.do])


def test_plain_text_behind_an_https_address(bench: Bench) -> None:
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    connection.recv(4096)

        threading.Thread(target=speak, daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/agent.msi"
        error = fails(bench, UpstreamError, File(CONTENT), url=url)
        listener.shutdown(socket.SHUT_RDWR)
    assert "TLS" in error.what
