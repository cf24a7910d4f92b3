"""The definition of an arc-server bundle: its schema; the rules about its sense are in :mod:`.rules`.

The attribute docstrings become the descriptions in the JSON Schema. No field can hold a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from bundler.definition.common import ApprovalRules, Output, SealRules
from bundler.model.frozen import frozen
from bundler.model.target import Target
from bundler.products.arc_server.script_parameters import AuthenticationMethod, Identity, NetworkProfile

Cloud = Literal["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"]
OsName = Literal[
    "windows", "ubuntu", "debian", "rhel", "centos", "oracle", "rocky", "alma", "sles", "amazon", "azurelinux"
]
Architecture = Literal["x64", "arm64"]
Port = Annotated[int, Ge(1), Le(65535)]


@frozen
class Authentication:
    """How a server proves at connecting that it may join; the secret itself is never here."""

    method: AuthenticationMethod
    """Who signs in: a service principal, a person with a device code or a browser, or a short-lived token."""
    service_principal_id: str = ""
    """Application (client) id, a GUID; wanted with either service-principal method."""
    certificate_file: str = ""
    """Path on the server of a PFX or PEM with its key and without a passphrase."""
    certificate_thumbprint: str = ""
    """SHA-1 thumbprint of a certificate in a Windows certificate store."""
    secret: Literal["asked", "embedded"] = "asked"  # noqa: S105  # a policy, not a secret
    """Where a server gets the secret: asked for there, or embedded in the bundle, which then must be encrypted and
    needs --allow-embedded-secret at each build."""

    @property
    def embeds(self) -> bool:
        """Whether the bundle is to hold the secret."""
        return self.secret == "embedded"  # noqa: S105  # a policy, not a secret


@frozen
class WantedTarget:
    """One kind of server that the bundle is for."""

    os: OsName
    """Operating system."""
    version: str = ""
    """Version in the operating system's own words, quoted: "22.04", "9.4", "2022". Windows may leave it out."""
    architecture: Architecture = "x64"
    """Processor: x64 (amd64, x86_64) or arm64 (aarch64)."""
    agent: str = ""
    """Agent version for this target alone; empty: agent.version."""

    @property
    def target(self) -> Target:
        """As the other rooms know it."""
        return Target(os=self.os, version=self.version, architecture=self.architecture)


@frozen
class Proxy:
    """The HTTP proxy that the agent uses on the server."""

    url: str
    """http://host:port, without a user and password: the agent knows no proxy authentication."""
    bypass: tuple[Literal["AAD", "ARM", "Arc", "AMA", "ArcData"], ...] = ()
    """Services that the agent reaches without the proxy."""


@frozen
class Network:
    """The profile, and the proxy and ids that go with it."""

    profile: NetworkProfile = "public"
    """public, microsoft-peering (ExpressRoute), private-link, or gateway (Azure Arc gateway)."""
    proxy: Proxy | None = None
    """Proxy on the server's side."""
    private_link_scope: str = ""
    """ARM id of the Azure Arc private link scope."""
    gateway_id: str = ""
    """ARM id of the Azure Arc gateway."""
    gateway_host: str = ""
    """The gateway's own host, as in PREFIX.gw.arc.azure.com; empty: known to Azure alone, and not tried."""
    region_code: str = ""
    """The region's code in CODE.his.arc.azure.com, as azcmagent check shows it; empty: from our table."""
    private_link_records: str = ""
    """JSON file of the private endpoint's names and addresses, from the definition's folder: what
    az network private-endpoint show prints, its customDnsConfigs, or its network interface."""


@frozen
class WantedCertificate:
    """One certificate that travels in the bundle: a file's, or a well-known root."""

    file: str = ""
    """PEM or DER file of one certificate authority's certificate, from the definition's folder."""
    builtin: str = ""
    """Name of a root that Azure's TLS uses, as in "DigiCert Global Root G2"."""


@frozen
class Trust:
    """What the servers' trust stores lack; installing it is a switch of the scripts."""

    certificates: tuple[WantedCertificate, ...] = ()
    """Roots and intermediates that travel in the bundle."""


@frozen
class Extensions:
    """Which extensions Azure may install."""

    enabled: bool | None = None
    """false stops the extension service; left out: as it is."""
    allowlist: tuple[str, ...] = ()
    """Publisher/Type of what may be installed, or Allow/None alone; left out: no list."""
    blocklist: tuple[str, ...] = ()
    """Publisher/Type of what may not."""


@frozen
class IncomingConnections:
    """Whether SSH and Windows Admin Center may come in through Arc."""

    enabled: bool | None = None
    """false refuses them; left out: as it is."""
    ports: tuple[Port, ...] = ()
    """Ports that may be reached."""


@frozen
class Agent:
    """The agent: which one, and what it may do."""

    version: str = "latest"
    """latest, MAJOR.MINOR (quoted: "1.67") or a full build."""
    mode: Literal["full", "monitor"] = "full"
    """monitor: only monitoring and security extensions, no guest configuration, nothing comes in."""
    extensions: Extensions = field(default_factory=Extensions)
    """Extension lists."""
    guest_configuration: bool | None = None
    """false stops machine configuration; left out: as it is."""
    incoming_connections: IncomingConnections = field(default_factory=IncomingConnections)
    """Connections through Arc to the server."""


@frozen
class GivenPackage:
    """A package that the admin already has, or that lies at an address of their own."""

    target: str
    """The target that it is for: os/version/architecture, as in "ubuntu/22.04/x64" or "windows/x64"."""
    path: str = ""
    """A file, from the definition's folder."""
    url: str = ""
    """An https address."""


@frozen
class Upstream:
    """Where packages come from, if not from Microsoft directly."""

    windows: str = ""
    """Base of the MSI addresses; below it /latest/ and /MAJOR.MINOR/."""
    linux: str = ""
    """Base of the apt and yum repositories."""
    repositories: Mapping[str, str] = field(default_factory=dict)
    """Another folder for a repository, where a mirror names it differently: rhel/9: rhel/9.0/prod."""
    hosts: tuple[str, ...] = ()
    """Further hosts (name or name:port) at which a redirect of the MSI may end."""
    ca: str = ""
    """PEM file of a private certificate authority for these addresses, from the definition's folder."""
    anchors: str = ""
    """File of the anchors of a mirror's own signatures (PEM, OpenPGP or JSON), from the definition's folder."""
    packages: tuple[GivenPackage, ...] = ()
    """Packages that are not looked for."""


@frozen
class Definition:
    """What one site wants."""

    product: Literal["arc-server"] = "arc-server"
    """What is installed: the Azure Connected Machine agent."""
    name: str
    """The bundle's name; a folder is called by it."""
    version: str = "{date}"
    """The bundle's version: literal (quoted), or built from {date}, {agent} and {env:NAME}."""
    cloud: Cloud = "AzureCloud"
    """Azure cloud."""
    tenant: str
    """Tenant id, a GUID."""
    subscription: str
    """Subscription id, a GUID."""
    resource_group: str
    """Resource group that the servers join."""
    location: str
    """Azure region."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of the servers' resources."""
    resource_name: str = ""
    """Name of the resource; empty: the host's own name."""
    correlation_id: str = ""
    """GUID that marks this roll-out in Azure's telemetry; empty: one derived from the definition."""
    authentication: Authentication
    """How a server proves that it may join."""
    agent: Agent = field(default_factory=Agent)
    """Which agent, and what it may do."""
    targets: Annotated[tuple[WantedTarget, ...], MinLen(1)]
    """What kinds of server the bundle is for."""
    network: Network = field(default_factory=Network)
    """How the servers reach Azure."""
    trust: Trust = field(default_factory=Trust)
    """Certificates that the servers may lack."""
    identity: Identity = field(default_factory=Identity)
    """Who on a server may use its managed identity."""
    upstream: Upstream = field(default_factory=Upstream)
    """Where packages come from."""
    outputs: Annotated[tuple[Output, ...], MinLen(1)] = (Output(format="zip"),)
    """How the bundle is wrapped."""
    seal: SealRules = field(default_factory=SealRules)
    """Who seals it."""
    approval: ApprovalRules | None = None
    """The approvals that it needs."""

    def requested_version(self, target: WantedTarget) -> str:
        """The agent version that ``target`` gets."""
        return target.agent or self.agent.version
