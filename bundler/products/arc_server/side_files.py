"""The files that a definition names beside it: the private endpoint's records, and certificates that travel along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from bundler.definition.rules import Finding, Path
from bundler.formats import certificate
from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server import certificates, private_link
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.script_parameters import Attachments, HeldCertificate
from bundler.products.azure import private_endpoint
from bundler.products.product import SideFile


def side_files(definition: Definition) -> Iterator[SideFile]:
    """The files that ``definition`` names."""
    records = definition.network.private_link_records
    if records:
        yield SideFile(private_link.PATH, records, private_endpoint.LARGEST)
    for position, wanted in enumerate(definition.trust.certificates):
        if not wanted.builtin:
            yield SideFile(_place(position), wanted.file, certificate.LARGEST)


def attach(definition: Definition, files: Mapping[Path, bytes], today: date) -> tuple[Attachments, Sequence[Finding]]:
    """What the files hold, and all that is wrong with them; ``files`` lacks those that cannot be read."""
    findings: list[Finding] = []
    records: tuple[HostRecord, ...] = ()
    if private_link.PATH in files:
        records, found = private_link.read(definition, files[private_link.PATH])
        findings += found
    held = _certificates(definition, files, today, findings)
    return Attachments(hosts_records=records, certificates=held), findings


def _certificates(
    definition: Definition, files: Mapping[Path, bytes], today: date, findings: list[Finding]
) -> tuple[HeldCertificate, ...]:
    held: dict[str, HeldCertificate] = {}
    for position, wanted in enumerate(definition.trust.certificates):
        place = _place(position)
        if wanted.builtin:
            one, found = certificates.builtin(place, wanted.builtin, today)
        elif place in files:
            one, found = certificates.from_file(place, wanted.file, files[place], today)
        else:
            continue
        findings += found
        if one is None:
            continue
        if one.described.path in held:
            findings.append(Finding(place, f"{one.described.name!r} is listed twice", "each certificate once"))
        held[one.described.path] = one
    return tuple(held[key] for key in sorted(held))


def _place(position: int) -> Path:
    return ("trust", "certificates", position)
