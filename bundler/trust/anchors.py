"""Loads trust anchors: Microsoft's, which ship with the program, or those in an admin's file.

Pins are the SHA-256 of Microsoft's root certificates, never of an intermediate or a leaf, because those change
(``bundler/data/anchors/microsoft.json`` names each source). The Identity Verification Root 2020 is left out:
third parties can obtain certificates under it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bundler.data import __file__ as _data
from bundler.errors import UsageError
from bundler.model.anchor import Anchors, PackageKey, Publisher, RootCertificate

if TYPE_CHECKING:
    from bundler.formats.json_codec import RecordError, RecordFault

MICROSOFT: Final = "Microsoft"
_FOLDER: Final = Path(_data).parent / "anchors"
_MAX_FILE: Final = 16 << 20
_CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
_RENAMED: Final = {"practice": "lab"}
"""Keys of 0.1.0, and their names since."""
_UNKNOWN: Final = "unexpected_keyword_argument"
"""The kind of fault of a key that is not known."""


def certificate_der(pem: str) -> bytes:
    """The DER of the one certificate in ``pem``. Raises :class:`ValueError` if there is not exactly one."""
    parts = pem.replace("\r", "").split("-----BEGIN CERTIFICATE-----\n")
    if len(parts) != 2:
        raise ValueError("a root must be exactly one PEM certificate")
    body, end, _ = parts[1].partition("-----END CERTIFICATE-----")
    if not end:
        raise ValueError("the PEM certificate does not end")
    try:
        return base64.b64decode(body.replace("\n", ""), validate=True)
    except binascii.Error:
        raise ValueError("the PEM certificate is not valid base64") from None


def microsoft() -> Anchors:
    """Microsoft's anchors, which ship with the program.

    Raises:
        UsageError: an installed file differs from its pin.
    """
    facts = json.loads((_FOLDER / "microsoft.json").read_bytes())
    return _checked(
        Anchors(
            name=MICROSOFT,
            roots=tuple(map(_shipped_root, facts["roots"])),
            publishers=tuple(
                Publisher(
                    common_name=p["common_name"],
                    organization=p["organization"],
                    key_purposes=tuple(p["key_purposes"]),
                )
                for p in facts["publishers"]
            ),
            package_keys=tuple(map(_shipped_key, facts["package_keys"])),
        ),
        "the installed anchors of Microsoft",
    )


def former_roots(anchors: Anchors) -> tuple[bytes, ...]:
    """The DER of roots that the publisher used before: an older signature beside a trusted one is recognised by them.

    They give no trust. Of other anchors than Microsoft's none is known.
    """
    if anchors.name != MICROSOFT or anchors.lab:
        return ()
    facts = json.loads((_FOLDER / "microsoft.json").read_bytes())
    found = []
    for fact in facts["former_roots"]:
        der = certificate_der((_FOLDER / fact["file"]).read_text("ascii"))
        if hashlib.sha256(der).hexdigest() != fact["sha256"]:
            raise UsageError(f"the installed root {fact['file']} differs from its pin", do="install arc-bundler again")
        found.append(der)
    return tuple(found)


def _shipped_root(fact: dict[str, Any]) -> RootCertificate:
    return RootCertificate(
        name=fact["name"],
        sha256=fact["sha256"],
        pem=(_FOLDER / fact["file"]).read_text("ascii"),
        purposes=tuple(fact["purposes"]),
        source=fact["source"],
    )


def _shipped_key(fact: dict[str, Any]) -> PackageKey:
    armored = (_FOLDER / fact["file"]).read_bytes()
    if hashlib.sha256(armored).hexdigest() != fact["sha256"]:
        raise UsageError(f"the installed key {fact['file']} differs from its pin", do="install arc-bundler again")
    return PackageKey(
        name=fact["name"], fingerprint=fact["fingerprint"], armored=armored.decode("ascii"), source=fact["source"]
    )


def chosen(paths: Sequence[Path]) -> Anchors:
    """The anchors in these files together; Microsoft's where there are none. Raises as :func:`load`."""
    if not paths:
        return microsoft()
    from bundler.trust import anchor_documents

    return anchor_documents.merged([load(path) for path in paths])


def load(path: Path) -> Anchors:
    """Read the anchors of a mirror, a lab or an admin from a file.

    It is JSON (:func:`bundler.formats.json_codec.to_json` writes it), or text with certificates and keys in it
    (:mod:`bundler.trust.anchor_documents`).

    Raises:
        UsageError: the file is missing or malformed, a pin does not match its certificate, or its name is Microsoft's.
    """
    from bundler.formats import json_codec
    from bundler.trust import anchor_documents

    try:
        with path.open("rb") as file:
            document = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise UsageError(f"the anchors {path} cannot be read: {error.strerror or error}") from None
    if len(document) > _MAX_FILE:
        raise UsageError(f"the anchors {path} are larger than 16 MiB")
    if anchor_documents.is_document(document):
        return _checked(anchor_documents.read(document, str(path)), str(path))
    try:
        anchors = json_codec.from_json(Anchors, document)
    except json_codec.RecordError as error:
        raise _not_anchors(path, error) from None
    if anchors.name.strip().casefold() == MICROSOFT.casefold():
        raise UsageError(
            f"the anchors {path} have the name Microsoft, which is reserved for the built-in ones",
            do="give them the name of the mirror or of its signer",
        )
    return _checked(anchors, str(path))


def _not_anchors(path: Path, error: RecordError) -> UsageError:
    """What is wrong with a file in JSON, and what to do."""
    details = [f"{'.'.join(map(str, fault.path))}: {_said(fault)}".removeprefix(": ") for fault in error.faults]
    if any(fault.kind == _UNKNOWN for fault in error.faults):
        return UsageError(
            f"{path} is not an anchors file, or one of another release",
            details=details,
            do="get it again from the operator of that upstream, as this release writes it (a lab's: "
            "authority/anchors.json)",
        )
    return UsageError(
        f"{path} is not an anchors file",
        details=details,
        do="give the JSON file from the operator of that upstream (a lab's: authority/anchors.json), roots in PEM, "
        "or an armored OpenPGP key",
    )


def _said(fault: RecordFault) -> str:
    if fault.kind != _UNKNOWN:
        return fault.message
    name = _RENAMED.get(str(fault.path[-1]))
    return "anchors have no such key" + (f"; since 0.2.0 its name is `{name}`" if name else "")


def digest(anchors: Anchors) -> str:
    """SHA-256 over the canonical JSON, as 64 lower-case hex digits."""
    from bundler.formats import json_codec

    return hashlib.sha256(json_codec.to_json(anchors)).hexdigest()


def _checked(anchors: Anchors, where: str) -> Anchors:
    """Refuse pins that do not match their certificates, and publishers described too vaguely."""
    if not anchors.name.strip():
        raise UsageError(f"{where}: anchors need a name")
    for root in anchors.roots:
        try:
            der = certificate_der(root.pem)
        except ValueError as error:
            raise UsageError(f"{where}: {root.name}: {error}") from None
        if hashlib.sha256(der).hexdigest() != root.sha256:
            raise UsageError(f"{where}: the certificate of {root.name} does not match its pin")
    for publisher in anchors.publishers:
        if not publisher.common_name or not publisher.organization or _CODE_SIGNING not in publisher.key_purposes:
            raise UsageError(
                f"{where}: a publisher needs a common name, an organization and the key purpose {_CODE_SIGNING}"
            )
    return anchors
