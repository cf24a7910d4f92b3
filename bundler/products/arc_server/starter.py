"""Writes a new definition: commented, with the values given, and placeholders for the rest."""

from __future__ import annotations

import json
from typing import Any

from bundler.definition.load import SCHEMA_NAME
from bundler.model.frozen import frozen
from bundler.model.target import Target
from bundler.products.arc_server.definition import Cloud, Upstream
from bundler.products.azure.arm import PLACEHOLDER
from bundler.products.product import StarterAnswers


@frozen
class Answers:
    """What has no sensible default; empty: not said."""

    name: str = "arc-servers"
    cloud: Cloud = "AzureCloud"
    tenant: str = ""
    subscription: str = ""
    resource_group: str = ""
    location: str = ""
    service_principal_id: str = ""
    """Empty: a person signs in with a device code at each server."""
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
    given: dict[str, Any] = {"name": told.name, **told.answers, "targets": told.targets, "outputs": told.outputs}
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
        targets="\n".join(_target(target) for target in answers.targets),
        upstream=_upstream(answers.upstream),
        outputs="\n".join(f"  - {{format: {name}}}" for name in answers.outputs),
    )


def _scalar(word: str) -> str:
    """In double quotes: a JSON string is a YAML string (YAML 1.2.2, section 1.3)."""
    return json.dumps(word, ensure_ascii=False)


def _authentication(answers: Answers) -> str:
    if answers.service_principal_id:
        return (
            "  method: service-principal-secret    # the secret is asked for, or read from a file, on the server\n"
            f"  service_principal_id: {_scalar(answers.service_principal_id)}"
        )
    return (
        "  method: device-code                 # a person enters a code in a browser, for each server\n"
        "  # method: service-principal-secret  # for many servers; needs service_principal_id"
    )


def _target(target: Target) -> str:
    parts = [f"os: {target.os}"]
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
# tags:
#   Owner: platform-team

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
  profile: public                     # public, microsoft-peering, private-link, gateway
  # proxy:
  #   url: http://proxy.example.com:8080
  #   bypass: [Arc]
  # an ARM id: /subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.HybridCompute/…
  # private_link_scope: …/privateLinkScopes/NAME
  # gateway_id: …/gateways/NAME
  # private_link_records: private-endpoint.json    # of `az network private-endpoint show`

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
