"""Review findings of an arc-server bundle, from its manifest only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from bundler.model.manifest import Manifest
from bundler.model.review import Labelled, ReviewFinding
from bundler.model.target import Support
from bundler.products.arc_server import sql_server
from bundler.products.product import ReviewFacts

NEAR = timedelta(days=90)
"""The support of an agent is near its end if it ends sooner than this after the lock was created."""

_LABELS = (
    ("tenant_id", "Tenant", True),
    ("subscription_id", "Subscription", True),
    ("resource_group", "Resource group", False),
    ("location", "Region", False),
    ("cloud", "Cloud", False),
    ("profile", "Network", False),
)

_SECRETS = {
    "service-principal-secret": (
        "No secret inside",
        "The servers sign in with a service principal's secret, which is given to the script on each server.",
    ),
    "access-token": (
        "No secret inside",
        "The servers sign in with a short-lived access token, which is given to the script on each server.",
    ),
    "service-principal-certificate": (
        "No secret inside",
        "The servers sign in with a certificate; its key is on each server already.",
    ),
    "device-code": ("No secret inside", "A person signs in for each server with a device code."),
    "interactive": ("No secret inside", "A person signs in at each server in a browser."),
}


def review(manifest: Manifest) -> ReviewFacts:
    """All that the product adds to the page: who made the packages, targets and group, where in Azure, findings."""
    targets = ", ".join(map(str, manifest.targets))
    group = manifest.parameters.get("resource_group", "")
    return ReviewFacts(
        vendor="lab" if manifest.lab else "microsoft",
        lead=f"Brings {targets} under Azure Arc, into the resource group {group}.",
        facts=tuple(
            Labelled(label, manifest.parameters[key], code=code)
            for key, label, code in _LABELS
            if key in manifest.parameters
        ),
        findings=tuple(findings(manifest)),
    )


def findings(manifest: Manifest) -> Iterator[ReviewFinding]:
    """What the product knows that a reviewer should look at, and what is in order."""
    yield _secret(manifest)
    taken = manifest.created.date()
    for until in dict.fromkeys(one.until for one in manifest.support):
        yield _support([one for one in manifest.support if one.until == until], until, taken)
    yield from _untested(manifest)
    yield _power(manifest)
    yield from _sql_server(manifest)
    members = manifest.parameters.get("identity.members", "")
    if members:
        text = f"{members}: each can get tokens of the server's managed identity."
        yield ReviewFinding("look", "Users get the servers' managed identity", text)


def _secret(manifest: Manifest) -> ReviewFinding:
    """Anything but the known ways of signing in without a secret in the bundle is for a person to decide."""
    method = manifest.parameters.get("authentication", "")
    inside = manifest.parameters.get("embedded_secret", "")
    if inside:
        text = (
            "The definition and the build's command line request it: anyone who opens the bundle can read it. Its file:"
        )
        return ReviewFinding("stop", "A secret is inside", text, inside)
    if method not in _SECRETS:
        return ReviewFinding("look", "How servers sign in is not known", f"The manifest says “{method}”.")
    return ReviewFinding("ordinary", *_SECRETS[method])


def _support(versions: Sequence[Support], until: date | None, taken: date) -> ReviewFinding:
    agent = f"Agent {', '.join(one.version for one in versions)}"
    if until is None:
        text = "This release of the tool does not know when it was released. Microsoft supports a version for a year."
        return ReviewFinding("look", f"{agent}: the end of support is not known", text)
    text = f"Microsoft supports a version for a year ({versions[0].source})."
    if until < taken:
        return ReviewFinding("stop", f"{agent}: not supported since {until}", text)
    if until - taken < NEAR:
        return ReviewFinding("look", f"{agent}: supported until {until} only", text)
    return ReviewFinding("ordinary", f"{agent}: supported until {until}", text)


def _untested(manifest: Manifest) -> Iterator[ReviewFinding]:
    for key, why in manifest.parameters.items():
        if key.startswith("untested."):
            text = (
                f"It is required, and {why}: the script's preflight leaves it out, and the agent's own check decides. "
                "Open the wildcard, or give network.region_code."
            )
            yield ReviewFinding("look", f"{key.removeprefix('untested.')} is not tested", text)


def _power(manifest: Manifest) -> ReviewFinding:
    """security-extensions.md: extensions run as root or SYSTEM; allow-list and monitor mode are what holds them."""
    settings = {key: text for key, text in manifest.parameters.items() if key.startswith("settings.")}
    held = settings.get("settings.config.mode") == "monitor" or settings.get("settings.extensions.enabled") == "false"
    if held or "settings.extensions.allowlist" in settings:
        text = "The agent's mode, its extension switch or its allow-list limits them."
        return ReviewFinding("ordinary", "Extensions are limited", text)
    return ReviewFinding(
        "know",
        "Azure may run programs on these servers",
        "Anyone who may manage a server's resource in Azure can install extensions and run commands as root or "
        "SYSTEM: no allow-list is set, and the agent is not in monitor mode.",
    )


_ROLES = "Where a server has SQL Server, Azure installs an extension and gives itself roles in every database"
_SQL_SERVER = {
    "no": ReviewFinding(
        "ordinary",
        "Azure leaves SQL Server alone",
        "The definition says so: by a tag, or by the extensions that it allows.",
        sql_server.TAG,
    ),
    "yes": ReviewFinding(
        "know",
        "Azure connects SQL Server",
        f"{_ROLES}. The definition asks for it: by a tag, or by the extensions that it allows.",
        sql_server.TAG,
    ),
    "none": ReviewFinding(
        "look",
        "Azure connects SQL Server where it finds one",
        f"{_ROLES}. The definition does not say whether it may; the value Disabled of this tag prevents it:",
        sql_server.TAG,
    ),
}


def _sql_server(manifest: Manifest) -> Iterator[ReviewFinding]:
    """Linux servers are asked about only where the definition says something: few of them have SQL Server."""
    found = sql_server.of_parameters(manifest.parameters)
    if found != "none" or any(target.os == "windows" for target in manifest.targets):
        yield _SQL_SERVER[found]
