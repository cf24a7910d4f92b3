"""Rules about the network: profile, proxy, private link and gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.definition.addresses import split
from bundler.definition.rules import Case, Finding, rule, warning
from bundler.products.arc_server import tables
from bundler.products.arc_server.agent_version import older_ones
from bundler.products.arc_server.definition import Definition
from bundler.products.azure import tables as azure
from bundler.products.azure.arm import arm_id_findings

CONNECT = "azcmagent-connect.md"
_GATEWAY = "arc-gateway.md (2026-04-01)"
_PRIVATE_LINK = "private-link-security.md (2026-05-04)"
_GATEWAY_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*\.gw\.arc\.azure\.com")
_PROXY = "manage-agent-proxy-settings.md"


@rule("network.profile", "network.private_link_scope", "network.gateway_id")
def _profile_and_ids(case: Case[Definition]) -> Iterator[Finding]:
    network = case.definition.network
    if network.profile == "gateway" and network.private_link_scope:
        message = "a gateway and a private link scope cannot be combined: the gateway needs the public endpoint"
        yield Finding(("network", "private_link_scope"), message, "one of the two", _GATEWAY)
    elif network.private_link_scope and network.profile != "private-link":
        message = f"the profile is {network.profile}, which uses no private link scope"
        yield Finding(
            ("network", "private_link_scope"), message, "profile: private-link, or leave it out", _PRIVATE_LINK
        )
    if network.gateway_id and network.profile == "private-link":
        message = "a private link scope and a gateway cannot be combined: the gateway needs the public endpoint"
        yield Finding(("network", "gateway_id"), message, "one of the two", _GATEWAY)
    elif network.gateway_id and network.profile != "gateway":
        message = f"the profile is {network.profile}, which uses no gateway"
        yield Finding(("network", "gateway_id"), message, "profile: gateway, or leave it out", _GATEWAY)


@rule("network.profile", "network.private_link_scope", "network.gateway_id")
def _profile_needs_id(case: Case[Definition]) -> Iterator[Finding]:
    network = case.definition.network
    if network.profile == "private-link" and not network.private_link_scope:
        message = "private link needs private_link_scope: without it, the agent refuses private addresses"
        source = f"{CONNECT} (--private-link-scope; otherwise AZCM0026)"
        yield Finding(("network", "profile"), message, "private_link_scope: an ARM id", source)
    if network.profile == "gateway" and not network.gateway_id:
        yield Finding(("network", "profile"), "a gateway needs gateway_id", "gateway_id: an ARM id", _GATEWAY)


@rule("network.private_link_scope")
def _scope_id(case: Case[Definition]) -> Iterator[Finding]:
    yield from arm_id_findings(
        ("network", "private_link_scope"),
        case.definition.network.private_link_scope,
        provider="Microsoft.HybridCompute",
        kind="privateLinkScopes",
        source=_PRIVATE_LINK,
    )


@rule("network.gateway_id")
def _gateway_id(case: Case[Definition]) -> Iterator[Finding]:
    yield from arm_id_findings(
        ("network", "gateway_id"),
        case.definition.network.gateway_id,
        provider="Microsoft.HybridCompute",
        kind="gateways",
        source=_GATEWAY,
    )


@rule("network.profile", "network.private_link_records")
def _records_without_private_link(case: Case[Definition]) -> Iterator[Finding]:
    network = case.definition.network
    if network.private_link_records and network.profile != "private-link":
        message = f"the profile is {network.profile}, which uses no private endpoint"
        path = ("network", "private_link_records")
        yield Finding(path, message, "profile: private-link, or leave it out", _PRIVATE_LINK)


@rule("network.profile", "network.gateway_host")
def _gateway_host(case: Case[Definition]) -> Iterator[Finding]:
    network = case.definition.network
    path = ("network", "gateway_host")
    if network.gateway_host and not _GATEWAY_HOST.fullmatch(network.gateway_host):
        yield Finding(
            path, f"{network.gateway_host!r} is not a valid gateway host", "PREFIX.gw.arc.azure.com", _GATEWAY
        )
    elif network.gateway_host and network.profile != "gateway":
        message = f"the profile is {network.profile}, which uses no gateway"
        yield Finding(path, message, "profile: gateway, or leave it out", _GATEWAY)


@rule("network.region_code", "cloud", "location")
def _region_code(case: Case[Definition]) -> Iterator[Finding]:
    code = case.definition.network.region_code
    region = azure.regions().find(case.definition.cloud, case.definition.location)
    path = ("network", "region_code")
    if code and not re.fullmatch(r"[a-z0-9]{2,12}", code):
        yield Finding(path, f"{code!r} is not a valid region code", "the word before .his, as in je", CONNECT)
    elif code and region and region.his and region.his != code:
        message = f"{region.name} has the code {region.his} in our table, by {region.his_source}"
        yield warning(path, message, "what `azcmagent check --location` shows", azure.regions().source)


@rule("network.profile", "cloud")
def _profile_in_cloud(case: Case[Definition]) -> Iterator[Finding]:
    profile, cloud = case.definition.network.profile, case.definition.cloud
    if profile == "gateway" and cloud != "AzureCloud":
        message = f"the Azure Arc gateway exists only in the public cloud, not in {cloud}"
        yield Finding(("network", "profile"), message, "another profile", _GATEWAY)
    if profile == "private-link" and cloud == "AzureChinaCloud":
        message = "Microsoft documents no private link for AzureChinaCloud"
        yield warning(("network", "profile"), message, "another profile", "includes/network-requirements.md")


@rule("network.profile", "network.proxy")
def _profile_with_proxy(case: Case[Definition]) -> Iterator[Finding]:
    profile, proxy = case.definition.network.profile, case.definition.network.proxy
    if profile == "gateway" and proxy and proxy.bypass:
        message = "proxy.bypass has no effect with a gateway"
        yield Finding(("network", "proxy", "bypass"), message, "leave it out", _GATEWAY)
    if profile == "private-link" and proxy and "Arc" not in proxy.bypass:
        message = "traffic to the private endpoint goes to the proxy too, which must then reach it"
        yield warning(("network", "proxy"), message, "bypass: [Arc]", _PROXY)


@rule("network.proxy")
def _proxy_url(case: Case[Definition]) -> Iterator[Finding]:
    proxy = case.definition.network.proxy
    if proxy is None:
        return
    path = ("network", "proxy", "url")
    parts = split(proxy.url)
    if "@" in proxy.url:  # first, and without showing it
        message = "contains a user name: the agent supports no proxy authentication"
        yield Finding(path, message, "http://host:port", f"onboard-portal.md; {_PROXY}")
    elif parts is None or parts.scheme not in {"http", "https"} or parts.path not in {"", "/"} or parts.query:
        yield Finding(path, f"{proxy.url!r} is not a valid proxy address", "http://host:port", _PROXY)
    elif parts.scheme == "https":
        yield warning(path, "Microsoft documents only http proxies for the agent", "http://host:port", _PROXY)


@rule("network.proxy", "agent.version", "targets.*")
def _bypass_words(case: Case[Definition]) -> Iterator[Finding]:
    proxy = case.definition.network.proxy
    if proxy is None:
        return
    for position, word in enumerate(proxy.bypass):
        path = ("network", "proxy", "bypass", position)
        if word in proxy.bypass[:position]:
            yield Finding(path, f"{word} is listed twice", "each once", _PROXY)
        keyword = next(k for k in tables.bypass().keywords if k.name == word)
        old = older_ones(case.definition, keyword.minimum)
        if old:
            message = f"{word} needs agent {keyword.minimum} or later, but {old} is requested"
            yield Finding(path, message, f"agent {keyword.minimum} or later", tables.bypass().source)
