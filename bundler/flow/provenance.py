"""Writes and verifies a bundle's provenance: its inputs and builder, signed by the sealer.

An in-toto statement with the predicate "SLSA Provenance" v1 (slsa.dev/provenance/v1), in a DSSE envelope. The file is
beside the archives, because they are its subjects; docs/sbom.md explains its parameters.
A pure function of lock, manifest and archives: no clock is read, so two builds from one lock give the same statement.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography import x509

from bundler.errors import UsageError, VerificationError
from bundler.flow import built_archive
from bundler.flow.built_archive import ArchiveMatch
from bundler.formats import cms, dsse, in_toto
from bundler.formats.in_toto import Resource, Statement, to_uri
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle
from bundler.model.frozen import frozen
from bundler.model.lock import Lock
from bundler.model.manifest import Manifest
from bundler.pack import manifest as manifests
from bundler.signing import dsse_writer
from bundler.signing.signing_key import SigningKey
from bundler.trust import dsse_signature

PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:arc-bundler:build:1"
"""How a lock becomes archives; docs/sbom.md explains each parameter."""
BUILDER = "urn:arc-bundler:jump-host"
"""This program on a host of the admin; the signature tells which."""
SUFFIX = ".provenance.intoto.json"

_INVOCATIONS = uuid.UUID("34e97001-994f-499c-84b0-89c9e78548a6")
"""Namespace of our invocation ids (UUID version 5, RFC 9562 section 5.5): chosen once, at random."""


@frozen
class Provenance:
    """What a verified provenance states about a bundle."""

    builder: str
    tool: str
    """``arc-bundler X.Y.Z``."""
    definition: str
    """SHA-256 of the definition's canonical form, as in the lock."""
    archive: ArchiveMatch = "none"
    """How the archive matches the archives that it names."""


def file_name(name: str, version: str) -> str:
    """Name of the provenance file of the bundle ``name`` and ``version``."""
    return f"{name}-{version}{SUFFIX}"


def statement(lock: Lock, manifest: Manifest, subjects: Iterable[Resource]) -> bytes:
    """The statement that a build from ``lock`` made ``subjects``; ``manifest`` is that of any of its bundles."""
    named = tuple(sorted(set(subjects), key=lambda subject: subject.name))
    # The id follows from inputs and outcome, so that the same build gives the same statement.
    outcome = sums.render((subject.name, subject.sha256) for subject in named)
    invocation = uuid.uuid5(_INVOCATIONS, manifest.lock_sha256 + hashlib.sha256(outcome).hexdigest())
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": _parameters(manifest, lock.definition),
            "resolvedDependencies": [one.tree() for one in _dependencies(lock)],
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": _version(manifest.tool)},
            "metadata": {"invocationId": str(invocation)},
        },
    }
    return in_toto.write(Statement(named, PREDICATE, predicate))


def signed(document: bytes, key: SigningKey) -> bytes:
    """The statement ``document`` in an envelope by ``key``. Raises :class:`~bundler.errors.SigningError`."""
    return dsse_writer.sign(document, dsse.IN_TOTO, key)


def read(path: Path) -> bytes | None:
    """The file at ``path``, up to one byte more than :func:`check` accepts; None where there is none."""
    try:
        if not path.is_file():  # opening a pipe would wait for a writer
            return None
        with path.open("rb") as file:
            return file.read(dsse.LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def check(
    document: bytes,
    certificate: x509.Certificate,
    manifest: Manifest,
    *,
    digest: str,
) -> Provenance:
    """Verify the provenance ``document`` of a verified bundle.

    Archives are not compared: see :func:`verify_beside`.

    Args:
        document: The DSSE envelope.
        certificate: The sealer's, which must have signed it.
        manifest: The bundle's; parameters and packages of the statement must match it.
        digest: SHA-256 of the bundle's SHA256SUMS, which must be among the subjects.

    Raises:
        VerificationError: ``other-signer``, ``bad-provenance`` or ``other-bundle``.

    """
    return _checked(document, certificate, manifest, digest)[0]


def subjects(document: bytes, certificate: x509.Certificate) -> frozenset[str]:
    """SHA-256 in hex of every subject of the provenance ``document``, signed with ``certificate``.

    Raises VerificationError, ``bad-provenance`` or ``other-signer``.
    """
    try:
        stated = in_toto.read(dsse_signature.verify(document, certificate))
    except ValueError as error:
        raise _refused(f"the provenance does not have the form that this program writes: {error}") from error
    return frozenset(one.sha256 for one in stated.subjects)


def _checked(
    document: bytes, certificate: x509.Certificate, manifest: Manifest, digest: str
) -> tuple[Provenance, Statement]:
    try:
        stated = in_toto.read(dsse_signature.verify(document, certificate))
        _require_match(stated, manifest)
    except (ValueError, TypeError, KeyError) as error:
        raise _refused(f"the provenance does not have the form that this program writes: {error}") from error
    if digest not in {subject.sha256 for subject in stated.subjects}:
        raise _refused("the provenance belongs to another bundle", "other-bundle")
    provenance = Provenance(
        builder=stated.predicate["runDetails"]["builder"]["id"],
        tool=manifest.tool,
        definition=_definition(stated),
    )
    return provenance, stated


def verify_beside(bundle: Path, found: CheckedBundle) -> Provenance | None:
    """Verify the provenance file beside ``bundle``, which must be signed by the sealer; None where there is none.

    An archive must be one of those that it names. Raises as :func:`check`, and VerificationError with the reason
    ``other-archive``; the seal of ``found`` must be verified before.
    """
    name = file_name(found.manifest.name, found.manifest.version)
    document = read(bundle.resolve().parent / name)
    if document is None:
        return None
    sealer = cms.read(found.signed[sums.SUMS + sums.CMS]).certificates[0]
    try:
        provenance, stated = _checked(document, sealer, found.manifest, found.digest)
    except VerificationError as error:
        what = f"{name}, next to the bundle, is not its provenance"
        raise VerificationError(what, reason=error.reason, details=[f"{error.what}."], do=error.do) from error
    archives = frozenset(one.sha256 for one in stated.subjects if one.sha256 != found.digest)
    return replace(provenance, archive=built_archive.match(bundle, found, archives, name))


def _require_match(stated: Statement, manifest: Manifest) -> None:
    """Raise ValueError, or KeyError or TypeError for a wrong shape, unless the statement matches the manifest."""
    definition, run = stated.predicate["buildDefinition"], stated.predicate["runDetails"]
    types = (stated.predicate_type, definition["buildType"], run["builder"]["id"])
    if types != (PREDICATE, BUILD_TYPE, BUILDER):
        raise ValueError(f"its types are {types!a}")
    if definition["externalParameters"] != _parameters(manifest, _definition(stated)):
        raise ValueError("its parameters differ from the manifest's")
    if run["builder"]["version"] != _version(manifest.tool):
        raise ValueError("it names another release than the manifest")
    inputs = {one.sha256 for one in in_toto.resources(definition["resolvedDependencies"])}
    missing = [pin.path for pin in manifest.pins if pin.sha256 not in inputs]
    if missing:
        raise ValueError(f"its inputs lack {', '.join(missing)}")


def _definition(stated: Statement) -> str:
    found = stated.predicate["buildDefinition"]["externalParameters"]["definition"]["sha256"]
    if not isinstance(found, str):
        raise TypeError("the definition's digest is not text")
    return found


def _parameters(manifest: Manifest, definition: str) -> Mapping[str, Any]:
    """The external inputs of a build, small enough to compare by eye."""
    return {
        "name": manifest.name,
        "version": manifest.version,
        "product": manifest.product,
        "definition": {"sha256": definition},
        "lock": {"sha256": manifest.lock_sha256, "created": f"{manifest.created:%Y-%m-%dT%H:%M:%SZ}"},
        "parameters": {"sha256": parameters_sha256(manifest.parameters)},
        "anchors": {"name": manifest.anchors, "sha256": manifest.anchors_sha256},
        "switches": list(manifest.weakened),
    }


def parameters_sha256(parameters: Mapping[str, str]) -> str:
    """SHA-256 of the parameters as ``jq -S .parameters manifest.json`` prints them: sorted, two spaces, a newline."""
    return manifests.digest(
        (json.dumps(dict(parameters), ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()
    )


def _dependencies(lock: Lock) -> tuple[Resource, ...]:
    """Every package, and every repository document in its evidence; each URL and digest once."""
    found: dict[tuple[str, str], Resource] = {}
    for pin in lock.pins:
        package = Resource(pin.path, pin.sha256, to_uri(pin.url), *map(to_uri, pin.redirects[-1:]))
        documents = (
            Resource(f"evidence/{pin.place}/{document.role}", document.sha256, to_uri(document.url))
            for document in pin.documents
        )
        for resource in (package, *documents):
            found.setdefault((resource.uri, resource.sha256), resource)
    return tuple(found.values())


def _version(tool: str) -> Mapping[str, str]:
    name, _, version = tool.partition(" ")
    return {name: version}


def _refused(what: str, reason: str = "bad-provenance") -> VerificationError:
    return VerificationError(
        what, reason=reason, do="do not use it; ask the builder for the file that was written with the bundle"
    )
