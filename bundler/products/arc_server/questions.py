"""What ``init`` asks about an arc-server bundle: the network first, since everything else depends on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bundler.products.arc_server import sql_server
from bundler.products.question import TARGETS, Choice, Question

_PRINCIPALS = ("service-principal-secret", "service-principal-certificate")


def _one_of(key: str, *words: str) -> Callable[[Mapping[str, str]], bool]:
    """Where the answer to ``key`` is one of ``words``, or was not given."""
    return lambda answers: answers.get(key, "") in ("", *words)


def _with_windows(answers: Mapping[str, str]) -> bool:
    return not answers.get(TARGETS) or "win" in answers[TARGETS].casefold()


QUESTIONS = (
    Question(
        "profile",
        "How do the servers reach Azure?",
        "public",
        default="public",
        help="How servers reach Azure: public, microsoft-peering, private-link or gateway.",
        choices=(
            Choice("public", "over the internet, directly or through a proxy"),
            Choice("microsoft-peering", "over ExpressRoute with Microsoft peering"),
            Choice("private-link", "over a private endpoint (Azure Private Link)"),
            Choice("gateway", "through an Azure Arc gateway"),
        ),
    ),
    Question(
        "private_link_scope",
        "ARM id of the private link scope (/subscriptions/…)",
        "",
        help="ARM id of the private link scope.",
        paths=("network.private_link_scope", "network.profile"),
        when=lambda answers: answers.get("profile") == "private-link",
    ),
    Question(
        "gateway_id",
        "ARM id of the Arc gateway (/subscriptions/…)",
        "",
        paths=("network.gateway_id", "network.profile"),
        when=lambda answers: answers.get("profile") == "gateway",
    ),
    Question(
        "proxy_url",
        "HTTP proxy of the servers (http://host:port), or empty",
        "",
        help="HTTP proxy of the servers: http://host:port.",
        paths=("network.proxy",),
        optional=True,
    ),
    Question(
        TARGETS,
        "Operating systems of the servers, with commas (windows, ubuntu/22.04, rhel/9)",
        "windows, ubuntu/22.04, rhel/9",
        paths=("targets",),
        default="windows, ubuntu/22.04, rhel/9",
    ),
    Question(
        "sign_in",
        "How do the servers sign in to Azure?",
        "",
        paths=("authentication.method",),
        default="device-code",
        help="Sign-in: service-principal-secret or -certificate, device-code, access-token or interactive.",
        choices=(
            Choice("service-principal-secret", "a service principal with a secret, for many servers"),
            Choice("service-principal-certificate", "a service principal with a certificate"),
            Choice("device-code", "a person enters a code in a browser, for each server"),
            Choice("access-token", "a token of about one hour, given to the script"),
            Choice("interactive", "a person signs in with a browser on the server (Windows)"),
        ),
    ),
    Question(
        "service_principal_id",
        "Application (client) id of the service principal (GUID)",
        "33333333-3333-4333-8333-333333333333",
        help="Application id of the service principal.",
        paths=("authentication.service_principal_id",),
        when=_one_of("sign_in", *_PRINCIPALS),
    ),
    Question(
        "certificate",
        "Certificate on each server: path, or thumbprint",
        "",
        help="Certificate on servers: path or thumbprint.",
        paths=("=authentication", "authentication.certificate_file", "authentication.certificate_thumbprint"),
        when=lambda answers: answers.get("sign_in") == "service-principal-certificate",
    ),
    Question(
        "cloud",
        "Azure cloud",
        "",
        asked=False,
        paths=("cloud",),
        default="AzureCloud",
        help="AzureCloud, AzureUSGovernment or AzureChinaCloud.",
        choices=tuple(Choice(word, "") for word in ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud")),
    ),
    Question("tenant", "Tenant id (GUID)", "11111111-1111-4111-8111-111111111111", paths=("tenant",)),
    Question("subscription", "Subscription id (GUID)", "22222222-2222-4222-8222-222222222222", paths=("subscription",)),
    Question("resource_group", "Resource group that the servers join", "lab-servers", paths=("resource_group",)),
    Question("location", "Azure region (japaneast, westeurope, …)", "japaneast", paths=("location",)),
    Question(
        "sql_server",
        "If a server has SQL Server, may Azure connect it, too?",
        "",
        paths=("tags",),
        default=sql_server.DISABLED,
        help="Disabled leaves SQL Server alone; Paid, PAYG, PAYG-Recurring or LicenseOnly connects it.",
        choices=(
            Choice(sql_server.DISABLED, "no (Azure would install an extension, and get roles in every database)"),
            Choice("Paid", "yes; licence with Software Assurance or subscription"),
            Choice("PAYG", "yes; pay as you go through Azure"),
            Choice("PAYG-Recurring", "yes; pay as you go, renewed each month"),
            Choice("LicenseOnly", "yes; licence without Software Assurance"),
        ),
        when=_with_windows,
    ),
)
