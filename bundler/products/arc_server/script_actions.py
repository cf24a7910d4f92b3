"""Lists what the install scripts do on a server, step by step, for a reviewer.

The words follow ``install.sh.j2`` and ``install.ps1.j2`` of this release, and stand in the manifest so that every
later release shows them as they were written. Every parameter that is baked into a script is named by an action.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bundler.model.artifact import PackageKind
from bundler.model.lock import Pin
from bundler.model.manifest import Manifest
from bundler.model.script_action import Action, Platform, ScriptActions, Step
from bundler.products.arc_server.connect import connect_json
from bundler.products.arc_server.script_parameters import AuthenticationMethod, ScriptParameters


@dataclass(frozen=True)
class _Words:
    """How one platform's script calls its things."""

    platform: Platform
    script: str
    rights: str
    hosts: str
    store: str
    group: str
    variables: str
    safe: str
    records: str
    taken_from: str
    switch_certificates: str
    switch_hosts: str
    switch_network: str
    switch_reconnect: str
    switch_downgrade: str
    switch_uninstall: str


_LINUX = _Words(
    platform="linux",
    script="install.sh",
    rights="root, systemd, the package manager and its lock, free space, the clock",
    hosts="/etc/hosts",
    store="the machine's trust store (update-ca-certificates or update-ca-trust)",
    group="himds",
    variables="/etc/profile.d/arc-bundler-identity.sh and /etc/systemd/system.conf.d/arc-bundler-identity.conf",
    safe="a file that only root can read, in memory (/run) where available",
    records="/var/log/arc-bundler",
    taken_from="--envelope, --secret-file, --secret-stdin",
    switch_certificates="--install-certificates",
    switch_hosts="--write-hosts",
    switch_network="--skip-network-check",
    switch_reconnect="--reconnect",
    switch_downgrade="--allow-downgrade",
    switch_uninstall="--uninstall",
)
_WINDOWS = _Words(
    platform="windows",
    script="install.ps1",
    rights="elevation, 64-bit PowerShell, Windows Installer, a pending restart, policies, free space, the clock",
    hosts="%SystemRoot%\\System32\\drivers\\etc\\hosts",
    store="the machine's certificate store",
    group="Hybrid agent extension applications",
    variables="the machine's environment",
    safe="a file that only SYSTEM and Administrators can open",
    records="%ProgramData%\\arc-bundler",
    taken_from="-Envelope, -SecretFile, -SecretStdin",
    switch_certificates="-InstallCertificates",
    switch_hosts="-WriteHosts",
    switch_network="-SkipNetworkCheck",
    switch_reconnect="-Reconnect",
    switch_downgrade="-AllowDowngrade",
    switch_uninstall="-Uninstall",
)

# What installs each kind of package; of several, the first that the server has.
_INSTALLERS: dict[PackageKind, str] = {
    "msi": "msiexec /qn /norestart",
    "deb": "apt-get or dpkg, without any repository",
    "rpm": "dnf, yum, zypper or rpm, with all repositories disabled",
}

# What has to be at hand on the server before it can connect, by how it signs in (azcmagent-connect.md).
_SIGN_IN: dict[AuthenticationMethod, str] = {
    "service-principal-secret": "takes the service principal's secret",
    "access-token": "takes the access token",
    "service-principal-certificate": "looks for the service principal's certificate on the server",
    "device-code": "needs a person who signs in with a device code in a browser elsewhere",
    "interactive": "needs a person who signs in in a browser",
}


def script_actions(wanted: ScriptParameters, described: Manifest) -> tuple[ScriptActions, ...]:
    """What each script of the bundle does; ``described`` tells the pins, the seal and the approval."""
    found = []
    for words in (_LINUX, _WINDOWS):
        pins = [pin for pin in described.pins if (pin.kind == "msi") is (words is _WINDOWS)]
        if pins:
            steps = tuple(
                Step(name=name, actions=tuple(actions)) for name, actions in _steps(words, wanted, described, pins)
            )
            found.append(ScriptActions(platform=words.platform, script=words.script, steps=steps))
    return tuple(found)


def _steps(
    words: _Words, wanted: ScriptParameters, described: Manifest, pins: Sequence[Pin]
) -> Iterator[tuple[str, Iterable[Action]]]:
    yield "verify", _verify(described)
    yield "preflight", _preflight(words, wanted, pins)
    yield "install", _install(words, pins)
    yield "configure", _configure(words, wanted)
    yield "connect", _connect(words, wanted)
    yield "confirm", _confirm(wanted)
    receipt = "writes a log and a receipt (who, what, this bundle's digest, how each step ended; no secret) to {}"
    yield "receipt", [Action(text=receipt, values=(words.records,))]
    uninstall = (
        "does none of the above; disconnects the server and removes the agent",
        "undoes its earlier changes: hosts lines, certificates, group members, variables",
    )
    yield "uninstall", [Action(text=text, only_with=words.switch_uninstall) for text in uninstall]


def _verify(described: Manifest) -> Iterator[Action]:
    if described.seal is not None:
        signer = described.seal.signer
        yield Action(
            text="requires the seal over SHA256SUMS by the certificate {} ({}), and ends with exit code 201 without it",
            values=(signer.sha256, signer.name),
        )
    if described.approval is not None:
        names = ", ".join(approver.name for approver in described.approval.approvers)
        yield Action(text="demands {} approvals, by {}", values=(str(described.approval.required), names))
    if described.not_after is not None:
        yield Action(text="refuses the bundle after {}", values=(f"{described.not_after:%Y-%m-%d %H:%M} UTC",))
    yield Action(
        text="checks each file that it uses, the package among them, against the SHA-256 that is written into it; "
        "where one differs it ends with exit code 200, before anything is changed"
    )


def _preflight(words: _Words, wanted: ScriptParameters, pins: Sequence[Pin]) -> Iterator[Action]:
    targets = ", ".join(sorted({str(target) for pin in pins for target in pin.targets}))
    yield Action(text="refuses a server that is not one of {} (exit code 204)", values=(targets,))
    yield Action(
        text=f"looks at {words.rights}, and whether an agent is installed and connected; reports all problems at once"
    )
    yield from _network(words, wanted)
    for one in wanted.certificates:
        where = "the roots" if one.store == "root" else "the intermediates"
        yield Action(
            text=f"adds {{}} (SHA-1 {{}}) to {where} of {words.store}",
            values=(one.name, one.sha1),
            only_with=words.switch_certificates,
        )
    for record in wanted.hosts_records:
        yield Action(
            text=f"writes {{}} {{}} into {words.hosts}, between its own markers",
            values=(record.address, record.host),
            only_with=words.switch_hosts,
        )
    yield from _secret(words, wanted)


def _network(words: _Words, wanted: ScriptParameters) -> Iterator[Action]:
    """The addresses, and the roots that their certificates end in."""
    if wanted.checks:
        tried = ", ".join(dict.fromkeys(check.host for check in wanted.checks if check.required))
        yield Action(
            text=f"tests the required endpoints by DNS, TCP and TLS, unless started with {words.switch_network}: {{}}",
            values=(tried,),
        )
    if wanted.checks and wanted.proxy_url:
        yield Action(text="tests them through the proxy {}, except those that bypass it", values=(wanted.proxy_url,))
    roots = ", ".join(root.name for root in wanted.roots if root.required or root.soon)
    if roots:
        yield Action(text="looks in the trust store for {}", values=(roots,))


def _secret(words: _Words, wanted: ScriptParameters) -> Iterator[Action]:
    sentence = _SIGN_IN[wanted.authentication]
    if wanted.certificate_file:
        yield Action(text=f"{sentence}: {{}}", values=(wanted.certificate_file,))
    elif wanted.certificate_thumbprint:
        yield Action(text=f"{sentence}, by its thumbprint {{}}", values=(wanted.certificate_thumbprint,))
    elif wanted.embedded_secret:
        yield Action(text=f"{sentence} that is in the bundle: {{}}", values=(wanted.embedded_secret,))
    elif wanted.authentication in {"service-principal-secret", "access-token"}:
        yield Action(
            text=f"{sentence} from {words.taken_from}, the variable ARC_BUNDLER_SECRET or a prompt: it is not in the "
            "bundle, and is never written to a program's arguments, a log or a receipt"
        )
    elif wanted.authentication == "service-principal-certificate":
        yield Action(
            text="takes the service principal's certificate out of an envelope, and puts it next to the parameters of "
            f"azcmagent connect: {words.safe}, overwritten and deleted right after",
            only_with=words.taken_from.partition(",")[0],
        )
    else:
        yield Action(text=sentence)


def _install(words: _Words, pins: Sequence[Pin]) -> Iterator[Action]:
    for pin in pins:
        targets = ", ".join(map(str, pin.targets))
        yield Action(
            text=f"on {{}} installs {{}} {{}} from {{}}, with {_INSTALLERS[pin.kind]}",
            values=(targets, pin.facts.name, pin.facts.version, pin.path),
        )
    yield Action(text="keeps an installed agent of the same or a newer version")
    yield Action(text="replaces a newer agent by the bundle's", only_with=words.switch_downgrade)
    if any(pin.kind == "rpm" for pin in pins):
        yield Action(
            text="imports the signing keys below {} into rpm", values=("payload/keys/",), only_with="--import-keys"
        )


def _configure(words: _Words, wanted: ScriptParameters) -> Iterator[Action]:
    for setting in wanted.settings:
        yield Action(text="azcmagent config set {} {}", values=(setting.key, setting.value))
    yield Action(text="clears a proxy setting that an earlier bundle of this tool made and this one does not have")
    for member in wanted.identity.members:
        yield Action(
            text=f"adds {{}} to the group {words.group}: its members may use the server's managed identity",
            values=(member,),
        )
    if wanted.identity.environment:
        yield Action(
            text=f"sets {{}} and {{}} in {words.variables}",
            values=(
                "IDENTITY_ENDPOINT=http://localhost:40342/metadata/identity/oauth2/token",
                "IMDS_ENDPOINT=http://localhost:40342",
            ),
        )


def _connect(words: _Words, wanted: ScriptParameters) -> Iterator[Action]:
    yield Action(text="changes nothing on a server that is already connected as requested")
    yield Action(
        text="disconnects a server that is connected to another resource; without the switch it ends with exit code 67",
        only_with=words.switch_reconnect,
    )
    yield Action(text=f"runs azcmagent connect, its parameters in {words.safe}, deleted right after:")
    for flag, given in json.loads(connect_json(wanted)).items():
        yield Action(text="{} {}", values=(f"--{flag}", "true" if given is True else given))


def _confirm(wanted: ScriptParameters) -> Iterator[Action]:
    resource = (
        f"/subscriptions/{wanted.subscription_id}/resourceGroups/{wanted.resource_group}"
        f"/providers/Microsoft.HybridCompute/machines/{wanted.resource_name or '(the name of the server)'}"
    )
    yield Action(
        text="asks azcmagent show whether the server is Connected as {}; otherwise exit code 206", values=(resource,)
    )
    if wanted.gateway_id:
        yield Action(text="requires a connection through the Azure Arc gateway")
    if wanted.identity.prove:
        yield Action(text="asks the local identity endpoint for a token, as a program would, and discards it")
