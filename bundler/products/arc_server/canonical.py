"""The canonical form of a definition: one spelling for each meaning, so that equal meanings have equal digests."""

from __future__ import annotations

import re
from dataclasses import replace

from bundler.products.arc_server.definition import Definition

_GEOGRAPHY = re.compile(r"^\s*\([A-Za-z ]+\)")


def canonical(definition: Definition) -> Definition:
    """``definition`` with its identifiers in one spelling.

    azcmagent strips the spaces of a location itself from 1.50 on (agent-release-notes.md); older ones are spared them.
    A location may also be a RegionalDisplayName of ``az account list-locations``: ``(Asia Pacific) Japan East``.
    """
    who = definition.authentication
    thumbprint = "".join(who.certificate_thumbprint.replace(":", "").split()).upper()
    network = definition.network
    return replace(
        definition,
        location="".join(_GEOGRAPHY.sub("", definition.location).split()).lower(),
        tenant=definition.tenant.lower(),
        subscription=definition.subscription.lower(),
        correlation_id=definition.correlation_id.lower(),
        network=replace(network, gateway_host=network.gateway_host.lower(), region_code=network.region_code.lower()),
        authentication=replace(
            who, service_principal_id=who.service_principal_id.lower(), certificate_thumbprint=thumbprint
        ),
    )
