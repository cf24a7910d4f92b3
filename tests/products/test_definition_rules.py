"""Definitions that have their shape and make no sense: each refusal with its path, line, reason and source."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from bundler.definition.load import describe
from bundler.errors import DefinitionError, Fault
from bundler.products import definition_file
from bundler.products.arc_server import rules, tables

TODAY = date(2026, 11, 23)
GUID = "22222222-2222-4222-8222-222222222222"
GROUP = f"/subscriptions/{GUID}/resourceGroups/g/providers/Microsoft.HybridCompute"
SCOPE = f"{GROUP}/privateLinkScopes/pls"
GATEWAY = f"{GROUP}/gateways/gw"


def tree(**changes) -> dict:
    """A right definition, with ``changes`` by dotted path (``__`` for the dot)."""
    found = {
        "name": "arc",
        "tenant": "11111111-1111-4111-8111-111111111111",
        "subscription": GUID,
        "resource_group": "rg",
        "location": "japaneast",
        "authentication": {"method": "device-code"},
        "targets": [{"os": "ubuntu", "version": "22.04"}],
        "tags": {"ArcSQLServerExtensionDeployment": "Disabled"},
    }
    for path, value in changes.items():
        here = found
        *parents, last = path.split("__")
        for part in parents:
            here = here.setdefault(part, {})
        here[last] = value
    return found


def faults(changes: dict, *, today: date | None = TODAY) -> list[Fault]:
    """All faults and warnings of a definition with ``changes``."""
    text = json.dumps(tree(**changes), indent=1).encode()  # JSON is YAML
    try:
        return list(definition_file.load(Path("bundle.yaml"), text, today=today).warnings)
    except DefinitionError as error:
        return list(error.faults)


def target(os, version="", architecture="x64", **more):
    return [{"os": os, "version": version, "architecture": architecture, **more}]


CERTIFICATE = {"method": "service-principal-certificate", "service_principal_id": GUID}
PROXY = "network__proxy__url"

REFUSED = [
    ({"network__gateway_host": "x.gw.arc.azure.com"}, "network.gateway_host", "uses no gateway"),
    ({"network__gateway_host": "gw.example.com"}, "network.gateway_host", "valid gateway host"),
    ({"network__region_code": "je.his"}, "network.region_code", "valid region code"),
    # what travels, and who may use the managed identity
    ({"network__private_link_records": "pe.json"}, "network.private_link_records", "uses no private endpoint"),
    ({"trust__certificates": [{"builtin": "DigiCert Global Root G4"}]}, "trust.certificates.0.builtin", "Root G3"),
    ({"seal__signers": ["sha256:12"]}, "seal.signers.0", "is not a valid fingerprint"),
    (
        {"approval": {"required": 2, "approvers": [{"name": "A", "certificate": "a"}]}},
        "approval.required",
        "approvers listed: 1",
    ),
    (
        {"approval": {"required": 1, "approvers": [{"name": n, "certificate": "a"} for n in "AB"]}},
        "approval.approvers.1.certificate",
        "cannot approve twice",
    ),
    ({"authentication__secret": "embedded"}, "authentication.secret", "no secret that could be embedded"),
    (
        {
            "authentication": {"method": "access-token", "secret": "embedded"},
            "outputs": [{"format": "zip"}],
        },
        "authentication.secret",
        "must be encrypted",
    ),
    ({"trust__certificates": [{}]}, "trust.certificates.0", "not both"),
    ({"trust__certificates": [{"file": "a"}, {"file": "a"}]}, "trust.certificates.1", "is listed twice"),
    ({"identity__members": [""]}, "identity.members.0", "valid user name"),
    ({"identity__members": ["-f"]}, "identity.members.0", "valid user name"),
    ({"identity__members": ["app\nroot"]}, "identity.members.0", "valid user name"),
    ({"identity__members": ["app", "App"]}, "identity.members.1", "is listed twice"),
    ({"identity__members": ["CORP\\app"]}, "identity.members.0", "on Linux"),
    # names and identifiers
    ({"name": "con"}, "name", "device on Windows"),
    ({"name": "Lpt1.x"}, "name", "device on Windows"),
    ({"name": "a."}, "name", "ends with a dot"),
    ({"name": ".a"}, "name", "cannot be a folder's name"),
    ({"name": "a/b"}, "name", "cannot be a folder's name"),
    ({"name": "é"}, "name", "cannot be a folder's name"),
    ({"name": ""}, "name", "cannot be a folder's name"),
    ({"name": "a" * 65}, "name", "cannot be a folder's name"),
    ({"version": "{datum}"}, "version", "has an unknown placeholder"),
    ({"version": "{env:}"}, "version", "has an unknown placeholder"),
    ({"version": "{date"}, "version", "has an unknown placeholder"),
    ({"version": "1:2"}, "version", "cannot be a folder's name"),
    ({"version": ""}, "version", "cannot be a folder's name"),
    ({"tenant": "contoso.onmicrosoft.com"}, "tenant", "is not a valid GUID"),
    ({"tenant": "{11111111-1111-4111-8111-111111111111}"}, "tenant", "is not a valid GUID"),
    ({"tenant": "11111111111141118111111111111111"}, "tenant", "is not a valid GUID"),
    ({"tenant": "00000000-0000-0000-0000-000000000000"}, "tenant", "placeholder"),
    ({"subscription": "My Subscription"}, "subscription", "is not a valid GUID"),
    ({"correlation_id": "x"}, "correlation_id", "is not a valid GUID"),
    ({"resource_group": ""}, "resource_group", "is empty"),
    ({"resource_group": "rg."}, "resource_group", "is not a valid name"),
    ({"resource_group": "a b"}, "resource_group", "is not a valid name"),
    ({"resource_group": "a" * 91}, "resource_group", "is not a valid name"),
    ({"resource_name": "web-"}, "resource_name", "is not a valid name"),
    ({"resource_name": "web_"}, "resource_name", "is not a valid name"),
    ({"resource_name": "web.example."}, "resource_name", "is not a valid name"),
    ({"resource_name": "web example"}, "resource_name", "is not a valid name"),
    ({"resource_name": "Exchange"}, "resource_name", "EXCHANGE is a reserved word"),
    ({"resource_name": "web.config"}, "resource_name", "WEB.CONFIG is a reserved word"),
    ({"resource_name": "MICROSOFT-SQL01"}, "resource_name", "MICROSOFT is a reserved word and cannot be in a name"),
    ({"resource_name": "srv-windows-01"}, "resource_name", "WINDOWS is a reserved word and cannot be in a name"),
    ({"resource_name": "login01"}, "resource_name", "LOGIN is a reserved word and cannot begin a name"),
    ({"resource_name": "a" * 55}, "resource_name", "is not a valid name"),
    ({"location": ""}, "location", "is empty"),
    ({"location": "japan-east"}, "location", "is not a valid region; did you mean 'japaneast'?"),
    # one letter added, missing, changed, and two exchanged
    *[
        ({"location": slip}, "location", "is one letter off 'japaneast'; did you mean 'japaneast'?")
        for slip in ("japaneastt", "jjapaneast", "japaeast", "apaneast", "japanaast", "Japan Eats", "jpaaneast")
    ],
    ({"location": "westeurpoe"}, "location", "did you mean 'westeurope'?"),
    ({"location": "eastsu2"}, "location", "did you mean 'eastus2'?"),
    ({"cloud": "AzureChinaCloud", "location": "chinanorht3"}, "location", "did you mean 'chinanorth3'?"),
    # tags
    ({"tags": {f"t{i}": "x" for i in range(51)}}, "tags", "51 tags are too many"),
    ({"tags": {"a" * 513: "x"}}, "tags." + "a" * 513, "has 513 characters"),
    ({"tags": {"": "x"}}, "tags.", "has 0 characters"),
    ({"tags": {"a": "x" * 257}}, "tags.a", "has 257 characters"),
    *[({"tags": {f"a{mark}b": "x"}}, f"tags.a{mark}b", "the tag's name holds") for mark in "<>%&\\?/\n"],
    *[({"tags": {f"{p}x": "x"}}, f"tags.{p}x", "which Azure reserves") for p in ("microsoft", "Azure", "WINDOWS")],
    ({"tags": {"a": "x\ny"}}, "tags.a", "control character"),
    ({"tags": {"Owner": "x", "owner": "y"}}, "tags.owner", "are one tag to Azure"),
    ({"tags": {"a": "it's"}, "agent__version": "1.49"}, "tags.a", "needs agent 1.50 or later"),
    # authentication
    ({"authentication": {"method": "service-principal-secret"}}, "authentication.service_principal_id", "is missing"),
    (
        {"authentication": {"method": "service-principal-secret", "service_principal_id": "x"}},
        "authentication.service_principal_id",
        "is not a valid GUID",
    ),
    ({"authentication__service_principal_id": GUID}, "authentication.service_principal_id", "does not use a service"),
    ({"authentication": CERTIFICATE}, "authentication", "does not say where"),
    (
        {"authentication": CERTIFICATE, "seal__signers": [f"sha256:{'a' * 64}"], "agent__version": "1.40"},
        "authentication.certificate_file",
        "needs agent 1.41 or later",
    ),
    (
        {
            "authentication": {**CERTIFICATE, "certificate_file": "/a", "certificate_thumbprint": "a" * 40},
            "targets": target("windows"),
        },
        "authentication",
        "not both",
    ),
    ({"authentication__certificate_file": "/a"}, "authentication.certificate_file", "does not use a certificate"),
    (
        {"authentication": {**CERTIFICATE, "certificate_thumbprint": "abc"}, "targets": target("windows")},
        "authentication.certificate_thumbprint",
        "is not a valid thumbprint",
    ),
    (
        {"authentication": {**CERTIFICATE, "certificate_thumbprint": "a" * 40}},
        "authentication.certificate_thumbprint",
        "which ubuntu cannot read",
    ),
    ({"authentication__method": "interactive"}, "authentication.method", "this method needs a browser"),
    (
        {"authentication": {**CERTIFICATE, "certificate_file": "/a"}, "agent__version": "1.40"},
        "authentication.certificate_file",
        "needs agent 1.41 or later",
    ),
    (
        {"authentication": {**CERTIFICATE, "certificate_file": "sp.pem"}},
        "authentication.certificate_file",
        "is not an absolute path",
    ),
    # network
    ({"network__profile": "private-link"}, "network.profile", "needs private_link_scope"),
    ({"network__profile": "gateway"}, "network.profile", "needs gateway_id"),
    (
        {"network": {"profile": "gateway", "gateway_id": GATEWAY, "private_link_scope": SCOPE}},
        "network.private_link_scope",
        "cannot be combined",
    ),
    (
        {"network": {"profile": "private-link", "gateway_id": GATEWAY, "private_link_scope": SCOPE}},
        "network.gateway_id",
        "cannot be combined",
    ),
    ({"network__private_link_scope": SCOPE}, "network.private_link_scope", "uses no private link scope"),
    ({"network__gateway_id": GATEWAY}, "network.gateway_id", "uses no gateway"),
    (
        {"network": {"profile": "private-link", "private_link_scope": "pls"}},
        "network.private_link_scope",
        "not a valid ARM id",
    ),
    (
        {"network": {"profile": "private-link", "private_link_scope": GATEWAY}},
        "network.private_link_scope",
        "one of gateways, not of privateLinkScopes",
    ),
    (
        {"network": {"profile": "gateway", "gateway_id": GATEWAY.replace(GUID, "prod")}},
        "network.gateway_id",
        "is not a valid GUID",
    ),
    (
        {
            "network": {"profile": "gateway", "gateway_id": GATEWAY},
            "cloud": "AzureUSGovernment",
            "location": "usgovtexas",
        },
        "network.profile",
        "only in the public cloud",
    ),
    (
        {
            "network": {
                "profile": "gateway",
                "gateway_id": GATEWAY,
                "proxy": {"url": "http://p:8080", "bypass": ["Arc"]},
            }
        },
        "network.proxy.bypass",
        "no effect with a gateway",
    ),
    ({PROXY: "http://user:pass@proxy:8080"}, "network.proxy.url", "no proxy authentication"),
    ({PROXY: "http://user@proxy:8080"}, "network.proxy.url", "no proxy authentication"),
    ({PROXY: "proxy:8080"}, "network.proxy.url", "is not a valid proxy address"),
    ({PROXY: "socks5://proxy:1080"}, "network.proxy.url", "is not a valid proxy address"),
    ({PROXY: "http://proxy:99999"}, "network.proxy.url", "is not a valid proxy address"),
    ({PROXY: "http://proxy/path"}, "network.proxy.url", "is not a valid proxy address"),
    ({PROXY: "http://[::1"}, "network.proxy.url", "is not a valid proxy address"),
    ({PROXY: "http://pro xy:1"}, "network.proxy.url", "is not a valid proxy address"),
    (
        {PROXY: "http://p:1", "network__proxy__bypass": ["AAD", "Arc", "AAD"]},
        "network.proxy.bypass.2",
        "is listed twice",
    ),
    (
        {PROXY: "http://p:1", "network__proxy__bypass": ["AMA"], "agent__version": "1.44"},
        "network.proxy.bypass.0",
        "needs agent 1.45 or later",
    ),
    # what the agent may do
    *[
        ({"agent": {"mode": "monitor", **more}}, f"agent.{path}", "monitor mode has its own lists")
        for more, path in [
            ({"extensions": {"allowlist": ["a/b"]}}, "extensions.allowlist"),
            ({"extensions": {"blocklist": ["a/b"]}}, "extensions.blocklist"),
            ({"incoming_connections": {"ports": [22]}}, "incoming_connections.ports"),
            ({"incoming_connections": {"enabled": True}}, "incoming_connections.enabled"),
            ({"guest_configuration": True}, "guest_configuration"),
        ]
    ],
    ({"agent__extensions__allowlist": ["AzureMonitor"]}, "agent.extensions.allowlist.0", "is not a valid extension"),
    ({"agent__extensions__allowlist": ["a/b,c/d"]}, "agent.extensions.allowlist.0", "is not a valid extension"),
    ({"agent__extensions__blocklist": ["a/b", "A/B"]}, "agent.extensions.blocklist.1", "is listed twice"),
    (
        {"agent__extensions__allowlist": ["Allow/None", "a/b"]},
        "agent.extensions.allowlist.0",
        "it must be the only entry",
    ),
    ({"agent__extensions__blocklist": ["Allow/None"]}, "agent.extensions.blocklist.0", "it must be the only entry"),
    (
        {"agent__incoming_connections": {"enabled": False, "ports": [22]}},
        "agent.incoming_connections.ports",
        "the ports have no effect",
    ),
    ({"agent__incoming_connections__ports": [22, 22]}, "agent.incoming_connections.ports.1", "is listed twice"),
    # which agent
    ({"agent__version": "newest"}, "agent.version", "is not a valid agent version"),
    ({"agent__version": "latst"}, "agent.version", "did you mean 'latest'?"),
    ({"agent__version": "1"}, "agent.version", "is not a valid agent version"),
    ({"agent__version": "1.67.3"}, "agent.version", "is not a valid agent version"),
    ({"agent__version": "v1.67"}, "agent.version", "is not a valid agent version"),
    ({"targets": target("ubuntu", "22.04", agent="lates")}, "targets.0.agent", "is not a valid agent version"),
    (
        {"agent__version": "1.67.03504.3207", "targets": target("windows") + target("ubuntu", "22.04")},
        "agent.version",
        "for Windows or for Linux",
    ),
    # targets
    ({"targets": target("ubuntu", "22.10")}, "targets.0.version", "is not supported; did you mean '22.04'?"),
    ({"targets": target("rhel", "6")}, "targets.0.version", "is not supported"),
    ({"targets": target("windows", "2008r2")}, "targets.0.version", "is not supported"),
    ({"targets": target("ubuntu")}, "targets.0.os", "needs a version"),
    ({"targets": target("windows", "2022", "arm64")}, "targets.0.architecture", "no agent for windows 2022 on arm64"),
    ({"targets": target("windows", "", "arm64")}, "targets.0.architecture", "no agent for windows on arm64"),
    ({"targets": target("ubuntu", "18.04", "arm64")}, "targets.0.architecture", "no agent for ubuntu 18.04 on arm64"),
    ({"targets": target("ubuntu", "26.04", "arm64")}, "targets.0.architecture", "no agent"),
    ({"targets": target("oracle", "9", "arm64")}, "targets.0.architecture", "no agent"),
    ({"targets": target("sles", "15.3")}, "targets.0.version", "the last agent that supports sles 15.3 is 1.58"),
    ({"targets": target("sles", "15.3", agent="1.59")}, "targets.0.agent", "is 1.58, and 1.59 is requested"),
    ({"targets": target("ubuntu", "16.04")}, "targets.0.version", "is 1.44, and latest is requested"),
    ({"targets": target("debian", "10", agent="1.45")}, "targets.0.agent", "is 1.44, and 1.45 is requested"),
    ({"targets": target("azurelinux", "2.0", agent="1.65")}, "targets.0.agent", "is 1.64, and 1.65 is requested"),
    ({"targets": target("ubuntu", "26.04", agent="1.66")}, "targets.0.agent", "needs agent 1.67 or later"),
    *[
        ({"targets": target(os, version, agent="1.61")}, "targets.0.agent", "needs agent 1.62 or later")
        for os, version in (("sles", "16"), ("alma", "10"), ("rocky", "10"))
    ],
    ({"targets": target("azurelinux", "3.0")}, "targets.0", "the distribution's own repositories"),
    ({"targets": target("windows", agent="1.48")}, "targets.0", "no download address is known"),
    ({"targets": target("rhel", "9") * 2}, "targets.1", "is listed twice"),
    ({"targets": target("windows", "2022") + target("windows")}, "targets.0", "already includes this one"),
    # upstream and outputs
    ({"upstream__linux": "http://mirror/x"}, "upstream.linux", "is not an https address"),
    ({"upstream__windows": "mirror"}, "upstream.windows", "is not an https address"),
    ({"upstream__linux": "https://u:p@mirror"}, "upstream.linux", "contains a user name"),
    ({"upstream__linux": "https://mirror?x=1"}, "upstream.linux", "contains a query"),
    ({"upstream__repositories": {"rhel9": "x"}}, "upstream.repositories.rhel9", "did you mean 'rhel/9'?"),
    ({"upstream__repositories": {"rhel/9": "../x"}}, "upstream.repositories.rhel/9", "is not a folder below"),
    ({"upstream__repositories": {"rhel/9": "https://x"}}, "upstream.repositories.rhel/9", "is not a folder below"),
    ({"upstream__hosts": ["https://x"]}, "upstream.hosts.0", "is not a valid host"),
    (
        {"upstream__packages": [{"target": "ubuntu/22.04", "path": "x.deb"}]},
        "upstream.packages.0.target",
        "did you mean 'ubuntu/22.04/x64'?",
    ),
    ({"upstream__packages": [{"target": "ubuntu/22.04/x64"}]}, "upstream.packages.0", "needs a path or a url"),
    (
        {"upstream__packages": [{"target": "ubuntu/22.04/x64", "path": "x", "url": "https://x/y"}]},
        "upstream.packages.0",
        "not both",
    ),
    (
        {"upstream__packages": [{"target": "ubuntu/22.04/x64", "url": "http://x/y"}]},
        "upstream.packages.0.url",
        "is not an https address",
    ),
    (
        {"upstream__packages": [{"target": "ubuntu/22.04/x64", "path": "x"}] * 2},
        "upstream.packages.1.target",
        "has two packages",
    ),
    ({"outputs": [{"format": "zip", "encrypted": True}]}, "outputs.0.encrypted", "zip is not encrypted here"),
    ({"outputs": [{"format": "7z"}, {"format": "7z", "encrypted": True}]}, "outputs.1", "both would have one name"),
]


@pytest.mark.parametrize(("changes", "path", "words"), REFUSED)
def test_refused(changes, path, words):
    found = faults(changes)
    told = [fault for fault in found if fault.path == path and words in fault.message]
    assert len(told) == 1, [(fault.path, fault.message) for fault in found]
    assert told[0].severity == "error"
    assert told[0].line > 0
    others = [fault for fault in found if fault is not told[0] and fault.severity == "error"]
    # One mistake is told once; but a build that is too old for its target may also have no address.
    assert not others or path.startswith(("targets", "network")), others


SQL_EXTENSION = "Microsoft.AzureData/WindowsAgent.SqlServer"
WARNED = [
    # SQL Server
    ({"tags": {}, "targets": [{"os": "windows"}]}, "tags", "gives itself roles in every database"),
    ({"tags": {"site": "tokyo"}, "targets": [*target("rhel", "9"), *target("windows")]}, "tags", "SQL Server"),
    (
        {"tags": {"ArcSQLServerExtensionDeployment": "PAID"}},
        "tags.ArcSQLServerExtensionDeployment",
        "did you mean 'Paid'?",
    ),
    ({"network__region_code": "EA"}, "network.region_code", "has the code je"),
    (
        {"identity__members": ["CORP\\svc app"], "targets": [{"os": "windows"}, {"os": "debian", "version": "12"}]},
        "identity.members.0",
        "a Windows user only",
    ),
    ({"resource_name": "web01"}, "resource_name", "every server"),
    *[
        ({"resource_name": name}, "resource_name", "every server")
        for name in ("srv01.contoso.local", "exchange-01", "my-login", "OFFICE3650", "a" * 54, "10.1.2.3")
    ],
    ({"location": "japaneastt", "network__region_code": "jex"}, "location", "did you mean 'japaneast'?"),
    *[
        ({"location": other}, "location", "are known here (table of 2026-05-16)")
        for other in ("eastus3", "japaneast2", "westus22", "marseast", "eastus1", "north")
    ],
    (
        {"location": "usgovtexas"},
        "location",
        "is a region of AzureUSGovernment, and not among the regions of AzureCloud",
    ),
    (
        {"agent__version": "1.70"},
        "agent.version",
        "1.70 is not in this release's table, which ends with 1.68",
    ),
    ({"targets": target("rhel", "9", agent="1.99")}, "targets.0.agent", "1.99 is not in this release's table"),
    ({"tags": {"a": "x,y"}}, "tags.a", "are separators in azcmagent's list"),
    ({"authentication__method": "access-token"}, "authentication.method", "is valid for about an hour"),
    ({"authentication__method": "interactive", "targets": target("windows")}, "authentication.method", "Server Core"),
    (
        {"network": {"profile": "private-link", "private_link_scope": SCOPE, "proxy": {"url": "http://p:1"}}},
        "network.proxy",
        "goes to the proxy too",
    ),
    (
        {
            "network": {"profile": "private-link", "private_link_scope": SCOPE},
            "cloud": "AzureChinaCloud",
            "location": "chinanorth3",
        },
        "network.profile",
        "no private link for AzureChinaCloud",
    ),
    (
        {"authentication": {**CERTIFICATE, "certificate_file": "C:\\sp.pfx"}},
        "authentication.certificate_file",
        "a windows path, but there are linux targets too",
    ),
    ({PROXY: "https://proxy:8443"}, "network.proxy.url", "only http proxies"),
    (
        {"agent__extensions": {"allowlist": ["a/b"], "blocklist": ["A/b"]}},
        "agent.extensions.blocklist",
        "is on both lists",
    ),
    (
        {"agent__extensions": {"enabled": False, "blocklist": ["a/b"]}},
        "agent.extensions.enabled",
        "the lists have no effect",
    ),
    ({"agent__version": "1.57"}, "agent.version", "older than 12 months"),
    ({"agent__version": "1.49"}, "agent.version", "older than 12 months"),
    ({"agent__version": "1.20"}, "agent.version", "older than 12 months"),
    ({"targets": target("ubuntu", "22.04", agent="1.50")}, "targets.0.agent", "older than 12 months"),
    ({"targets": target("rhel", "9", "arm64")}, "targets.0.architecture", "sources disagree"),
    ({"targets": target("debian", "13", "arm64")}, "targets.0.architecture", "sources disagree"),
    ({"targets": target("centos", "8")}, "targets.0.version", "is not on the list"),
    ({"targets": target("debian", "11")}, "targets.0.version", "has limited support"),
    ({"targets": target("sles", "15.3", agent="1.58")}, "targets.0.version", "has limited support"),
]


@pytest.mark.parametrize(("changes", "path", "words"), WARNED)
def test_warned(changes, path, words):
    found = faults(changes)
    assert [(f.path, f.severity, words in f.message) for f in found] == [(path, "warning", True)], found


ACCEPTED = [
    # SQL Server: each way to answer, yes or no; of Linux targets nobody is asked
    *(
        {"tags": {"ArcSQLServerExtensionDeployment": value}, "targets": target("windows")}
        for value in ("Disabled", "Paid", "PAYG", "PAYG-Recurring", "LicenseOnly")
    ),
    {"tags": {"arcsqlserverextensiondeployment": "Disabled"}, "targets": target("windows")},
    {"tags": {}, "targets": target("windows"), "agent__mode": "monitor"},
    {"tags": {}, "targets": target("windows"), "agent__extensions": {"enabled": False}},
    {"tags": {}, "targets": target("windows"), "agent__extensions": {"blocklist": [SQL_EXTENSION]}},
    {"tags": {}, "targets": target("windows"), "agent__extensions": {"allowlist": [SQL_EXTENSION.lower()]}},
    {"tags": {}, "targets": target("windows"), "agent__extensions": {"allowlist": ["Allow/None"]}},
    {"tags": {}},
    {"version": "2026.11-rc1"},
    {"version": "{date}-{agent}+{env:BUILD_ID}"},
    {"name": "console"},
    {"name": "com10"},
    {"resource_group": "Gruppe_(é).1"},
    {"location": "Japan East"},
    {"location": "East US 2"},
    {"location": "(Asia Pacific) Japan East"},
    {"location": "Denmark East"},
    {"tags": {"Cost Center": "ÄÖ 1/2?"}},
    {"tags": {"a": "it's"}},
    {"tags": {f"t{i}": "x" * 256 for i in range(50)}},
    {"authentication": {**CERTIFICATE, "certificate_file": "/etc/arc/sp.pem"}},
    {"authentication": CERTIFICATE, "seal__signers": [f"sha256:{'a' * 64}"]},
    {"authentication": {**CERTIFICATE, "certificate_thumbprint": "a" * 40}, "targets": target("windows")},
    {"authentication": {**CERTIFICATE, "certificate_file": "C:\\sp.pfx"}, "targets": target("windows")},
    {"authentication": {**CERTIFICATE, "certificate_file": "\\\\server\\share\\sp.pfx"}, "targets": target("windows")},
    {"network": {"profile": "gateway", "gateway_id": GATEWAY, "proxy": {"url": "http://p:8080"}}},
    {"network": {"profile": "private-link", "private_link_scope": SCOPE.upper()}},
    {PROXY: "http://192.168.111.120:8080/"},
    {PROXY: "http://[2001:db8::1]:3128"},
    {"agent": {"mode": "monitor", "extensions": {"enabled": False}, "guest_configuration": False}},
    {"agent__extensions__allowlist": ["Allow/None"]},
    {"agent__version": "1.58"},
    {"agent__version": "1.68"},
    {"agent__version": "1.67.03504.1320"},
    {"agent__version": "1.67.03504-1320", "targets": target("rhel", "9")},
    {"targets": target("windows")},
    {"targets": target("windows", "2012r2") + target("windows", "2025")},
    {"targets": target("windows") + target("windows", "azure-local")},
    {"targets": target("ubuntu", "26.04", agent="1.67")},
    {"targets": target("amazon", "2023", "arm64")},
    {
        "targets": target("azurelinux", "3.0"),
        "upstream__packages": [{"target": "azurelinux/3.0/x64", "path": "azcmagent.rpm"}],
    },
    {"upstream__repositories": {"rhel/9": "rhel/9.0/prod"}, "targets": target("rhel", "9")},
    {"upstream__linux": "https://127.0.0.1:8443/packages.microsoft.com", "upstream__hosts": ["127.0.0.1:8443"]},
    {
        "outputs": [
            {"format": "7z", "encrypted": True},
            {"format": "7z", "archives": "per-platform"},
            {"format": "directory"},
        ]
    },
]


@pytest.mark.parametrize("changes", ACCEPTED)
def test_accepted(changes):
    assert faults(changes) == []


def test_no_proxy_password_is_ever_shown():
    for url in ("http://user:hunter2@proxy:8080", "hunter2@x", "http://u:hunter2@[::1"):
        told = [describe(Path("b"), fault) for fault in faults({PROXY: url, "upstream__linux": url})]
        assert len(told) >= 2
        assert "hunter2" not in "".join(told)


def test_age_is_counted_to_the_day_that_is_given():
    assert faults({"agent__version": "1.58"}, today=date(2026, 11, 30)) == []
    assert [f.path for f in faults({"agent__version": "1.58"}, today=date(2026, 12, 1))] == ["agent.version"]
    assert faults({"agent__version": "1.20"}, today=None) == []


def test_strict_refuses_an_old_agent():
    text = json.dumps(tree(agent__version="1.50")).encode()
    with pytest.raises(DefinitionError) as caught:
        definition_file.load(Path("b"), text, today=TODAY, strict=True)
    assert [fault.path for fault in caught.value.faults] == ["agent.version"]


def test_every_rule_is_seen_to_refuse_or_to_warn():
    """Each rule alone finds something in one of the tables above: none is there for nothing."""
    from bundler.definition.rules import Case
    from bundler.formats import json_codec
    from bundler.products.arc_server.canonical import canonical
    from bundler.products.arc_server.definition import Definition

    cases = [canonical(json_codec.from_tree(Definition, tree(**changes))) for changes, _, _ in [*REFUSED, *WARNED]]
    idle = [
        rule.judge.__name__
        for rule in rules.RULES
        if not any(list(rule.check(Case(definition, TODAY))) for definition in cases)
    ]
    assert idle == []


def test_every_rule_reads_what_there_is():
    """A misspelt path would make a rule speak of broken parts."""
    from bundler.formats import json_codec
    from bundler.products.arc_server.definition import Definition

    schema = json_codec.schema(Definition)
    for rule in rules.RULES:
        for read in rule.reads:
            shape = schema
            for part in read:
                shape = next((one for one in shape.get("anyOf", [shape]) if one.get("type") != "null"), shape)
                shape = schema["$defs"][shape["$ref"].rsplit("/", 1)[-1]] if "$ref" in shape else shape
                if part == "*":
                    assert shape.get("type") in {"array", "object"}, read
                else:
                    shape = shape["properties"][part]


def test_the_tables_are_whole():
    for system in tables.systems().systems:
        assert system.source
        assert set(system.disputed) <= set(system.architectures)
        assert (system.kind == "deb") == bool(system.suite)
        assert system.kind != "msi" or not system.repository
    names = [(system.os, system.version) for system in tables.systems().systems]
    assert len(names) == len(set(names))
    for os in {system.os for system in tables.systems().systems}:
        assert tables.systems().of(os)
