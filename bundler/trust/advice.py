"""Advice for failed verifications, by reason: the likely cause, and what to do.

In the form of :class:`~bundler.errors.BundlerError`: the cause becomes one of its ``details``, a full sentence; what to
do becomes its ``do``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from bundler.errors import VerificationError
from bundler.formats.parse_error import ParseError

_AGAIN: Final = "download it again from Microsoft, and compare the size"
_TAMPERED: Final = "do not install it; download it again from another network, and report it if the file is the same"
_ASK: Final = "ask the person who gave you the file where it comes from"

MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    "html": (
        "This is an HTML page: a proxy or portal answered instead of Microsoft.",
        "open the address in a browser, sign in, and try again",
    ),
    "empty": ("Nothing was saved: the download failed at once, or the disk is full.", _AGAIN),
    "truncated": ("The download stopped early.", _AGAIN),
    "unknown-kind": ("The file's content does not match the ending of its name.", _ASK),
    "malformed": ("The file was damaged in transit, or crafted to confuse its readers.", _AGAIN),
    "too-large": ("No real script is that large.", _ASK),
    "unsigned": ("The signature was removed, or this is not the file that the publisher released.", _TAMPERED),
    "line-endings": ("A tool treated the file as text: git, an FTP client or an editor.", "copy it in binary mode"),
    "trailing-data": (
        "Data was added to a genuine file where its signature does not cover it (as in CVE-2020-1464).",
        _TAMPERED,
    ),
    "duplicate-name": ("The file was crafted so that programs read it differently.", _TAMPERED),
    "unknown-stream": (
        "Data was added to the installer, or the part that protects its names was renamed.",
        _TAMPERED,
    ),
    "metadata-unprotected": (
        "The protection of the installer's names was removed, or an old tool signed it.",
        _TAMPERED,
    ),
    "metadata-mismatch": ("Parts of the installer were exchanged or renamed after it was signed.", _TAMPERED),
    "digest-mismatch": ("The file was damaged in transit or changed on purpose.", _TAMPERED),
    "bad-signature": ("The signature was damaged or forged.", _TAMPERED),
    "wrong-subject": ("A signature was taken from another file.", _TAMPERED),
    "unknown-attribute": ("Data was added to the signature after signing, in a part that is not signed.", _TAMPERED),
    "unknown-algorithm": ("The signature uses an algorithm that Microsoft does not use.", _ASK),
    "several-signers": ("Genuine files have one signer.", _TAMPERED),
    "weak-digest": ("SHA-1 can be forged; Microsoft stopped using it in 2019.", "get a newer release"),
    "weak-key": ("The signer's key can be broken.", "get a newer release"),
    "untrusted-root": ("The signer is not the trusted publisher, whatever name the certificate has.", _TAMPERED),
    "certificate-expired": ("The file has no timestamp from when its certificate was valid.", "get a newer release"),
    "bad-certificate": ("A certificate was used for something that it was not issued for.", _TAMPERED),
    "wrong-purpose": ("A certificate was used for something that it was not issued for.", _TAMPERED),
    "revoked": ("The signer's certificate was revoked.", "get a newer release"),
    "wrong-publisher": ("The signature is valid, but it is another company's or another department's.", _ASK),
    "timestamp-invalid": ("The timestamp was damaged or taken from another file.", _TAMPERED),
    "timestamp-untrusted": (
        "The timestamp is from an authority that is not trusted, so it does not show when the file was signed.",
        _TAMPERED,
    ),
    "wrong-key": (
        "The signer is not the trusted publisher, or the publisher changed keys.",
        "compare the key with the one that the publisher announces before you trust it with your own anchors",
    ),
    "revoked-key": ("The publisher revoked the key.", "get a newer release"),
    "expired-key": ("It was signed after the key expired.", _ASK),
    "unusable-key": (
        "The trust anchors hold a key that the OpenPGP library refuses.",
        "get a current copy of the key",
    ),
    "future-signature": (
        "The clock of this machine is behind, or the signature is forged.",
        "set the clock, and try again",
    ),
    "unexpected-member": ("Data was added to a genuine package where its signature does not cover it.", _TAMPERED),
    "unexpected-data": ("Data was added to a genuine package where its signature does not cover it.", _TAMPERED),
    "no-payload-digest": ("It was built by an rpm older than 4.14, and its contents are not signed.", _ASK),
    "timestamp-in-future": (
        "The clock of this machine is behind, or the timestamp is forged.",
        "set the clock, and try again",
    ),
}
"""By reason: the likely cause, and what to do."""


@contextmanager
def as_verification_error(what: str) -> Iterator[None]:
    """Turn a :class:`~bundler.formats.parse_error.ParseError` within into a VerificationError about ``what``.

    The reason stays; the advice for that reason is added.
    """
    try:
        yield
    except ParseError as error:
        failed = VerificationError(f"{what} is not valid: {error}", reason=error.reason)
        raise with_advice(failed) from None


def with_advice(error: VerificationError) -> VerificationError:
    """The same error with the advice for its reason, where it has no details or advice yet."""
    meaning, do = MEANINGS.get(error.reason, ("", ""))
    details = error.details or ((meaning,) if meaning else ())
    return VerificationError(error.what, reason=error.reason, details=details, do=error.do or do)
