"""What the refusal of a signed file usually means, and what to do: one row a reason.

``{source}`` stands for the publisher: ``Microsoft`` only where Microsoft's own anchors are trusted, because files of
others are not to be had there. The rows for bundles are in :mod:`bundler.trust.bundle_meanings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Row = tuple[str, str]
"""The likely cause, as a sentence, and what to do."""

AGAIN: Final = "download it again from {source}, and compare the size"
TAMPERED: Final = "do not install it; download it again from another network, and report it if the file is the same"
ASK: Final = "ask the person who gave you the file where it comes from"
NEWER: Final = "get a newer release"
CLOCK: Final = "set the clock, and try again"
MIRROR: Final = "ask the operator of the repository or mirror"

_ADDED: Final = "Data was added to a genuine file where its signature does not cover it (as in CVE-2020-1464)."
_ADDED_TO_PACKAGE: Final = "Data was added to a genuine package where its signature does not cover it."
_ADDED_TO_SIGNATURE: Final = "Data was added to the signature after signing, in a part that is not signed."
_MISUSED: Final = "A certificate was used for something that it was not issued for."
_DAMAGED: Final = "The file was damaged in transit, or crafted to confuse its readers."

_FILES: Final[Mapping[str, Row]] = {
    "html": (
        "This is an HTML page: a proxy or portal answered instead of {source}.",
        "open the address in a browser, sign in, and try again",
    ),
    "empty": ("Nothing was saved: the download failed at once, or the disk is full.", AGAIN),
    "truncated": ("The download stopped early.", AGAIN),
    "unknown-kind": ("The file's content does not match the ending of its name.", ASK),
    "malformed": (_DAMAGED, AGAIN),
    "duplicate": (_DAMAGED, AGAIN),
    "unsupported": ("The file uses a form that no genuine one has.", ASK),
    "unsafe-path": ("The file was crafted to write outside of its folder.", TAMPERED),
    "too-large": ("No real script is that large.", ASK),
    "too-big": ("No genuine file has that size: it was crafted to use up memory or disk.", ASK),
    "line-endings": ("A tool treated the file as text: git, an FTP client or an editor.", "copy it in binary mode"),
    "trailing-data": (_ADDED, TAMPERED),
    "duplicate-name": ("The file was crafted so that programs read it differently.", TAMPERED),
    "unknown-stream": (
        "Data was added to the installer, or the part that protects its names was renamed.",
        TAMPERED,
    ),
    "metadata-unprotected": (
        "The protection of the installer's names was removed, or an old tool signed it.",
        TAMPERED,
    ),
    "metadata-mismatch": ("Parts of the package were exchanged or renamed after it was signed.", TAMPERED),
    "digest-mismatch": ("The file was damaged in transit or changed on purpose.", TAMPERED),
    "unexpected-member": (_ADDED_TO_PACKAGE, TAMPERED),
    "unexpected-data": (_ADDED_TO_PACKAGE, TAMPERED),
    "member-header": (_ADDED_TO_PACKAGE, TAMPERED),
    "hidden-archive": ("Java runs the file as a program that its publisher never saw (as in CVE-2020-1464).", TAMPERED),
    "unknown-tag": (_ADDED_TO_PACKAGE, TAMPERED),
    "wrong-tag": (_ADDED_TO_PACKAGE, TAMPERED),
    "unowned-bytes": (_ADDED_TO_PACKAGE, TAMPERED),
    "no-payload-digest": ("It was built by an rpm older than 4.14, and its contents are not signed.", ASK),
    "wrong-product": ("The publisher signed it, but it is another of its products.", ASK),
    "wrong-kind": ("The product has no package of this kind.", ASK),
    "wrong-place": ("It stands in the folder of servers that cannot run it.", TAMPERED),
    "wrong-architecture": ("It is the same product for other processors.", "request the package for this architecture"),
    "wrong-version": ("It is another version of the same product.", "request the version that upstream has"),
    "facts-differ": ("The lock or manifest was changed, or belongs to another package.", "create the lock again"),
    "evidence-differs": ("The lock or manifest was changed, or belongs to another package.", "create the lock again"),
    "unsigned-member": ("The publisher signs its programs; what it does not sign may come from others.", TAMPERED),
    "missing-member": ("It is another archive than the one that the product describes.", ASK),
    "replaced": ("The publisher changed a release under its old version, or a mirror serves another file.", ASK),
}

_SIGNATURES: Final[Mapping[str, Row]] = {
    "unsigned": ("The signature was removed, or this is not the file that the publisher released.", TAMPERED),
    "bad-signature": ("The signature was damaged or forged.", TAMPERED),
    "wrong-subject": ("A signature was taken from another file.", TAMPERED),
    **dict.fromkeys(
        (
            *("unknown-attribute", "foreign-certificate", "foreign-revocation-list", "foreign-attribute-certificate"),
            *("foreign-parameter", "not-canonical"),
        ),
        (_ADDED_TO_SIGNATURE, TAMPERED),
    ),
    **dict.fromkeys(
        (
            *("timestamp-attribute", "timestamp-certificate", "timestamp-revocation-list", "timestamp-parameter"),
            *("timestamp-attribute-certificate", "timestamp-form"),
        ),
        ("Data was added to the timestamp after signing, in a part that is not signed.", TAMPERED),
    ),
    **dict.fromkeys(
        (
            *("second-signature-attribute", "second-signature-certificate", "second-signature-revocation-list"),
            *("second-signature-attribute-certificate", "second-signature-parameter", "second-signature-form"),
        ),
        ("Data was added to a second signature in the file, in a part that is not signed.", TAMPERED),
    ),
    "second-signature": ("A second signature was added to the file, by another signer or to hide data.", TAMPERED),
    "unknown-algorithm": ("The signature uses an algorithm that is not accepted.", ASK),
    "several-signers": ("Genuine files have one signer.", TAMPERED),
    "weak-digest": ("SHA-1 and older digests can be forged.", NEWER),
    "weak-key": ("The signer's key can be broken.", NEWER),
    "untrusted-root": ("The signer is not the trusted publisher, whatever name the certificate has.", TAMPERED),
    "certificate-expired": ("The file has no timestamp from when its certificate was valid.", NEWER),
    "certificate-not-yet-valid": (
        "The clock of this machine is behind, or the file was signed before its certificate was valid.",
        "set the clock if it is wrong; otherwise ask the person who gave you the file where it comes from",
    ),
    "bad-certificate": (_MISUSED, TAMPERED),
    "wrong-purpose": (_MISUSED, TAMPERED),
    "revoked": ("The issuer revoked a certificate of the signature or of its timestamp.", NEWER),
    "wrong-publisher": ("The signature is valid, but it is another company's or another department's.", ASK),
    "timestamp-invalid": ("The timestamp was damaged or taken from another file.", TAMPERED),
    "timestamp-untrusted": (
        "The timestamp is from an authority that is not trusted, so it does not show when the file was signed.",
        TAMPERED,
    ),
    "timestamp-expired": (
        "The timestamp was made after its authority's certificate had expired, so it does not show the time.",
        ASK,
    ),
    "timestamp-not-yet-valid": (
        "The timestamp is older than its authority's certificate, so its time is not true.",
        TAMPERED,
    ),
    "timestamp-wrong-purpose": ("The timestamp was made with a certificate that is not for timestamps.", TAMPERED),
    "timestamp-bad-certificate": ("A certificate of the timestamp was not issued for such a use.", TAMPERED),
    "timestamp-in-future": ("The clock of this machine is behind, or the timestamp is forged.", CLOCK),
}

_OPENPGP: Final[Mapping[str, Row]] = {
    "wrong-key": (
        "The signer is not the trusted publisher, or the publisher changed keys.",
        "compare the key with the one that the publisher announces before you trust it with your own anchors",
    ),
    "not-pinned": (
        "It is none of the trusted keys and certificates.",
        "compare it with what the publisher announces before you trust it with your own anchors",
    ),
    "armor-data": (_ADDED_TO_SIGNATURE, TAMPERED),
    "other-packets": (_ADDED_TO_SIGNATURE, TAMPERED),
    "unhashed-area": (_ADDED_TO_SIGNATURE, TAMPERED),
    "signature-tail": (_ADDED_TO_SIGNATURE, TAMPERED),
    "other-signature": ("A signature by an unknown key carries more than a signature needs.", TAMPERED),
    "several-signatures": ("Genuine packages have one signature.", TAMPERED),
    "expired-signature": ("The publisher signed it for a limited time, which is over.", NEWER),
    "old-signature": ("Signatures of version 3 protect too little, and are not accepted since 2021.", NEWER),
    "unknown-version": ("The signature has a form that is newer than this release of arc-bundler.", ASK),
    "changed-key": (
        "The key was extended or certified again after it signed; the pinned copy does not show what it was before.",
        "pin an older copy of the same key as well, or get a newer release",
    ),
    "revoked-key": ("The publisher revoked the key.", NEWER),
    "expired-key": ("It was signed after the key expired.", ASK),
    "unusable-key": ("The trust anchors hold a key that the OpenPGP library refuses.", "get a current copy of the key"),
    "future-signature": ("The clock of this machine is behind, or the signature is forged.", CLOCK),
}

_REPOSITORIES: Final[Mapping[str, Row]] = {
    "not-named": (
        "An index is not signed itself: the signed document of its repository lists its hash.",
        "give the InRelease of the same repository and time as well",
    ),
    "not-listed": ("The repository does not offer it, or lists it under another name.", MIRROR),
    "wrong-suite": ("A mirror mixed up two distributions, or the base address is another's.", "check the base address"),
    "missing-document": ("The evidence is not complete, or was changed.", "create the lock again, and build again"),
    "expired-metadata": ("The mirror is not updated any more, or old metadata is replayed.", MIRROR),
    "future-metadata": ("The clock of this machine is behind, or the metadata is forged.", CLOCK),
    "rollback": ("A mirror went back in time, or old metadata is replayed.", MIRROR),
}

SIGNED_FILES: Final[Mapping[str, Row]] = {**_FILES, **_SIGNATURES, **_OPENPGP, **_REPOSITORIES}
"""By reason of the refusal."""
