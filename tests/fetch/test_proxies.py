"""Proxies: chosen by option and environment, bypassed by NO_PROXY, their errors reported."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import UpstreamError, UsageError
from bundler.fetch import proxies
from bundler.fetch.network import Network
from tests.support.downloads import Bench
from tests.support.misbehaving_server import File, proxying

CONTENT = b"through the tunnel"


def fetch(bench: Bench, **network: object) -> bytes:
    bench.server.plan["/x"] = [File(CONTENT)]
    with bench.downloader(network=replace(bench.network, **network)) as downloader:
        return downloader.fetch(bench.request("/x")).path.read_bytes()


def test_the_given_proxy_is_used(bench: Bench) -> None:
    with proxying() as proxy:
        assert fetch(bench, proxy=proxy.url) == CONTENT
    assert proxy.tunnels == [bench.server.host]


def test_a_proxy_without_a_scheme(bench: Bench) -> None:
    with proxying() as proxy:
        assert fetch(bench, proxy=proxy.url.removeprefix("http://")) == CONTENT
    assert proxy.tunnels


def test_a_proxy_from_the_environment(bench: Bench) -> None:
    with proxying() as proxy:
        assert fetch(bench, environment={"HTTPS_PROXY": proxy.url}) == CONTENT
    assert proxy.tunnels


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "example.com, 127.0.0.0/8", "*"])
def test_no_proxy_bypasses_the_proxy(bench: Bench, no_proxy: str) -> None:
    with proxying() as proxy:
        assert fetch(bench, environment={"https_proxy": proxy.url, "no_proxy": no_proxy}) == CONTENT
        assert fetch(bench, proxy=proxy.url, environment={"NO_PROXY": no_proxy}) == CONTENT
    assert proxy.tunnels == []


def test_an_empty_proxy_means_none(bench: Bench) -> None:
    with proxying() as proxy:
        assert fetch(bench, proxy="", environment={"HTTPS_PROXY": proxy.url}) == CONTENT
    assert proxy.tunnels == []


def test_the_process_environment_is_not_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert fetch(bench) == CONTENT


def test_proxy_credentials(bench: Bench) -> None:
    with proxying("me:se cret") as proxy:
        assert fetch(bench, proxy=proxy.url.replace("//", "//me:se%20cret@")) == CONTENT
        with pytest.raises(UpstreamError) as raised:
            fetch(bench, proxy=proxy.url.replace("//", "//me:wrong-one@"))
    assert "requires credentials" in raised.value.what
    assert "wrong-one" not in "".join([raised.value.what, *raised.value.details, *bench.heard.notes])


def test_a_proxy_that_forbids_the_host(bench: Bench) -> None:
    with proxying(answer=403) as proxy, pytest.raises(UpstreamError) as raised:
        fetch(bench, proxy=proxy.url)
    assert "does not connect to" in raised.value.what
    assert bench.slept == []


def test_an_unreachable_proxy(bench: Bench) -> None:
    with pytest.raises(UpstreamError) as raised:
        fetch(bench, proxy="http://127.0.0.1:1")
    assert "the proxy http://127.0.0.1:1" in raised.value.what


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://", "http://[", "http://h:port"])
def test_an_invalid_proxy_address(bench: Bench, proxy: str) -> None:
    with pytest.raises(UsageError):
        fetch(bench, proxy=proxy)


def test_secrets_are_not_shown() -> None:
    shown = repr(Network(proxy="http://me:secret@h:1", environment={"HTTPS_PROXY": "http://me:secret@h:1"}))
    assert "secret" not in shown


CASES = [
    ("example.com", "https://example.com/", True),
    ("example.com", "https://a.example.com/", True),
    (".example.com", "https://example.com/", True),
    ("*.example.com", "https://a.example.com/", True),
    ("example.com", "https://notexample.com/", False),
    ("EXAMPLE.com", "https://Example.COM./", True),
    ("example.com:443", "https://example.com/", True),
    ("example.com:444", "https://example.com/", False),
    ("a,b c", "https://c/", True),
    ("10.0.0.0/8", "https://10.1.2.3/", True),
    ("10.0.0.0/8", "https://11.1.2.3/", False),
    ("10.1.2.3:8443", "https://10.1.2.3:8443/", True),
    ("1.2.3", "https://10.1.2.3/", False),
    ("::1", "https://[::1]/", True),
    ("[::1]:444", "https://[::1]:444/", True),
    ("[::1]:444", "https://[::1]/", False),
    ("fe80::/10", "https://[fe80::1]/", True),
    ("", "https://h/", False),
    (".", "https://h/", False),
    ("10.0.0.0/nonsense", "https://10.0.0.1/", False),
]


@pytest.mark.parametrize(("no_proxy", "url", "wanted"), CASES)
def test_the_rules_of_no_proxy(no_proxy: str, url: str, wanted: bool) -> None:
    assert proxies.bypassed(url, no_proxy) is wanted


@given(st.text(max_size=60))
def test_any_no_proxy_is_parsed_without_an_error(no_proxy: str) -> None:
    proxies.bypassed("https://a.example.com:8443/x", no_proxy)
    proxies.bypassed("https://10.0.0.1/x", no_proxy)


@given(st.text(max_size=40))
def test_any_proxy_is_accepted_or_rejected(proxy: str) -> None:
    try:
        chosen = proxies.choose("https://h/", proxy=proxy, environment={})
    except UsageError:
        return
    assert chosen is None or chosen.startswith(("http://", "https://", "HTTP", "Http")) or "://" in chosen
