"""Bundles of which a script's header is measured: three targets, an RSA sealer, and what adds lines to that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bundler.model.lock import Pin
from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server.script_parameters import CarriedCertificate, EndpointCheck, NeededRoot
from tests.support import sample_bundles as sample
from tests.support import sealed_bundles as sealed

RSA = sealed.Recipe(sealer=sealed.signer())


def check(number: int) -> EndpointCheck:
    return EndpointCheck(
        host=f"{number:02}-agentserviceapi.guestconfiguration.azure.com",
        port=443,
        required=True,
        expects="private",
        way="private-endpoint",
        phase="connect",
        feature="Windows Admin Center access",
    )


def certificate(number: int) -> CarriedCertificate:
    sha256 = hashlib.sha256(bytes([number])).hexdigest()
    return CarriedCertificate(
        path=f"payload/certificates/{sha256}.pem",
        name=f"Site Root CA {number}",
        sha1="A" * 40,
        sha256=sha256,
        store="root",
    )


def usual(pins: Sequence[Pin]) -> sealed.Recipe:
    """A bundle with a private link, 16 endpoints and 4 roots."""
    roots = (NeededRoot(name="DigiCert Global Root G2", sha1="A" * 40, needed_for="azure-tls", required=True),) * 4
    parameters = replace(
        sample.SECRET,
        checks=tuple(map(check, range(16))),
        roots=roots,
        private_link_scope=f"/subscriptions/{sample.SUBSCRIPTION}/resourceGroups/{'g' * 60}/providers/{'p' * 80}",
    )
    return replace(RSA, pins=tuple(pins), parameters=parameters, serial=20261122010203, not_after=sealed.NOW)


def growth(three: Sequence[Pin], four: Sequence[Pin]) -> Mapping[str, tuple[sealed.Recipe, int]]:
    """Bundles with one thing more than ``usual(three)``, and how many lines that may add."""
    base = usual(three)

    def more(**changes) -> sealed.Recipe:
        return replace(base, parameters=replace(base.parameters, **changes))

    records = tuple(HostRecord(host=f"{at}.his.arc.azure.com", address="10.20.30.40") for at in range(2))
    return {
        "a target": (usual(four), 12),
        "an ECDSA sealer": (replace(base, sealer=sealed.signer("p384", "LAB sealer")), 25),
        "an approver": (replace(base, approvers=(sealed.signer("p384", "An approver"),), required=1), 25),
        "a record with its endpoint": (
            more(hosts_records=records[:1], checks=(*base.parameters.checks, check(99))),
            3,
        ),
        "two records": (more(hosts_records=records), 6),
        "two certificates": (more(certificates=(certificate(1), certificate(2))), 6),
    }
