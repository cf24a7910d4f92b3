"""Which SHA-256 did somebody paste? A certificate's fingerprint or a bundle's digest."""

from __future__ import annotations

import re

_SHA256 = re.compile(r"[0-9a-f]{64}")


def sha256(text: str) -> str:
    """The 64 lower-case hex digits in ``text``; empty where it is no SHA-256.

    Colons, blanks, case and ``sha256`` before them do not matter: so `openssl x509 -fingerprint` and people write it.
    """
    digits = re.sub(r"[\s:]", "", text.lower()).removeprefix("sha256").removeprefix("fingerprint=")
    return digits if _SHA256.fullmatch(digits) else ""
