"""The lab's upstream answers like the real hosts, and simulates faults."""

from __future__ import annotations

import json
import socket
import ssl
import time

import pytest
import requests
from cryptography import x509

from bundler.formats import json_codec
from bundler.lab import behaviour as bad
from bundler.lab.lab import Lab, describe
from bundler.model.anchor import Anchors

LATEST = "/gbl.his.arc.azure.com/azcmagent/latest/AzureConnectedMachineAgent.msi"
KEY = "/packages.microsoft.com/keys/microsoft.asc"


def get(lab, path, **more):
    return requests.get(lab.url + path, verify=lab.ca_file, timeout=10, **more)


def port_of(lab):
    return int(lab.host.partition(":")[2])


def test_every_documented_path_of_the_windows_agent(shared_lab):
    latest = get(shared_lab, LATEST)
    assert latest.status_code == 200
    assert not latest.history
    assert get(shared_lab, LATEST.replace("latest", "1.68")).content == latest.content
    assert get(shared_lab, LATEST.replace("latest", "1.58")).content != latest.content
    assert get(shared_lab, LATEST.replace("azure.com", "azure.us", 1)).content == latest.content


def test_the_short_link_leads_over_the_download_host_to_the_latest(shared_lab):
    short = get(shared_lab, "/aka.ms/AzureConnectedMachineAgent")
    assert [answer.status_code for answer in short.history] == [302]
    assert short.url.startswith(f"{shared_lab.download_url}/download/")
    assert short.content == get(shared_lab, LATEST).content
    assert get(shared_lab, "/aka.ms/AzureConnectedMachineAgent-1.58").content != short.content


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nowhere",
        "/aka.ms/other",
        LATEST.replace("latest", "1.40"),
        LATEST + "x",
        "/packages.microsoft.com/rhel/9/x",
    ],
)
def test_what_is_not_there(shared_lab, path):
    assert get(shared_lab, path).status_code == 404


def test_head_is_refused_as_the_real_host_does(shared_lab):
    assert requests.head(shared_lab.url + LATEST, verify=shared_lab.ca_file, timeout=10).status_code == 403


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=5-999999999", 206, slice(5, None)),
        ("bytes=999999999-", 416, slice(0, 0)),
        ("bytes=9-5", 416, slice(0, 0)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=0-1,4-5", 200, slice(None)),
    ],
)
def test_ranges(shared_lab, asked, status, part):
    whole = get(shared_lab, KEY)
    answer = get(shared_lab, KEY, headers={"Range": asked, "If-Range": whole.headers["ETag"]})
    assert answer.status_code == status
    assert answer.content == whole.content[part]
    if status == 206:
        assert answer.headers["Content-Range"].endswith(f"/{len(whole.content)}")


def test_a_range_of_content_that_changed_gives_the_whole(shared_lab):
    answer = get(shared_lab, KEY, headers={"Range": "bytes=5-", "If-Range": '"another"'})
    assert answer.status_code == 200
    tag = answer.headers["ETag"]
    assert get(shared_lab, KEY, headers={"If-None-Match": tag}).status_code == 304


def test_the_log_of_requests(lab):
    get(lab, KEY, headers={"Range": "bytes=1-"})
    assert [(r.method, r.path, r.range) for r in lab.requests] == [("GET", KEY, "bytes=1-")]


@pytest.mark.parametrize("certificate", ["other-host", "expired", "unknown"])
def test_a_certificate_that_a_caller_must_refuse(lab_root, now, certificate):
    words = {"other-host": "match|valid for", "expired": "expired", "unknown": "issuer|signature|verify failed"}
    with (
        Lab(lab_root, now, certificate=certificate) as lab,
        pytest.raises(requests.exceptions.SSLError, match=words[certificate]),
    ):
        get(lab, KEY)


def test_without_the_labs_ca_clients_refuse_it(shared_lab):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(shared_lab.url + KEY, timeout=10)


def test_status_and_headers(lab):
    lab.misbehave("*/keys/*", bad.Status(429, {"Retry-After": "3"}), times=2)
    answers = [get(lab, KEY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "3"


def test_redirects(lab):
    lab.misbehave("*", bad.Redirect(KEY))
    with pytest.raises(requests.TooManyRedirects):
        get(lab, KEY)
    lab.misbehave("*", bad.Redirect("http://localhost/"))
    assert get(lab, KEY, allow_redirects=False).headers["Location"] == "http://localhost/"


def test_a_portal(lab):
    lab.misbehave("*", bad.Portal())
    answer = get(lab, LATEST)
    assert answer.status_code == 200
    assert "html" in answer.headers["Content-Type"]
    assert b"sign in" in answer.content


@pytest.mark.parametrize("behaviour", [bad.Truncated(100), bad.Reset(100), bad.WrongLength(7)])
def test_a_body_that_ends_early(lab, behaviour):
    lab.misbehave("*", behaviour)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        get(lab, KEY)
    lab.behave()
    assert get(lab, KEY).status_code == 200


def test_a_reset_is_one_on_the_wire(lab):
    """Over a plain socket, because OpenSSL reports a reset and an early end alike."""
    lab.misbehave("*", bad.Reset(10))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context(cafile=lab.ca_file).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", port_of(lab))) as wire:
        wire.settimeout(10)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                wire.sendall(outgoing.read())
                incoming.write(wire.recv(65536))
        tls.write(f"GET {KEY} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wire.sendall(outgoing.read())
        with pytest.raises(ConnectionResetError):
            list(iter(lambda: wire.recv(65536), b""))


def test_fewer_bytes_promised_than_there_are(lab):
    whole = get(lab, KEY).content
    lab.misbehave("*", bad.WrongLength(-5))
    assert get(lab, KEY).content == whole[:-5]


def test_a_stalled_answer_times_out_and_does_not_hold_up_the_end(lab):
    lab.misbehave("*", bad.Stalled(10))
    began = time.monotonic()
    with pytest.raises(requests.exceptions.RequestException, match=r"[Tt]imed out"):
        requests.get(lab.url + KEY, verify=lab.ca_file, timeout=0.5)
    assert time.monotonic() - began < 5


def test_a_slow_answer(lab):
    size = len(get(lab, KEY).content)
    lab.misbehave("*", bad.Slow(size * 2))
    began = time.monotonic()
    assert len(get(lab, KEY).content) == size
    assert time.monotonic() - began > 0.3


def test_other_bytes_instead(lab):
    lab.misbehave("*", bad.Instead(b"bomb"))
    assert get(lab, KEY).content == b"bomb"


def test_a_range_that_is_ignored(lab):
    lab.misbehave("*", bad.IgnoreRange())
    assert get(lab, KEY, headers={"Range": "bytes=5-"}).status_code == 200


def test_a_client_without_a_handshake_blocks_no_other(lab):
    with socket.create_connection(("127.0.0.1", port_of(lab))):
        assert get(lab, KEY).status_code == 200


def test_two_labs_on_one_root_serve_the_same_bytes(lab, shared_lab):
    paths = [LATEST, KEY, "/packages.microsoft.com/rhel/9/prod/repodata/repomd.xml"]
    paths += ["/packages.microsoft.com/ubuntu/22.04/prod/dists/jammy/InRelease"]
    for path in paths:
        assert get(lab, path).content == get(shared_lab, path).content


def test_the_anchors_say_lab(shared_lab):
    anchors = json_codec.from_json(Anchors, shared_lab.anchors_file.read_bytes())
    assert anchors == shared_lab.anchors
    assert anchors.lab
    assert anchors.name == "LAB"
    named = [*anchors.roots, *anchors.package_keys]
    assert all("LAB" in each.name for each in named)
    assert "Microsoft" not in json.dumps(json_codec.to_tree(anchors)).replace("LAB - not Microsoft", "")
    assert all("LAB" in publisher.common_name for publisher in anchors.publishers)


def test_the_server_names_itself_lab(shared_lab):
    assert get(shared_lab, KEY).headers["Server"].startswith("LAB")
    pem = ssl.get_server_certificate(("127.0.0.1", port_of(shared_lab)))
    certificate = x509.load_pem_x509_certificate(pem.encode())
    assert "LAB" in certificate.subject.rfc4514_string()
    assert "LAB" in certificate.issuer.rfc4514_string()


def test_the_description_for_a_person(shared_lab):
    told = "\n".join(describe(shared_lab))
    assert told.startswith("LAB")
    for word in (shared_lab.url, str(shared_lab.ca_file), str(shared_lab.anchors_file), "1.58, 1.65, 1.66, 1.67, 1.68"):
        assert word in told
