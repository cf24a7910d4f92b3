"""What does a refusal usually mean, and what should be done about it?

For people, in the style of :class:`~bundler.errors.BundlerError`: the meaning is one of its ``details``, so a full
sentence; what to do is its ``do``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from bundler.errors import VerificationError
from bundler.formats.parse_error import ParseError

_AGAIN: Final = "download it again from Microsoft, and compare the size"
_TAMPERED: Final = "do not install it; download it again on another way, and report it if that gives the same file"
_ASK: Final = "ask whoever gave you the file where it is from"

MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    "html": (
        "This is an HTML page: a proxy or portal answered instead of Microsoft.",
        "open the address in a browser, sign in there, and try again",
    ),
    "empty": ("Nothing was saved: a download that failed at once, or a full disk.", _AGAIN),
    "truncated": ("This is a download that stopped.", _AGAIN),
    "unknown-kind": ("The file is not what its name says.", _ASK),
    "malformed": ("The file was damaged on the way, or made to confuse its readers.", _AGAIN),
    "too-large": ("No script is that large.", _ASK),
    "unsigned": ("The signature was removed, or this is not the file that its publisher released.", _TAMPERED),
    "line-endings": ("A tool treated the file as text: git, an FTP client or an editor.", "copy it in binary mode"),
    "trailing-data": (
        "Something was hidden in a genuine file where signatures do not look (as in CVE-2020-1464).",
        _TAMPERED,
    ),
    "duplicate-name": ("Somebody built this file to be read in two ways.", _TAMPERED),
    "unknown-stream": (
        "Somebody added something to the installer, or renamed the part that protects its names.",
        _TAMPERED,
    ),
    "metadata-unprotected": (
        "The protection of the installer's names was removed, or an old tool signed it.",
        _TAMPERED,
    ),
    "metadata-mismatch": ("Parts of the installer were exchanged or renamed after it was signed.", _TAMPERED),
    "digest-mismatch": ("The file was damaged on the way or changed by somebody.", _TAMPERED),
    "bad-signature": ("The signature was damaged or forged.", _TAMPERED),
    "wrong-subject": ("A signature was taken from another file.", _TAMPERED),
    "unknown-attribute": ("Something was added to the signature after signing, where it protects nothing.", _TAMPERED),
    "unknown-algorithm": ("The signature uses an algorithm that Microsoft does not use.", _ASK),
    "several-signers": ("Genuine files have one signer.", _TAMPERED),
    "weak-digest": ("SHA-1 can be forged; Microsoft stopped using it in 2019.", "get a newer release"),
    "weak-key": ("The signer's key can be broken.", "get a newer release"),
    "untrusted-root": ("Somebody else than the trusted publisher signed the file, whatever name they used.", _TAMPERED),
    "certificate-expired": ("The file has no timestamp from when its certificate was valid.", "get a newer release"),
    "bad-certificate": ("Somebody used a certificate for what it was not issued for.", _TAMPERED),
    "wrong-purpose": ("Somebody used a certificate for what it was not issued for.", _TAMPERED),
    "revoked": ("The signer's certificate was withdrawn.", "get a newer release"),
    "wrong-publisher": ("The signature is good, but another company's or another department's.", _ASK),
    "timestamp-invalid": ("The timestamp was damaged or taken from another file.", _TAMPERED),
    "timestamp-untrusted": (
        "A timestamp of an authority that is not trusted hides when the file was signed.",
        _TAMPERED,
    ),
    "wrong-key": (
        "Somebody else than the trusted publisher signed it, or the publisher changed keys.",
        "compare the key with the one that the publisher states, before you believe it by anchors of your own",
    ),
    "revoked-key": ("The publisher withdrew the key.", "get a newer release"),
    "expired-key": ("It was signed after the key's time.", _ASK),
    "unusable-key": (
        "The anchors that were given hold a key that the library refuses.",
        "get a current copy of the key",
    ),
    "future-signature": (
        "The clock of this machine is behind, or the signature is forged.",
        "set the clock, and try again",
    ),
    "unexpected-member": ("Somebody added to a genuine package what its signature does not cover.", _TAMPERED),
    "unexpected-data": ("Somebody added to a genuine package what its signature does not cover.", _TAMPERED),
    "no-payload-digest": ("It was built by an rpm older than 4.14, and its contents are not signed.", _ASK),
    "timestamp-in-future": (
        "The clock of this machine is behind, or the timestamp is forged.",
        "set the clock, and try again",
    ),
}
"""By reason: what it usually means, and what to do."""


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
    """The same refusal with what it usually means and what to do, where it does not say so yet."""
    meaning, do = MEANINGS.get(error.reason, ("", ""))
    details = error.details or ((meaning,) if meaning else ())
    return VerificationError(error.what, reason=error.reason, details=details, do=error.do or do)
