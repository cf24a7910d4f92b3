"""The roots that ship with the program: each is the certificate that its row pins, and a definition can carry it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.resources import files

import pytest

from bundler.errors import DefinitionError
from bundler.formats import certificate
from bundler.products.arc_server import certificates, tables
from bundler.products.arc_server.parameters import from_definition
from bundler.products.arc_server.root_table import Root
from bundler.products.arc_server.rules import servers
from tests.flow.test_side_files import faults, read, trust

SHIPPED = [root for root in tables.roots().roots if root.file]
G2 = "Microsoft TLS RSA Root G2"


def test_the_new_roots_are_there():
    assert {root.name for root in SHIPPED} == {
        G2,
        "DigiCert TLS RSA4096 Root G5",
        "DigiCert TLS ECC P384 Root G5",
        "Entrust Root Certification Authority - G2",
    }
    assert tables.roots().find(G2).sha256 == "6a170583db584151e1c454eeca2a64cc5d8e484a5bd1156e720b4458654ee9e5"


@pytest.mark.parametrize("root", SHIPPED, ids=lambda root: root.name)
def test_a_shipped_root_is_the_certificate_that_its_row_pins(root: Root):
    found = certificate.described(certificates.shipped(root))
    assert (found.sha256, found.sha1, found.name) == (root.sha256, root.sha1, root.name)
    assert f"{found.ends:%Y-%m-%d}" == root.expires
    assert found.self_signed
    assert found.authority


@pytest.mark.parametrize("root", SHIPPED, ids=lambda root: root.name)
def test_a_shipped_root_is_the_one_in_public(root: Root, corpus):
    assert certificates.shipped(root) == certificate.read((corpus / "roots" / root.file).read_bytes()).der


def test_every_file_has_a_row_and_every_row_a_source_with_its_year():
    kept = {one.name for one in files("bundler.data.tls_roots").iterdir() if one.name.endswith(".pem")}
    assert kept == {root.file for root in SHIPPED}
    assert all("20" in root.source or "PKI" in root.source for root in tables.roots().roots)


@pytest.mark.parametrize("name", [G2, "microsoft tls rsa root g2", "Entrust Root Certification Authority G2"])
def test_a_definition_carries_it_by_its_name(tmp_path, name):
    (held,) = read(tmp_path, trust=trust({"builtin": name})).attachments.certificates
    row = tables.roots().find(name)
    assert (held.described.sha1, held.described.store, held.described.name) == (row.sha1, "root", row.name)
    assert hashlib.sha256(certificate.read(held.pem).der).hexdigest() == row.sha256


def test_a_root_that_is_known_by_name_only_is_asked_for_as_a_file(tmp_path):
    (fault,) = faults(tmp_path, trust=trust({"builtin": "Microsoft TLS ECC Root G2"}))
    assert "Microsoft TLS ECC Root G2 is known by name only" in fault
    (finding,) = servers._builtin(("trust", "certificates", 0, "builtin"), "Microsoft TLS ECC Root G2")
    assert finding.allowed.startswith("file: FILE")


def test_an_exchanged_file_is_not_carried():
    g2 = tables.roots().find(G2)
    wrong = replace(g2, sha256="0" * 64)
    with pytest.raises(DefinitionError, match="is not Microsoft TLS RSA Root G2"):
        certificates.shipped(wrong)


def test_preflight_looks_for_it_and_stops_nothing_without_it(tmp_path):
    made = read(tmp_path)
    found = {root.name: root for root in from_definition(made.definition, made.attachments).roots}
    assert (found[G2].required, found[G2].soon) == (False, True)
    assert "Entrust Root Certification Authority - G2" not in found
