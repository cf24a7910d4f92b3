"""Writes the bill of materials of a bundle: CycloneDX 1.6 as JSON (ECMA-424, 1st edition).

It states verified facts only: digests and evidence from the pins, and the version, supplier, licence and dependencies
from each package's own signed metadata. A dependency is not in the bundle, so it is a property of the package and not a
component: CycloneDX 1.6 has no form for a component that is elsewhere.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalContact, OrganizationalEntity
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseAcknowledgement, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import fixup_id, is_expression
from packageurl import PackageURL

from bundler.formats.in_toto import to_uri
from bundler.model.evidence import Evidence, PackageFacts
from bundler.model.lock import Pin
from bundler.model.manifest import Manifest
from bundler.model.tree import Entry
from bundler.pack.content import sha256

PATH = "sbom.cdx.json"
"""Its path in a bundle: the name that the CycloneDX specification recommends, "Recognized file patterns"."""

PROPERTY = "arc-bundler:"
"""Prefix of arc-bundler's own properties."""

_SCRIPTS = (".sh", ".ps1")
_NAMESPACE = uuid.UUID("febc2cd9-257f-45f9-b34b-1e5f85a8c35d")
"""Namespace of the serial numbers (RFC 9562, 5.5): chosen once, at random."""
_UNNUMBERED = uuid.UUID(int=0)
_PERSON = re.compile(r"([^<>]*[^<>\s])\s*<([^<>@\s]+@[^<>@\s]+)>")


def document(described: Manifest, entries: Iterable[Entry], *, folder: str, vendor: str) -> bytes:
    """The bill of materials of a bundle.

    A pure function: the serial number is derived from the document, the time is the manifest's.

    Args:
        described: the manifest; its ``files`` are not used.
        entries: the bundle's files.
        folder: the folder after unpacking.
        vendor: the packages' namespace in a package URL.
    """
    root = _bundle(described, folder)
    # Each script is a file; its version is the bundle's.
    scripts = (
        Component(type=ComponentType.FILE, name=entry.path, bom_ref=entry.path, hashes=[_hash(sha256(entry))])
        for entry in entries
        if entry.path.endswith(_SCRIPTS)
    )
    components = (*(_package(pin, vendor) for pin in described.pins), *scripts)
    serial = uuid.uuid5(_NAMESPACE, _written(described, root, components, _UNNUMBERED).decode())
    return _written(described, root, components, serial)


def purl(pin: Pin, vendor: str) -> PackageURL:
    """The package's URL (ECMA-427; the definitions of the types ``deb``, ``rpm`` and ``generic``).

    The distribution is the one that the repository is for: a package that serves several targets has one URL.
    """
    facts = pin.facts
    # A package URL cannot have a name of nothing but blanks and slashes.
    name = facts.name if facts.name.strip("/").strip() else pin.name
    if pin.kind not in {"deb", "rpm"}:
        # No type of package URL is for Windows Installer or plain files; "generic" needs what identifies the bytes.
        served = {} if pin.url.startswith("file:") else {"download_url": to_uri(pin.url)}
        qualifiers = {"arch": facts.architecture, "checksum": f"sha256:{pin.sha256}", **served}
        return PackageURL("generic", vendor, pin.name, facts.version, qualifiers)
    epoch, colon, version = facts.version.partition(":")
    distribution, release, *_ = (*pin.place.split("/"), "", "")
    qualifiers = {"arch": facts.architecture, "distro": "-".join(part for part in (distribution, release) if part)}
    if pin.kind == "rpm" and colon:
        return PackageURL("rpm", vendor, name, version, {**qualifiers, "epoch": epoch})
    return PackageURL(pin.kind, vendor, name, facts.version, qualifiers)


def _written(described: Manifest, root: Component, components: Sequence[Component], serial: uuid.UUID) -> bytes:
    tool, _, version = described.tool.partition(" ")
    maker = Component(type=ComponentType.APPLICATION, name=tool, version=version, bom_ref=tool)
    bom = Bom(serial_number=serial, components=components)
    bom.metadata.timestamp = described.created
    bom.metadata.component = root
    bom.metadata.tools.components.add(maker)
    bom.dependencies.add(Dependency(root.bom_ref, (Dependency(component.bom_ref) for component in components)))
    written = json.loads(JsonV1Dot6(bom).output_as_string())
    # The order of keys must not depend on the release of the library.
    return (json.dumps(written, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _bundle(described: Manifest, folder: str) -> Component:
    stated = [
        ("product", described.product),
        ("lab", "true" if described.lab else ""),
        ("lock-sha256", described.lock_sha256),
    ]
    return Component(
        type=ComponentType.APPLICATION,
        name=described.name,
        version=described.version,
        bom_ref=folder,
        properties=(
            *_properties("", stated),
            *_properties("", [("weakened", switch) for switch in described.weakened]),
        ),
    )


def _package(pin: Pin, vendor: str) -> Component:
    stated = [("path", pin.path), ("size", str(pin.size)), ("kind", pin.kind), ("architecture", pin.facts.architecture)]
    stated += [("target", str(target)) for target in pin.targets]
    stated += [("requires", need) for need in pin.facts.depends]
    return Component(
        type=ComponentType.APPLICATION,
        name=pin.facts.name,
        version=pin.facts.version,
        bom_ref=pin.path,
        supplier=_supplier(pin.facts),
        licenses=_licenses(pin.facts.license),
        hashes=[_hash(pin.sha256)],
        purl=purl(pin, vendor),
        external_references=_origins(pin),
        properties=(*_properties("", stated), *_evidence(pin.evidence)),
    )


def _hash(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def _supplier(facts: PackageFacts) -> OrganizationalEntity | None:
    """A deb's maintainer is ``name <address>`` (Debian Policy, 5.6.2); the others give a name."""
    if not facts.supplier:
        return None
    person = _PERSON.fullmatch(facts.supplier)
    if person is None:
        return OrganizationalEntity(name=facts.supplier)
    return OrganizationalEntity(name=person[1], contacts=[OrganizationalContact(name=person[1], email=person[2])])


def _licenses(text: str) -> Iterator[License]:
    """As declared: an SPDX identifier or expression where it is one, otherwise the package's text."""
    declared = LicenseAcknowledgement.DECLARED
    identifier = fixup_id(text)
    if identifier:
        yield DisjunctiveLicense(id=identifier, acknowledgement=declared)
    elif text and is_expression(text):
        yield LicenseExpression(text, acknowledgement=declared)
    elif text:
        yield DisjunctiveLicense(name=text, acknowledgement=declared)


def _origins(pin: Pin) -> Iterator[ExternalReference]:
    served = pin.redirects[-1:]
    for url, comment in ((pin.url, "requested from"), *((url, "served from") for url in served)):
        yield ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION, url=XsUri(to_uri(url)), comment=comment, hashes=[_hash(pin.sha256)]
        )


def _evidence(evidence: Sequence[Evidence]) -> Iterator[Property]:
    """The evidence of the package's own signature; that of a repository has the prefix ``repository:``."""
    for one in evidence:
        stated = [
            ("method", one.method),
            ("signer", one.signer),
            ("fingerprint", one.fingerprint),
            ("anchors", one.anchors),
            ("anchor", one.anchor),
            ("signed-at", f"{one.signed_at:%Y-%m-%dT%H:%M:%SZ}" if one.signed_at else ""),
            ("timestamped-by", one.timestamped_by),
        ]
        yield from _properties("repository:" if one.documents else "", stated)


def _properties(group: str, stated: Iterable[tuple[str, str]]) -> Iterator[Property]:
    return (Property(name=f"{PROPERTY}{group}{name}", value=text) for name, text in stated if text)
