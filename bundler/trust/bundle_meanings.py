"""What the refusal of a bundle usually means, and what to do: one row a reason, as in :mod:`bundler.trust.meanings`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bundler.trust.meanings import CLOCK, Row

_DO_NOT_USE: Final = "do not use it; ask the person who built it, through a separate channel"
_COPY_AGAIN: Final = "do not use it; copy it again from where it was built, and compare the digest"
_SEAL_AGAIN: Final = "have it sealed again with a valid certificate"

_CHANGED: Final = "The bundle was damaged on its way, or changed on purpose."
_CRAFTED: Final = "The bundle was crafted, or a tool changed it."
_SCRIPT: Final = "A script of the bundle was changed, or a newer release made it."

_CONTENTS: Final[Mapping[str, Row]] = {
    "unsafe-name": ("The bundle was crafted so that its names mean other files elsewhere.", _DO_NOT_USE),
    "newer-manifest": ("A newer release made the bundle.", "upgrade arc-bundler, then run the same command again"),
    "older-manifest": ("A release before 0.2.0 made the bundle.", "build it again"),
    "missing-manifest": ("It is no bundle, or a part of one.", _COPY_AGAIN),
    "malformed-manifest": (_CRAFTED, _COPY_AGAIN),
    "malformed-settings": (_CRAFTED, _COPY_AGAIN),
    "wrong-folder": ("The folder was renamed, or holds another bundle.", "give the folder its own name again"),
    "extra-file": ("Files were added to the bundle, by a tool or on purpose.", _COPY_AGAIN),
    "missing-file": ("The bundle was not copied completely.", _COPY_AGAIN),
    "size-mismatch": (_CHANGED, _COPY_AGAIN),
    "mode-mismatch": ("A tool changed the permissions of the bundle's files.", _COPY_AGAIN),
    "sums-mismatch": (_CHANGED, _COPY_AGAIN),
    "document-too-large": (_CRAFTED, _DO_NOT_USE),
    "rewrapped": (
        "A tool packed the files anew, or a gateway did: its archive is not the one that was built.",
        "unpack it, and verify the folder",
    ),
    "foreign": ("The archive holds what no release of arc-bundler writes.", _COPY_AGAIN),
    "changed-underneath": ("Another program changed the file meanwhile.", "close it, and run the same command again"),
    "unknown-product": (
        "The bundle is of a product that is not installed here.",
        "install its plug-in, then run the same command again",
    ),
    "other-anchors": ("The bundle was built for another upstream.", "give that upstream's anchors with `--anchors`"),
    "disguised-anchors": ("The manifest was changed.", _DO_NOT_USE),
    "self-check": ("Disk or memory is damaged, or another program changed the output.", "build again"),
}

_ARCHIVES: Final[Mapping[str, Row]] = {
    "unknown-container": ("It is no bundle, or a proxy or portal sent something else.", _COPY_AGAIN),
    "damaged-archive": ("The archive was not copied completely, or was damaged on its way.", _COPY_AGAIN),
    "wrong-password": ("The password is another, or the archive was damaged on its way.", "try the password again"),
    "encrypted": ("Another program encrypted the archive, or it was crafted.", _COPY_AGAIN),
    "unknown-method": ("Another program packed the archive.", _COPY_AGAIN),
    "headers-disagree": ("The archive was crafted so that programs unpack it differently.", _DO_NOT_USE),
    "foreign-data": ("Data was added to the archive.", _DO_NOT_USE),
    "other-archive": ("It was packed anew, or belongs to another build.", _COPY_AGAIN),
    "bomb": ("The archive was crafted to fill memory or disk.", _DO_NOT_USE),
    "link": ("The archive was crafted to read or write files elsewhere.", _DO_NOT_USE),
    "special-file": ("The archive was crafted to use devices or pipes.", _DO_NOT_USE),
    "extra-folder": ("Folders were added, by a tool or on purpose.", _COPY_AGAIN),
}

_SEALS: Final[Mapping[str, Row]] = {
    "no-seal": ("The seal was removed, or the bundle was built without one.", _DO_NOT_USE),
    "bad-seal": ("The seal was damaged, or was made for another bundle.", _DO_NOT_USE),
    "other-signer": ("Another person sealed it, or the trusted fingerprint is an old one.", _DO_NOT_USE),
    "seal-expired": ("The sealer's certificate expired since.", _SEAL_AGAIN),
    "seal-not-yet-valid": ("The clock of this machine is behind, or the certificate is for later.", CLOCK),
    "seal-purpose": ("The certificate was issued for another purpose.", _SEAL_AGAIN),
    "seal-weak-key": ("The sealer's key can be broken, or is of a kind that never seals.", _SEAL_AGAIN),
    "seal-revoked": ("The issuer revoked the sealer's certificate.", _DO_NOT_USE),
    "missing-approval": ("The bundle was not reviewed yet.", "have it approved with `arc-bundler approve`"),
    "unknown-approval": ("An approval is of another policy, person or bundle.", _DO_NOT_USE),
    "bundle-expired": ("The bundle is older than its builder allows.", "have a new bundle built"),
    "bad-provenance": ("The provenance was damaged, or was made for another bundle.", _DO_NOT_USE),
    "other-bundle": ("The file beside the bundle belongs to another bundle.", "get the one of this bundle"),
}

_SCRIPTS: Final[Mapping[str, Row]] = {
    "no-runtime": (_SCRIPT, _DO_NOT_USE),
    "other-runtime": (_SCRIPT, _DO_NOT_USE),
    "other-runtime-stated": (_SCRIPT, _DO_NOT_USE),
    "other-scripts": (_SCRIPT, _DO_NOT_USE),
    "runtime-digest": (_SCRIPT, _DO_NOT_USE),
    "runtime-requires": (_SCRIPT, _DO_NOT_USE),
    "runtime-characters": (_SCRIPT, _DO_NOT_USE),
    "runtime-line-ends": ("A tool treated the script as text: git, an FTP client or an editor.", _COPY_AGAIN),
    "runtime-marker": (_SCRIPT, _DO_NOT_USE),
    "runtime-cut-off": ("The script was not copied completely.", _COPY_AGAIN),
    "runtime-trailing": ("Lines were added to the script.", _DO_NOT_USE),
    "several-runtimes": ("The script was crafted so that programs read it differently.", _DO_NOT_USE),
}

BUNDLES: Final[Mapping[str, Row]] = {**_CONTENTS, **_ARCHIVES, **_SEALS, **_SCRIPTS}
"""By reason of the refusal."""
