"""Writes a new definition: commented, with the values given, and placeholders for the rest."""

from __future__ import annotations

import json
import re
from typing import Any

from bundler.definition.load import SCHEMA_NAME
from bundler.model.frozen import frozen
from bundler.model.target import Target
from bundler.products.arc_server import sql_server
from bundler.products.arc_server.definition import Cloud, Upstream
from bundler.products.arc_server.script_parameters import NetworkProfile
from bundler.products.azure.arm import PLACEHOLDER
from bundler.products.product import StarterAnswers
from bundler.products.question import TARGETS


@frozen
class Answers:
    """What has no sensible default; empty: not said."""

    name: str = "arc-servers"
    cloud: Cloud = "AzureCloud"
    tenant: str = ""
    subscription: str = ""
    resource_group: str = ""
    location: str = ""
    profile: NetworkProfile = "public"
    private_link_scope: str = ""
    gateway_id: str = ""
    proxy_url: str = ""
    sign_in: str = ""
    """Empty: a service principal with a secret where its id is given, otherwise a device code at each server."""
    service_principal_id: str = ""
    certificate: str = ""
    """A path, or a thumbprint of 40 hexadecimal digits."""
    sql_server: str = sql_server.DISABLED
    """Value of the tag that says whether Azure may connect SQL Server."""
    targets: tuple[Target, ...] = (
        Target(os="windows"),
        Target(os="ubuntu", version="22.04"),
        Target(os="rhel", version="9"),
    )
    outputs: tuple[str, ...] = ("zip",)
    """Formats."""
    upstream: Upstream = Upstream()
    """Of its fields, the bases, the hosts, the authority and the anchors are written out where they are set."""


def from_answers(told: StarterAnswers) -> Answers:
    """What `init` was told, as this product's answers; what it was not told keeps its default."""
    answers = {key: text for key, text in told.answers.items() if key != TARGETS}
    given: dict[str, Any] = {"name": told.name, **answers, "targets": told.targets, "outputs": told.outputs}
    upstream = told.upstream
    return Answers(
        **{key: answer for key, answer in given.items() if answer},
        upstream=Upstream(
            windows=upstream.windows,
            linux=upstream.linux,
            hosts=upstream.hosts,
            ca=upstream.ca,
            anchors=upstream.anchors,
        ),
    )


def text(answers: Answers) -> str:
    """A commented definition; it loads without a fault once tenant, subscription, group and location are given."""
    return _TEMPLATE.format(
        schema=SCHEMA_NAME,
        name=_scalar(answers.name),
        cloud=answers.cloud,
        tenant=_scalar(answers.tenant or PLACEHOLDER),
        subscription=_scalar(answers.subscription or PLACEHOLDER),
        resource_group=_scalar(answers.resource_group),
        location=_scalar(answers.location),
        authentication=_authentication(answers),
        network=_network(answers),
        sql_tag=sql_server.TAG,
        sql_disabled=sql_server.DISABLED,
        sql_value=_scalar(answers.sql_server),
        targets="\n".join(_target(target) for target in answers.targets),
        upstream=_upstream(answers.upstream),
        outputs="\n".join(f"  - {{format: {name}}}" for name in answers.outputs),
    )


def _scalar(word: str) -> str:
    """In double quotes: a JSON string is a YAML string (YAML 1.2.2, section 1.3)."""
    return json.dumps(word, ensure_ascii=False)


def _authentication(answers: Answers) -> str:
    method = answers.sign_in or ("service-principal-secret" if answers.service_principal_id else "device-code")
    lines = [_line("method", method, _SIGN_IN.get(method, ""))]
    if method in _PRINCIPALS:
        identifier = answers.service_principal_id or PLACEHOLDER
        lines.append(_line("service_principal_id", _scalar(identifier)))
    if answers.certificate:
        is_thumbprint = re.fullmatch(r"[0-9A-Fa-f: ]{40,80}", answers.certificate)
        key = "certificate_thumbprint" if is_thumbprint else "certificate_file"
        lines.append(_line(key, _scalar(answers.certificate)))
    if method == "device-code":
        lines.append("  # method: service-principal-secret  # for many servers; needs service_principal_id")
    return "\n".join(lines)


def _network(answers: Answers) -> str:
    """The profile with what it needs; the rest as comments."""
    lines = [_line("profile", answers.profile, "public, microsoft-peering, private-link, gateway")]
    if answers.profile == "private-link":
        lines.append(_line("private_link_scope", _scalar(answers.private_link_scope)))
        lines.append("  # private_link_records: private-endpoint.json    # of `az network private-endpoint show`")
    if answers.profile == "gateway":
        lines.append(_line("gateway_id", _scalar(answers.gateway_id)))
    if answers.proxy_url:
        lines += ["  proxy:", _line("  url", _scalar(answers.proxy_url), "as the servers reach it")]
        if answers.profile == "private-link":
            lines.append(_line("  bypass", "[Arc]", "the private endpoint is reached directly"))
    else:
        lines.append(_NO_PROXY)
    if answers.profile not in ("private-link", "gateway"):
        lines.append(_NO_IDS)
    return "\n".join(lines)


def _line(key: str, text: str, comment: str = "") -> str:
    """One key of a mapping, with its comment where the others are."""
    line = f"  {key}: {text}"
    return f"{line:<36}  # {comment}" if comment else line


def _target(target: Target) -> str:
    parts = [f"os: {target.os if re.fullmatch('[a-z]+', target.os) else _scalar(target.os)}"]
    if target.version:
        parts.append(f"version: {_scalar(target.version)}")
    if target.architecture != "x64":
        parts.append(f"architecture: {target.architecture}")
    return f"  - {{{', '.join(parts)}}}"


def _upstream(upstream: Upstream) -> str:
    if upstream == Upstream():
        return _NO_UPSTREAM
    named = {name: getattr(upstream, name) for name in ("windows", "linux", "ca", "anchors")}
    lines = ["upstream:"]
    lines += [f"  {name}: {_scalar(text)}" for name, text in named.items() if text]
    if upstream.hosts:
        lines.append(f"  hosts: {json.dumps(upstream.hosts)}")
    return "\n".join(lines)


_PRINCIPALS = ("service-principal-secret", "service-principal-certificate")
_SIGN_IN = {
    "service-principal-secret": "the secret is asked for, or read from a file, on the server",
    "service-principal-certificate": "with its key, on each server",
    "device-code": "a person enters a code in a browser, for each server",
    "access-token": "asked for on the server; valid for about an hour",
    "interactive": "a person signs in with a browser on the server",
}
_NO_PROXY = """\
  # proxy:
  #   url: http://proxy.example.com:8080
  #   bypass: [Arc]"""
_NO_IDS = """\
  # an ARM id: /subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.HybridCompute/…
  # private_link_scope: …/privateLinkScopes/NAME
  # gateway_id: …/gateways/NAME
  # private_link_records: private-endpoint.json    # of `az network private-endpoint show`"""
_NO_UPSTREAM = """\
# upstream:                           # a mirror, or packages that are already here
#   linux: https://mirror.example.com/microsoft
#   packages:
#     - {target: windows/x64, path: AzureConnectedMachineAgent.msi}"""

_TEMPLATE = """\
# yaml-language-server: $schema={schema}
# What this site wants. It lives in git, and never holds a secret.
# `arc-bundler schema > {schema}` lets editors complete it; docs/definition.md explains each key.

name: {name}
version: "{{date}}"                     # literal and quoted, or of {{date}}, {{agent}}, {{env:NAME}}

cloud: {cloud:<30} # AzureCloud, AzureUSGovernment, AzureChinaCloud
tenant: {tenant}
subscription: {subscription}
resource_group: {resource_group}
location: {location}
tags:
  # Where a server has SQL Server, Azure connects that too, unless this tag says {sql_disabled}.
  {sql_tag}: {sql_value}
  # Owner: platform-team

authentication:
{authentication}

agent:
  version: latest                     # or quoted: "1.67"
  # mode: monitor                     # only monitoring and security extensions, no incoming connections
  # extensions:
  #   allowlist: [Microsoft.Azure.Monitor/AzureMonitorWindowsAgent]
  # incoming_connections:
  #   enabled: false

targets:
{targets}
  # - {{os: sles, version: "15.3", agent: "1.58"}}

network:
{network}

# trust:                              # roots that the servers lack; a switch of the scripts installs them
#   certificates:
#     - {{builtin: DigiCert Global Root G2}}
# identity:                           # who on a server may use its managed identity
#   members: [app]
#   environment: true
#   prove: true

{upstream}

outputs:                              # directory, zip, tar.gz, 7z; archives: together, per-platform
{outputs}
"""
