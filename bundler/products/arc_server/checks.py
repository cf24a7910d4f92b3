"""The addresses that the preflight on a server tries, and what it expects of each.

The addresses of :mod:`.endpoints` that the server itself must reach, each by a name that can be tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.endpoints import Endpoint, endpoints
from bundler.products.arc_server.script_parameters import EndpointCheck, UntestedEndpoint

Expects = Literal["public", "private", "any"]

# arc-gateway.md (2026-04-01) and Kubernetes' network requirements (2026-06-11) name <region>.login.microsoft.com
# where the servers' table has a wildcard; agents ask for it, as Required, in every profile.
_LOGIN = "*.login.microsoft.com"


def checks(definition: Definition, records: Iterable[HostRecord] = ()) -> tuple[EndpointCheck, ...]:
    """What is tried from the server, required ones first; ``records`` tell names that no table knows.

    What only the jump host needs is left out, and so is a wildcard without a documented name behind it.
    """
    held = tuple(record.host for record in records)
    found: dict[tuple[str, int], EndpointCheck] = {}
    for endpoint in endpoints(definition):
        for check in _checks(definition, endpoint, held):
            found.setdefault((check.host, check.port), check)
    return tuple(sorted(found.values(), key=lambda check: not check.required))


def names(endpoint: Endpoint, definition: Definition, held: Iterable[str] = ()) -> tuple[str, ...]:
    """The names that stand for ``endpoint``: its own, or for a wildcard those that a document or ``held`` gives."""
    if "*" not in endpoint.host:
        return (endpoint.host,)
    if endpoint.host == _LOGIN:
        return (f"{definition.location}.login.microsoft.com",)
    if endpoint.host.startswith("*.his."):
        suffix = endpoint.host.removeprefix("*")
        return tuple(name for name in held if name.endswith(suffix) and name != f"gbl{suffix}")
    return ()


def untested(definition: Definition, records: Iterable[HostRecord] = ()) -> tuple[UntestedEndpoint, ...]:
    """The region's own address where its code is not known: it is required, and only the agent can try it."""
    held = tuple(record.host for record in records)
    return tuple(
        UntestedEndpoint(
            host=endpoint.host,
            why=f"the code of {definition.location} in {endpoint.host.replace('*', 'CODE', 1)} is not known",
        )
        for endpoint in endpoints(definition)
        if endpoint.host.startswith("*.his.") and endpoint.path != "jump-host" and not names(endpoint, definition, held)
    )


def _checks(definition: Definition, endpoint: Endpoint, held: tuple[str, ...]) -> Iterator[EndpointCheck]:
    if endpoint.path == "jump-host":
        return
    for name in names(endpoint, definition, held):
        yield EndpointCheck(
            host=name,
            port=endpoint.port,
            required=endpoint.required,
            expects=_expects(definition, endpoint),
            way=endpoint.path,
            phase="connect" if endpoint.phase == "connect" else "always",
            feature=endpoint.feature,
        )


def _expects(definition: Definition, endpoint: Endpoint) -> Expects:
    """private-link-security.md; azcmagent-connect.md: a private address without a scope is AZCM0026, by any way.

    Through a proxy or a gateway the name is resolved there. Resource management can have a private link of its own.
    """
    private = definition.network.profile == "private-link"
    if endpoint.private_link:
        if not private:
            return "public"
        return "private" if endpoint.path == "private-endpoint" else "any"
    if endpoint.path in {"proxy", "gateway"} or (private and endpoint.phase == "connect"):
        return "any"
    return "public"
