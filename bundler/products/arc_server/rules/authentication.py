"""Rules about signing in: what each method needs, and which targets support it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bundler.definition.rules import Case, Finding, rule, warning
from bundler.products.arc_server.agent_version import older_ones
from bundler.products.arc_server.definition import Definition
from bundler.products.azure.arm import GUID_ALLOWED, guid_findings

_CONNECT = "azcmagent-connect.md"
_CERTIFICATE = "service-principal-certificate"
_EMBEDDABLE = {"service-principal-secret", "access-token"}
_PRINCIPALS = {"service-principal-secret", _CERTIFICATE}


@rule("authentication")
def _principal(case: Case[Definition]) -> Iterator[Finding]:
    who = case.definition.authentication
    path = ("authentication", "service_principal_id")
    if who.method in _PRINCIPALS:
        if who.service_principal_id:
            yield from guid_findings(path, who.service_principal_id)
        else:
            yield Finding(path, f"is missing, and {who.method} needs it", GUID_ALLOWED, _CONNECT)
    elif who.service_principal_id:
        yield Finding(path, f"{who.method} does not use a service principal", "leave it out", _CONNECT)


@rule("authentication", "seal.signers")
def _certificate(case: Case[Definition]) -> Iterator[Finding]:
    who = case.definition.authentication
    given = [key for key in ("certificate_file", "certificate_thumbprint") if getattr(who, key)]
    # Without either it comes in an envelope, which only sealed bundles accept.
    enclosed = not given and bool(case.definition.seal.signers)
    if who.method == _CERTIFICATE and len(given) != 1 and not enclosed:
        message = "a file or a thumbprint, not both" if given else "does not say where the certificate is"
        allowed = "certificate_file or certificate_thumbprint; or seal.signers, and the certificate in an envelope"
        yield Finding(("authentication",), message, allowed, f"{_CONNECT} (--service-principal-cert, from 1.41)")
    if who.method != _CERTIFICATE:
        for key in given:
            yield Finding(("authentication", key), f"{who.method} does not use a certificate", "leave it out", _CONNECT)
    if who.certificate_thumbprint and not re.fullmatch(r"[0-9A-F]{40}", who.certificate_thumbprint):
        message = f"{who.certificate_thumbprint!r} is not a valid thumbprint"
        yield Finding(("authentication", "certificate_thumbprint"), message, "40 hexadecimal digits (SHA-1)", _CONNECT)


@rule("authentication", "targets.*")
def _method_fits_targets(case: Case[Definition]) -> Iterator[Finding]:
    who = case.definition.authentication
    linux = sorted({target.os for target in case.definition.targets if target.os != "windows"})
    if who.certificate_thumbprint and linux:
        message = f"a thumbprint names a Windows certificate store, which {', '.join(linux)} cannot read"
        source = f"{_CONNECT} (--service-principal-cert-thumbprint, from 1.49)"
        yield Finding(("authentication", "certificate_thumbprint"), message, "certificate_file", source)
    if who.method == "interactive" and linux:
        message = f"this method needs a browser, which a Linux server ({', '.join(linux)}) usually lacks"
        yield Finding(
            ("authentication", "method"), message, "device-code", f"{_CONNECT} (default on Linux: device code)"
        )
    elif who.method == "interactive":
        message = "this method needs a browser: Server Core has none"
        yield warning(("authentication", "method"), message, "device-code", f"{_CONNECT} (default on Server Core)")


@rule("authentication.method")
def _token_is_short(case: Case[Definition]) -> Iterator[Finding]:
    if case.definition.authentication.method == "access-token":
        message = "an access token is valid for about an hour: fetch it when you onboard the server"
        yield warning(("authentication", "method"), message, "a service principal for many servers", _CONNECT)


@rule("authentication", "agent.version", "targets.*")
def _method_fits_agent(case: Case[Definition]) -> Iterator[Finding]:
    who = case.definition.authentication
    if who.method != _CERTIFICATE:
        return
    key, minimum = ("certificate_thumbprint", "1.49") if who.certificate_thumbprint else ("certificate_file", "1.41")
    old = older_ones(case.definition, minimum)
    if old:
        message = f"needs agent {minimum} or later, but {old} is requested"
        yield Finding(("authentication", key), message, f"agent {minimum} or later", _CONNECT)


@rule("authentication.certificate_file", "targets.*")
def _certificate_path(case: Case[Definition]) -> Iterator[Finding]:
    """A relative path would mean another file wherever the script is started."""
    file = case.definition.authentication.certificate_file
    if not file:
        return
    path = ("authentication", "certificate_file")
    families = {"windows" if target.os == "windows" else "linux" for target in case.definition.targets}
    here = {"linux"} if file.startswith("/") else {"windows"} if re.match(r"[A-Za-z]:[\\/]|\\\\", file) else set()
    if not here:
        yield Finding(
            path, f"{file!r} is not an absolute path", "/etc/arc/onboarding.pem, C:\\Arc\\onboarding.pfx", _CONNECT
        )
    elif families - here:
        other = ", ".join(sorted(families - here))
        yield warning(
            path, f"this is a {here.pop()} path, but there are {other} targets too", "a definition for each", _CONNECT
        )


@rule("authentication.secret", "authentication.method", "outputs")
def _embedded(case: Case[Definition]) -> Iterator[Finding]:
    definition = case.definition
    if not definition.authentication.embeds:
        return
    path = ("authentication", "secret")
    if definition.authentication.method not in _EMBEDDABLE:
        yield Finding(path, f"{definition.authentication.method} has no secret that could be embedded", "asked")
    elif not all(output.encrypted for output in definition.outputs):
        message = "a bundle that contains its secret must be encrypted, but an output is not"
        yield Finding(path, message, "outputs: [{format: 7z, encrypted: true}]")
