"""The scripts' parameters, in azcmagent's own words.

The flags, keys and their rules: Microsoft's azcmagent reference (``azcmagent-connect.md``, ``azcmagent-config.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bundler.model.frozen import frozen
from bundler.model.network_requirement import HostRecord

AuthenticationMethod = Literal[
    "service-principal-secret",
    "service-principal-certificate",
    "device-code",
    "access-token",
    "interactive",
]

EMBEDDED_SECRET = "config/secret"  # noqa: S105  # a path
"""Path in the bundle of a secret that the definition embeds."""

NetworkProfile = Literal["public", "microsoft-peering", "private-link", "gateway"]


@frozen
class Setting:
    """One ``azcmagent config set KEY VALUE``."""

    key: str
    value: str
    """As azcmagent takes it on its command line; a list is joined with commas."""


@frozen
class EndpointCheck:
    """One address that the preflight tries from the server itself."""

    host: str
    """A name, never a wildcard."""
    port: int
    """TCP."""
    required: bool
    """False: only its feature needs it, so that its failing is told and does not stop."""
    expects: Literal["public", "private", "any"]
    """The kind of address that the name must have where it resolves; by proxy or gateway it need not resolve."""
    way: Literal["direct", "proxy", "private-endpoint", "gateway"]
    phase: Literal["connect", "always"]
    feature: str


@frozen
class UntestedEndpoint:
    """A required address that the preflight cannot try, since no source gives its name: the agent's own check does."""

    host: str
    """A wildcard: ``*.his.arc.azure.com``."""
    why: str
    """In ASCII, a sentence's part: ``the code of japanwest in CODE.his.arc.azure.com is not known``."""


@frozen
class CarriedCertificate:
    """A root or an intermediate that travels in the bundle; a switch of the scripts installs it."""

    path: str
    """In the bundle: ``payload/certificates/<sha256>.pem``, one certificate in PEM."""
    name: str
    """Its subject's common name, or the whole subject where it has none."""
    sha1: str
    """Thumbprint: 40 hexadecimal digits in upper case, as Windows shows it."""
    sha256: str
    """Of the DER: 64 hexadecimal digits in lower case."""
    store: Literal["root", "ca"]
    """``root`` where it is signed by itself, ``ca`` for an intermediate: the Windows stores' names."""


@frozen
class NeededRoot:
    """A root that a server's trust store is looked at for."""

    name: str
    sha1: str
    """Thumbprint: 40 hexadecimal digits in upper case."""
    needed_for: Literal["azure-tls", "msi-signature"]
    required: bool
    """False: Azure uses it at some addresses only; its missing is told and no more."""
    soon: bool = False
    """Chains below it are presented, mostly with a bridge to an older root: its absence is a warning."""


@frozen
class Identity:
    """Who on the server may use its managed identity, and how programs find it."""

    members: tuple[str, ...] = ()
    """Users to add to ``himds`` (Linux) or ``Hybrid agent extension applications`` (Windows)."""
    environment: bool = False
    """Set IDENTITY_ENDPOINT and IMDS_ENDPOINT for login shells, services and the machine."""
    prove: bool = False
    """Ask the local endpoint for a token after connecting, as a program would."""


@frozen
class ScriptParameters:
    """Everything that is baked into a script; no field can hold a secret."""

    cloud: str
    tenant_id: str
    subscription_id: str
    resource_group: str
    location: str
    resource_name: str = ""
    """Empty: the agent takes the host's name."""
    tags: Mapping[str, str]
    correlation_id: str
    authentication: AuthenticationMethod
    service_principal_id: str = ""
    certificate_file: str = ""
    """Path on the target of a PFX or PEM with its key."""
    certificate_thumbprint: str = ""
    """Of a certificate in a Windows store."""
    embedded_secret: str = ""
    """Path in the bundle of the secret, where the definition wants it there; never the secret."""
    profile: NetworkProfile
    proxy_url: str = ""
    private_link_scope: str = ""
    gateway_id: str = ""
    settings: tuple[Setting, ...] = ()
    """In the order in which they are to be set, all of them before connecting."""
    checks: tuple[EndpointCheck, ...] = ()
    """What the preflight tries: the required ones first."""
    untested: tuple[UntestedEndpoint, ...] = ()
    """What it cannot try, and `azcmagent check` decides."""
    hosts_records: tuple[HostRecord, ...] = ()
    """Names and addresses of the private endpoint, sorted by name; empty where the definition gives none."""
    certificates: tuple[CarriedCertificate, ...] = ()
    roots: tuple[NeededRoot, ...] = ()
    identity: Identity = field(default_factory=Identity)


@dataclass(frozen=True)
class HeldCertificate:
    """A certificate that travels, and its bytes."""

    described: CarriedCertificate
    pem: bytes


@dataclass(frozen=True)
class Attachments:
    """What a definition names and does not hold itself: the content of the files beside it."""

    hosts_records: tuple[HostRecord, ...] = ()
    certificates: tuple[HeldCertificate, ...] = ()


NOTHING = Attachments()
