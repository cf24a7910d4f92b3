"""What does the signature block of a PowerShell file cover, and where is it?

Source: about_Signing (learn.microsoft.com) shows the block; the digest runs over the text before the block's
leading line break, as UTF-16LE, a byte order mark included where there is one (as OpenAuthenticode,
osslsigncode and Windows' pwrshsip.dll do it).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import BinaryIO, Final, NoReturn

from bundler.errors import VerificationError

BEGIN: Final = "# SIG # Begin signature block"
END: Final = "# SIG # End signature block"
LINE: Final = "\r\n"
MAX_SIZE: Final = 64 << 20
"""Bytes; a script is read at once."""
LINE_WIDTH: Final = 64
_UTF16_MARK: Final = b"\xff\xfe"


def _malformed(what: str) -> NoReturn:
    raise VerificationError(f"the signature block of the script is malformed: {what}", reason="malformed")


def encoding(raw: bytes) -> str:
    """The encoding of a script: UTF-16LE by its byte order mark, otherwise UTF-8."""
    return "utf-16-le" if raw.startswith(_UTF16_MARK) else "utf-8"


def decode(raw: bytes) -> str:
    """The text with its byte order mark kept.

    Raises ``unknown-kind`` where it is neither UTF-8 nor UTF-16LE.
    """
    try:
        return raw.decode(encoding(raw))
    except UnicodeDecodeError:
        raise VerificationError(
            "this is no script: it is neither UTF-8 nor UTF-16 text", reason="unknown-kind"
        ) from None


def text_digest(text: str, algorithm: str) -> bytes:
    """The digest of a script's text without its block."""
    return hashlib.new(algorithm, text.encode("utf-16-le")).digest()


class SignedScript:
    """A PowerShell file that ends with its one signature block.

    Raises :class:`~bundler.errors.VerificationError`: ``unsigned``, ``line-endings``, ``trailing-data``, ``malformed``,
    ``unknown-kind``, ``too-large``.
    """

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        raw = file.read(MAX_SIZE + 1)
        if len(raw) > MAX_SIZE:
            raise VerificationError("the script is larger than 64 MiB", reason="too-large")
        text = decode(raw)
        self.text, block = self._split(text)
        """The script without its block, a byte order mark included."""
        self.pkcs7 = self._decode_block(block)

    @staticmethod
    def _split(text: str) -> tuple[str, str]:
        before, begin, block = text.partition(LINE + BEGIN + LINE)
        if not begin:
            if BEGIN in text:
                raise VerificationError(
                    "the line endings of the script were changed after signing", reason="line-endings"
                )
            raise VerificationError("the script carries no signature block", reason="unsigned")
        block, end, rest = block.partition(LINE + END + LINE)
        if not end:
            _malformed("it does not end")
        if rest:
            raise VerificationError("the script goes on behind its signature block", reason="trailing-data")
        return before, block

    @staticmethod
    def _decode_block(block: str) -> bytes:
        lines = block.split(LINE)
        if any(not line.startswith("# ") for line in lines):
            _malformed("a line of it is no comment")
        encoded = "".join(line[2:] for line in lines)
        try:
            decoded = base64.b64decode(encoded.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            _malformed("it is no base64")
        if base64.b64encode(decoded).decode() != encoded:
            _malformed("it has more than one reading")
        return decoded

    def digest(self, algorithm: str) -> bytes:
        """What the signature must hold, by an algorithm that hashlib knows."""
        return text_digest(self.text, algorithm)


def with_block(raw: bytes, signature: bytes) -> bytes:
    """Append a signature block to a script, in the script's own encoding."""
    encoded = base64.b64encode(signature).decode()
    lines = [f"# {encoded[at : at + LINE_WIDTH]}" for at in range(0, len(encoded), LINE_WIDTH)]
    return raw + LINE.join(["", BEGIN, *lines, END, ""]).encode(encoding(raw))
