"""The parameters of ``azcmagent connect``, and its notation of tags."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from bundler.products.arc_server.script_parameters import AuthenticationMethod, ScriptParameters

# The flag of ``azcmagent connect`` that takes the secret, and what a person calls it (azcmagent-connect.md).
_SECRETS: Mapping[AuthenticationMethod, tuple[str, str]] = {
    "service-principal-secret": ("service-principal-secret", "the service principal's secret"),
    "access-token": ("access-token", "the access token"),
}

_TAG_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+-]*")


def connection(parameters: ScriptParameters) -> dict[str, str]:
    """What the scripts' templates need to connect: the parameters as JSON, the secret's flag and what it is called."""
    flag, spoken = _SECRETS.get(parameters.authentication, ("", "the secret"))
    return {"connect_json": connect_json(parameters), "secret_flag": flag, "secret_name": spoken}


def connect_json(parameters: ScriptParameters) -> str:
    """What ``azcmagent connect --config`` reads, without the secret: long flag names and their values, in ASCII.

    Source: azcmagent-connect.md, "Flags" and "Common flags" (``--config``).
    """
    flags: dict[str, str | bool] = {
        "cloud": parameters.cloud,
        "tenant-id": parameters.tenant_id,
        "subscription-id": parameters.subscription_id,
        "resource-group": parameters.resource_group,
        "location": parameters.location,
        "resource-name": parameters.resource_name,
        "tags": tag_text(parameters.tags),
        "correlation-id": parameters.correlation_id,
        "service-principal-id": parameters.service_principal_id,
        "service-principal-cert": parameters.certificate_file,
        "service-principal-cert-thumbprint": parameters.certificate_thumbprint,
        "private-link-scope": parameters.private_link_scope,
        "gateway-id": parameters.gateway_id,
        "use-device-code": parameters.authentication == "device-code",
    }
    return json.dumps({flag: given for flag, given in flags.items() if given})


def tag_text(tags: Mapping[str, str]) -> str:
    """Tags as ``azcmagent connect --tags`` takes them: ``name=value`` with commas between.

    A part with anything unusual is put in single quotes; a backslash takes the meaning from a quote and from
    itself (azcmagent-connect.md, ``--tags``; backslashes from agent 1.50).
    """
    return ",".join(f"{_tag_part(name)}={_tag_part(text)}" for name, text in tags.items())


def _tag_part(text: str) -> str:
    if _TAG_PLAIN.fullmatch(text):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
