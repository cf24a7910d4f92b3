"""The smallest definition that fits: it needs neither a lab nor a network to be read."""

from __future__ import annotations

TEXT = """\
name: arc
tenant: 11111111-1111-4111-8111-111111111111
subscription: 22222222-2222-4222-8222-222222222222
resource_group: servers
location: japaneast
authentication: {method: device-code}
targets: [{os: debian, version: "12"}]
"""
WITH_SECRET = TEXT.replace(
    "{method: device-code}",
    "{method: service-principal-secret, service_principal_id: 33333333-3333-4333-8333-333333333333}",
)
