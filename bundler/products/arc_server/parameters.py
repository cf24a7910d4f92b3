"""Makes the scripts' parameters from a definition, in azcmagent's words.

The flags, keys and their rules: Microsoft's azcmagent reference (``azcmagent-connect.md``, ``azcmagent-config.md``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from bundler.definition.common import digest
from bundler.products.arc_server import tables
from bundler.products.arc_server.agent_version import older_ones
from bundler.products.arc_server.checks import checks, untested
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.script_parameters import (
    EMBEDDED_SECRET,
    NOTHING,
    Attachments,
    NeededRoot,
    ScriptParameters,
    Setting,
)

# RFC 9562 section 5.5: a name-based UUID needs a namespace; this one is ours alone.
_CORRELATION = uuid.UUID("6d1c9e57-0f0d-5c0b-9a44-3f1c7a52b7e8")


def from_definition(definition: Definition, carried: Attachments = NOTHING) -> ScriptParameters:
    """What ``definition`` means in azcmagent's words.

    Without a correlation id one is derived from the definition, so that two builds are the same bytes.
    """
    network = definition.network
    authentication = definition.authentication
    return ScriptParameters(
        cloud=definition.cloud,
        tenant_id=definition.tenant,
        subscription_id=definition.subscription,
        resource_group=definition.resource_group,
        location=definition.location,
        resource_name=definition.resource_name,
        tags=dict(sorted(definition.tags.items())),
        correlation_id=definition.correlation_id or str(uuid.uuid5(_CORRELATION, digest(definition))),
        authentication=authentication.method,
        service_principal_id=authentication.service_principal_id,
        certificate_file=authentication.certificate_file,
        embedded_secret=EMBEDDED_SECRET if definition.authentication.embeds else "",
        certificate_thumbprint=authentication.certificate_thumbprint,
        profile=network.profile,
        proxy_url=network.proxy.url if network.proxy else "",
        private_link_scope=network.private_link_scope,
        gateway_id=network.gateway_id,
        settings=tuple(_settings(definition)),
        checks=checks(definition, carried.hosts_records),
        untested=untested(definition, carried.hosts_records),
        hosts_records=carried.hosts_records,
        certificates=tuple(held.described for held in carried.certificates),
        roots=tuple(_roots(definition)),
        identity=definition.identity,
    )


def _roots(definition: Definition) -> Iterator[NeededRoot]:
    """The roots that the table wants looked for; that of the MSI's signature only where there is a Windows."""
    windows = any(target.os == "windows" for target in definition.targets)
    for root in tables.roots().roots:
        if root.needed != "no" and (windows or root.needed_for != "msi-signature"):
            yield NeededRoot(
                name=root.name,
                sha1=root.sha1,
                needed_for=root.needed_for,
                required=root.needed == "yes",
                soon=root.needed == "soon",
            )


def _settings(definition: Definition) -> Iterator[Setting]:
    """The settings in the order that azcmagent needs.

    The proxy is first, since everything after may need it; ``connection.type`` is automatic from 1.51 (arc-gateway.md).
    ``config.mode`` goes before the lists: while a server is in monitor mode its lists cannot be changed, so one that
    was in monitor mode must be back in full mode first; and entering monitor mode writes lists and starts the
    extension service, so whatever is set beside it must follow (security-extensions.md; seed 3's transcript).
    """
    network, agent = definition.network, definition.agent
    if network.proxy:
        yield Setting(key="proxy.url", value=network.proxy.url)
        yield from _list("proxy.bypass", network.proxy.bypass)
    if network.profile == "gateway" and older_ones(definition, "1.51"):
        yield Setting(key="connection.type", value="gateway")
    yield Setting(key="config.mode", value=agent.mode)
    yield from _list("extensions.allowlist", agent.extensions.allowlist)
    yield from _list("extensions.blocklist", agent.extensions.blocklist)
    yield from _switch("extensions.enabled", agent.extensions.enabled)
    yield from _switch("guestconfiguration.enabled", agent.guest_configuration)
    yield from _list("incomingconnections.ports", map(str, agent.incoming_connections.ports))
    yield from _switch("incomingconnections.enabled", agent.incoming_connections.enabled)


def _list(key: str, items: Iterable[str]) -> Iterator[Setting]:
    """azcmagent-config.md: a list is joined with commas; ``set`` replaces the whole list."""
    joined = ",".join(items)
    if joined:
        yield Setting(key=key, value=joined)


def _switch(key: str, wanted: bool | None) -> Iterator[Setting]:
    if wanted is not None:
        yield Setting(key=key, value="true" if wanted else "false")
