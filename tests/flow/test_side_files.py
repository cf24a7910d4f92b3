"""The files that a definition names: their contents, and every fault of every file at once, with its line."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bundler.errors import DefinitionError
from bundler.flow.project import Project
from bundler.flow.project import read as read_project
from bundler.products.arc_server import tables
from bundler.products.arc_server.contents import flat_parameters
from bundler.products.arc_server.parameters import from_definition

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
GUID = "22222222-2222-4222-8222-222222222222"
SCOPE = f"/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.HybridCompute/privateLinkScopes/pls"
RECORDS = {
    "gbl.his.arc.azure.com": "10.0.0.4",
    "je.his.arc.azure.com": "10.0.0.5",
    "agentserviceapi.guestconfiguration.azure.com": "10.0.0.6",
    "japaneast-gas.guestconfiguration.azure.com": "10.0.0.7",
    "japaneast.dp.kubernetesconfiguration.azure.com": "10.0.0.8",
}
BASE = {
    "name": "arc",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": GUID,
    "resource_group": "rg",
    "location": "japaneast",
    "authentication": {"method": "device-code"},
    "targets": [{"os": "ubuntu", "version": "22.04"}],
}


def read(folder: Path, *, strict: bool = False, **more) -> Project:
    path = folder / "bundle.yaml"
    path.write_text(yaml.safe_dump({**BASE, **more}, sort_keys=False), encoding="utf-8")
    return read_project(path, anchors_file=None, today=TODAY, strict=strict)


def faults(folder: Path, **more) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        read(folder, **more)
    assert all(fault.line for fault in caught.value.faults)
    return [f"{fault.path}: {fault.message}" for fault in caught.value.faults]


def private(folder: Path, pairs: object) -> dict:
    listed = [{"fqdn": host, "ipAddresses": [at]} for host, at in pairs.items()] if isinstance(pairs, dict) else pairs
    (folder / "pe.json").write_text(json.dumps(listed), encoding="utf-8")
    return {"profile": "private-link", "private_link_scope": SCOPE, "private_link_records": "pe.json"}


def certificate(*, ca: bool = True, days: int = 400) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Site Root")])
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 5, NOW - timedelta(days=500), NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def trust(*wanted: dict) -> dict:
    return {"certificates": list(wanted)}


def test_records_reach_the_scripts_sorted_and_by_their_public_names(tmp_path):
    within = {host.replace("his.arc", "privatelink.his.arc"): at for host, at in reversed(RECORDS.items())}
    made = read(tmp_path, network=private(tmp_path, within))
    told = from_definition(made.definition, made.attachments).hosts_records
    assert [(record.host, record.address) for record in told] == sorted(RECORDS.items())
    assert made.warnings == ()


def test_every_fault_of_the_records_is_reported_at_once(tmp_path):
    wrong = {
        "gbl.his.arc.azure.com": "20.1.2.3",
        "vault.vault.azure.net": "10.0.0.9",
        "agentserviceapi.guestconfiguration.azure.com": "127.0.0.1",
    }
    found = faults(tmp_path, network=private(tmp_path, wrong))
    said = "\n".join(found)
    for part in (
        "20.1.2.3, which is not private",
        "127.0.0.1, which is not private",
        "vault.vault.azure.net is not a name of",
        "japaneast-gas.guestconfiguration.azure.com is missing",
        "the region's own name below his.arc.azure.com is missing",
    ):
        assert part in said
    assert all(line.startswith("network.private_link_records: ") for line in found)


def test_one_name_has_one_address(tmp_path):
    pairs = [{"fqdn": host, "ipAddresses": [at]} for host, at in RECORDS.items()]
    other = [*pairs, {"fqdn": "gbl.his.arc.azure.com", "ipAddresses": ["10.0.0.99"]}]
    assert "2 addresses: 10.0.0.4, 10.0.0.99" in faults(tmp_path, network=private(tmp_path, other))[0]
    (warned,) = read(tmp_path, network=private(tmp_path, [*pairs, pairs[0]])).warnings
    assert "2 times" in warned.message
    with pytest.raises(DefinitionError):
        read(tmp_path, strict=True, network=private(tmp_path, [*pairs, pairs[0]]))


def test_another_regions_endpoint_is_doubted(tmp_path):
    swapped = {("ea.his.arc.azure.com" if host.startswith("je.") else host): at for host, at in RECORDS.items()}
    (warned,) = read(tmp_path, network=private(tmp_path, swapped)).warnings
    assert "je.his.arc.azure.com is not among ea.his.arc.azure.com" in warned.message


@pytest.mark.parametrize("address", ["100.64.0.4", "172.31.255.4", "fd00::4"])
def test_every_range_of_a_virtual_network_is_private(tmp_path, address):
    assert not read(tmp_path, network=private(tmp_path, {**RECORDS, "gbl.his.arc.azure.com": address})).warnings


@pytest.mark.parametrize("address", ["172.32.0.1", "169.254.1.1", "0.0.0.0", "224.0.0.1", "2603::1", "::1", "fe80::1"])
def test_nothing_else_is(tmp_path, address):
    pairs = {**RECORDS, "gbl.his.arc.azure.com": address}
    assert "not private" in faults(tmp_path, network=private(tmp_path, pairs))[0]


def test_records_belong_to_private_link(tmp_path):
    network = {"private_link_records": private(tmp_path, RECORDS)["private_link_records"]}
    (fault,) = faults(tmp_path, network=network)
    assert "uses no private endpoint" in fault


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path, name):
    network = {**private(tmp_path, RECORDS), "private_link_records": name}
    found = faults(tmp_path, network=network, trust=trust({"file": name}))
    assert len(found) == 2
    assert all("cannot be read" in fault for fault in found)


def test_a_builtin_root_is_the_one_with_the_thumbprint(tmp_path):
    made = read(tmp_path, trust=trust(*({"builtin": r.name} for r in tables.roots().roots if _current(r))))
    carried = from_definition(made.definition, made.attachments).certificates
    assert {one.sha1 for one in carried} == {r.sha1 for r in tables.roots().roots if _current(r)}
    assert {one.store for one in carried} == {"root"}
    for held in made.attachments.certificates:
        parsed = x509.load_pem_x509_certificate(held.pem)
        assert parsed.fingerprint(hashes.SHA1()).hex().upper() == held.described.sha1
        row = next(root for root in tables.roots().roots if root.sha1 == held.described.sha1)
        assert f"{parsed.not_valid_after_utc:%Y-%m-%d}" == row.expires
        assert held.described.name == row.name


def _current(root) -> bool:
    return root.needed_for == "azure-tls" and root.needed != "no"


def test_a_root_that_certifi_dropped_is_refused(tmp_path):
    (fault,) = faults(tmp_path, trust=trust({"builtin": "Baltimore CyberTrust Root"}))
    assert "D4DE20D05E66FC53FE1A50882C78DB2852CAE474) is not in the certifi" in fault


def test_an_unknown_root_gets_a_spelling_suggestion(tmp_path):
    (fault,) = faults(tmp_path, trust=trust({"builtin": "DigiCert Global Root G22"}))
    assert "DigiCert Global Root G2" in fault.split("is not a built-in root")[1]
    for wrong in ({}, {"file": "a", "builtin": "DigiCert Global Root G2"}):
        assert "not both" in faults(tmp_path, trust=trust(wrong))[0]


def test_a_file_travels_in_pem_whatever_it_was(tmp_path):
    made = certificate()
    (tmp_path / "root.cer").write_bytes(made.public_bytes(Encoding.DER))
    (held,) = read(tmp_path, trust=trust({"file": "root.cer"})).attachments.certificates
    assert held.pem == made.public_bytes(Encoding.PEM)
    assert held.described.path == f"payload/certificates/{made.fingerprint(hashes.SHA256()).hex()}.pem"
    (tmp_path / "root.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (fault,) = faults(tmp_path, trust=trust({"file": "root.cer"}, {"file": "root.pem"}))
    assert fault.startswith("trust.certificates.1")
    assert "listed twice" in fault


def test_only_authorities_travel_and_age_is_a_warning(tmp_path):
    (tmp_path / "leaf.pem").write_bytes(certificate(ca=False).public_bytes(Encoding.PEM))
    (tmp_path / "old.pem").write_bytes(certificate(days=-1).public_bytes(Encoding.PEM))
    (fault,) = faults(tmp_path, trust=trust({"file": "leaf.pem"}))
    assert "certificate of a certificate authority" in fault
    (warned,) = read(tmp_path, trust=trust({"file": "old.pem"})).warnings
    assert "expired on 2026-10-31" in warned.message
    assert warned.severity == "warning"


def test_what_travels_is_in_the_parameters_and_called_unusual(tmp_path):
    made = read(
        tmp_path,
        trust=trust({"builtin": "DigiCert Global Root G2"}),
        network=private(tmp_path, RECORDS),
        identity={"members": ["app"], "environment": True},
    )
    told = flat_parameters(from_definition(made.definition, made.attachments))
    assert told["certificates.DF3C24F9BFD666761B268073FE06D1CC8D4F82A4"] == "DigiCert Global Root G2"
    assert told["hosts.gbl.his.arc.azure.com"] == "10.0.0.4"
    assert told["identity.members"] == "app"
    assert told["identity.environment"] == "true"
    assert "identity.prove" not in told
