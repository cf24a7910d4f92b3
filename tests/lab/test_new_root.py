"""Chains below a new root, with and without the bridge to an older one: which hosts may present them to a download."""

from __future__ import annotations

import base64
import hashlib
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import UpstreamError, UsageError
from bundler.fetch import vendor_roots
from bundler.fetch.contexts import Contexts
from bundler.fetch.download import Downloader
from bundler.fetch.network import Network
from bundler.fetch.request import Request
from bundler.fetch.store import Store
from bundler.fetch.vendor_roots import Vendor, VendorRoot
from bundler.formats import certificate, presented_chain
from bundler.lab.lab import Lab
from bundler.lab.tls_chains import LOOKS_LIKE, NEW_ISSUER, NEW_ROOT
from bundler.model.progress import NullProgress
from tests.support.misbehaving_server import proxying

G2 = "6a170583db584151e1c454eeca2a64cc5d8e484a5bd1156e720b4458654ee9e5"


def vendor(lab: Lab, *hosts: str) -> Vendor:
    """The vendor of the look-alike, with ``hosts``."""
    pem = lab.authority.new_root_file.read_bytes()
    digest = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()
    return Vendor("LAB", (LOOKS_LIKE,), hosts, (VendorRoot(NEW_ROOT, digest, pem),))


def network(lab: Lab, *hosts: str, ca: bool = False, **more) -> Network:
    trusted = {"ca_file": lab.ca_file} if ca else {}
    return Network(**{"vendors": (vendor(lab, *hosts),), "retries": 0, **trusted, **more})


def fetched(lab: Lab, folder: Path, with_network: Network) -> bytes:
    url = f"{lab.packages_url}/ubuntu/22.04/prod/dists/jammy/InRelease"
    store = Store(folder / "store")
    with Downloader(store, with_network, NullProgress(), sleep=lambda _: pytest.fail("it waited")) as downloader:
        return downloader.fetch(Request(url, "InRelease", (), 1 << 20)).path.read_bytes()


def refused(lab: Lab, folder: Path, with_network: Network) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        fetched(lab, folder, with_network)
    return raised.value


@pytest.fixture(params=["new-root", "new-root-unbridged"])
def lab(request, lab_root, now):
    with Lab(lab_root, now, certificate=request.param) as serving:
        yield serving


@pytest.fixture
def bare(lab_root, now):
    with Lab(lab_root, now, certificate="new-root-unbridged") as serving:
        yield serving


def test_a_vendors_host_needs_no_bridge(lab, tmp_path):
    assert b"Origin" in fetched(lab, tmp_path, network(lab, "localhost"))


def test_what_is_trusted_for_it_is_said_once(bare, tmp_path):
    said: list[str] = []
    told = network(bare, "localhost", detail=said.append)
    fetched(bare, tmp_path, told)
    (line,) = said
    assert line.startswith(f"{NEW_ROOT} (SHA-256 ")
    assert "trusted for the hosts of LAB alone" in line


def test_no_other_host_may_use_it(bare, tmp_path):
    error = refused(bare, tmp_path, network(bare, "example.com", "*.localhost", "localhos"))
    assert error.what == (
        f"the certificate of {bare.host} says that it is of {LOOKS_LIKE}, and its root {NEW_ROOT} is missing here"
    )
    assert "--ca FILE" in error.do
    assert "trust.certificates" in error.do
    assert any(NEW_ISSUER in line for line in error.details)


def test_the_bridge_is_enough_where_the_older_root_is_known(lab_root, now, tmp_path):
    with Lab(lab_root, now, certificate="new-root") as bridged:
        assert fetched(bridged, tmp_path, network(bridged, ca=True))
    with Lab(lab_root, now, certificate="new-root-unbridged") as unbridged:
        assert "is missing here" in refused(unbridged, tmp_path / "two", network(unbridged, ca=True)).what


def test_a_file_of_the_admins_is_enough_for_any_host(bare, tmp_path):
    assert fetched(bare, tmp_path, network(bare, ca_file=bare.authority.new_root_file))


def test_the_same_name_with_another_key_is_refused(lab_root, now, tmp_path):
    with Lab(lab_root, now, certificate="new-root-impostor") as other:
        error = refused(other, tmp_path, network(other, "localhost"))
        assert "CA that is not trusted here" in error.what
        assert "if your company inspects TLS" in error.do
        assert any(f"{NEW_ROOT} is trusted here and did not issue it" in line for line in error.details)
        elsewhere = refused(other, tmp_path, network(other, "example.com"))
    assert "says that it is of" in elsewhere.what


def test_an_issuer_of_no_vendor_is_still_taken_for_inspection(lab_root, now, tmp_path):
    with Lab(lab_root, now) as plain:
        error = refused(plain, tmp_path, network(plain, "localhost"))
    assert "CA that is not trusted here" in error.what
    assert "if your company inspects TLS" in error.do
    assert any("LAB TLS Root" in line for line in error.details)


@pytest.mark.parametrize("ca", [True, False])
def test_the_same_through_a_proxy(bare, tmp_path, ca):
    with proxying() as proxy:
        way = {"proxy": proxy.url}
        assert fetched(bare, tmp_path, network(bare, "localhost", ca=ca, **way))
        assert "is missing here" in refused(bare, tmp_path / "two", network(bare, "example.com", ca=ca, **way)).what
    assert set(proxy.tunnels) == {bare.host}


def test_a_negative_serial_number_is_a_warning_for_each_host(lab_root, now, tmp_path):
    said: list[str] = []
    with Lab(lab_root, now, certificate="negative-serial") as inspecting:
        for number in (1, 2):
            told = network(inspecting, ca=True, warn=said.append)
            assert fetched(inspecting, tmp_path / str(number), told)
            assert len(said) == number
    assert "localhost presents a certificate with a negative serial number" in said[0]
    assert "LAB TLS Root" in said[0]


# ---- What ships ----


def test_the_shipped_root_is_pinned_and_trusted_where_certifi_lacks_it():
    contexts = Contexts(Network())
    (shipped,) = vendor_roots.shipped()
    held = {hashlib.sha256(der).hexdigest() for der in contexts.of("download.microsoft.com").get_ca_certs(True)}
    assert G2 in held
    known = {hashlib.sha256(der).hexdigest() for der in contexts.ordinary().get_ca_certs(True)}
    assert held - known == ({G2} if G2 not in known else set())
    assert contexts.of("mirror.example.com") is contexts.ordinary()
    assert shipped.roots[0].sha256 == G2


def test_nothing_is_added_where_it_is_known_already(tmp_path):
    (shipped,) = vendor_roots.shipped()
    (tmp_path / "ca.pem").write_bytes(shipped.roots[0].pem)
    said: list[str] = []
    contexts = Contexts(Network(ca_file=tmp_path / "ca.pem", detail=said.append))
    assert contexts.of("download.microsoft.com") is contexts.ordinary()
    assert said == []


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("download.microsoft.com", True),
        ("DOWNLOAD.Microsoft.com.", True),
        ("packages.microsoft.com", True),
        ("gbl.his.arc.azure.com", True),
        ("aka.ms", True),
        ("his.arc.azure.com", False),
        ("evilhis.arc.azure.com", False),
        ("download.microsoft.com.evil.example", False),
        ("xdownload.microsoft.com", False),
        ("microsoft.com", False),
        ("xaka.ms", False),
        ("", False),
    ],
)
def test_the_hosts_of_the_vendor(host, wanted):
    (shipped,) = vendor_roots.shipped()
    assert shipped.has(host) is wanted


def test_a_damaged_installation_is_said(lab_root, now):
    with Lab(lab_root, now, certificate="new-root") as some:
        good = vendor(some, "localhost")
    wrong = replace(good, roots=(replace(good.roots[0], sha256=G2),))
    with pytest.raises(UsageError, match="is not the pinned one"):
        Contexts(Network(vendors=(wrong,))).of("localhost")


def test_the_public_chains_are_read(corpus):
    """A leaf would be issued by these; the root is known, the bridge is left out."""
    sent = [
        ssl.PEM_cert_to_DER_cert((corpus / f"roots/microsoft-tls-g2-rsa-ca-ocsp-0{n}.pem").read_text()) for n in (2, 4)
    ]
    links = presented_chain.read(sent)
    assert {link.issuer_name for link in links} == {"Microsoft TLS RSA Root G2"}
    assert {link.issuer_organization for link in links} == {"Microsoft Corporation"}
    assert presented_chain.end(links).issuer_name == "Microsoft TLS RSA Root G2"
    assert not any(map(presented_chain.has_negative_serial, sent))
    (shipped,) = vendor_roots.shipped()
    root = next(certificate.in_pem(shipped.roots[0].pem))
    assert presented_chain.end(presented_chain.read([sent[0], root])).issuer_name == "Microsoft TLS RSA Root G2"


@given(st.binary(max_size=80))
def test_any_bytes_have_no_negative_serial_or_are_read(document):
    assert presented_chain.has_negative_serial(document) in (True, False)
    assert presented_chain.read([document]) == ()


@pytest.mark.parametrize(
    ("head", "wanted"),
    [("300a3008a003020102020180", True), ("300a3008a00302010202017f", False), ("3006300402028001", True),
     ("300630040202" + "0080", False)],
)  # fmt: skip
def test_the_sign_of_a_serial_number(head, wanted):
    assert presented_chain.has_negative_serial(base64.b16decode(head.upper())) is wanted


def test_a_server_that_sends_its_own_certificate_alone_lacks_an_issuer(tmp_path, another_chain):
    what = another_chain().what
    assert f"says that it is of {LOOKS_LIKE}, and the root of its issuer {NEW_ISSUER} is missing here" in what


@pytest.fixture
def another_chain(lab_root, now, tmp_path):
    """How a download ends at a server that leaves out the intermediate, too."""

    def refuse() -> UpstreamError:
        with Lab(lab_root, now, certificate="new-root-unbridged") as lab:
            file = lab.authority.folder / "server-new-root-unbridged.both.pem"
            key, leaf, *_ = file.read_text().split("-----BEGIN CERTIFICATE-----")
            (tmp_path / "leaf.pem").write_text(f"{key}-----BEGIN CERTIFICATE-----{leaf}")
            lab._server.socket.context.load_cert_chain(tmp_path / "leaf.pem")
            return refused(lab, tmp_path, network(lab, "example.com"))

    return refuse
