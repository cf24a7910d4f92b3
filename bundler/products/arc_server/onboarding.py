"""What the scripts will do on a server, in azcmagent's own words.

The flags, keys and their rules: Microsoft's azcmagent reference (``azcmagent-connect.md``, ``azcmagent-config.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bundler.model.value import value

AuthenticationMethod = Literal[
    "service-principal-secret",
    "service-principal-certificate",
    "device-code",
    "access-token",
    "interactive",
]

NetworkProfile = Literal["public", "microsoft-peering", "private-link", "gateway"]


@value
class Setting:
    """One ``azcmagent config set KEY VALUE``."""

    key: str
    value: str
    """As azcmagent takes it on its command line; a list is joined with commas."""


@value
class Onboarding:
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
    profile: NetworkProfile
    proxy_url: str = ""
    private_link_scope: str = ""
    gateway_id: str = ""
    settings: tuple[Setting, ...] = ()
    """In the order in which they are to be set, all of them before connecting."""
