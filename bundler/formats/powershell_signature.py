"""Finds the signature block of a PowerShell file, and computes the digest that it covers.

Source: about_Signing (learn.microsoft.com) shows the block. The digest covers the text before the line break in front
of the block, as UTF-16LE, with a byte order mark if there is one (as in OpenAuthenticode, osslsigncode and Windows'
pwrshsip.dll).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import BinaryIO, Final, NoReturn

from bundler.errors import VerificationError

BEGIN: Final = "# SIG # Begin signature block"
END: Final = "# SIG # End signature block"
LINE: Final = "\r\n"
MAX_SIZE: Final = 64 << 20
"""Bytes; a script is read at once."""
LINE_WIDTH: Final = 64
_MAX_BLOCK: Final = 1 << 20
"""Characters of a signature block: twice those of the largest signature that is read."""
_SLICE: Final = 1 << 18
"""Characters that are encoded at once."""
_UTF16_MARK: Final = b"\xff\xfe"


def _malformed(what: str) -> NoReturn:
    raise VerificationError(f"the signature block of the script is malformed: {what}", reason="malformed")


def encoding(raw: bytes) -> str:
    """The encoding of a script: UTF-16LE by its byte order mark, otherwise UTF-8."""
    return "utf-16-le" if raw.startswith(_UTF16_MARK) else "utf-8"


def decode(raw: bytes) -> str:
    """The text, with its byte order mark. Raises ``unknown-kind`` if it is neither UTF-8 nor UTF-16LE."""
    try:
        return raw.decode(encoding(raw))
    except UnicodeDecodeError:
        raise VerificationError("this is not a script: it is neither UTF-8 nor UTF-16", reason="unknown-kind") from None


def text_digest(text: str, algorithm: str) -> bytes:
    """The digest of a script's text without its block."""
    into = hashlib.new(algorithm)
    for start in range(0, len(text), _SLICE):
        into.update(text[start : start + _SLICE].encode("utf-16-le"))
    return into.digest()


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
        """The script without its block, with its byte order mark."""
        self._text_end = raw.index((LINE + BEGIN + LINE).encode(encoding(raw)))
        self.pkcs7 = self._decode_block(block)

    @staticmethod
    def _split(text: str) -> tuple[str, str]:
        before, begin, block = text.partition(LINE + BEGIN + LINE)
        if not begin:
            if text.endswith((LINE + BEGIN, LINE + BEGIN + "\r")):
                raise VerificationError("the script ends where its signature begins", reason="truncated")
            if BEGIN in text:
                raise VerificationError(
                    "the line endings of the script were changed after signing", reason="line-endings"
                )
            raise VerificationError("the script carries no signature block", reason="unsigned")
        block, end, rest = block.partition(LINE + END + LINE)
        if not end and _is_cut(block):
            raise VerificationError("the script ends before its signature block does", reason="truncated")
        if not end:
            _malformed("it does not end")
        if rest:
            raise VerificationError("the script continues after its signature block", reason="trailing-data")
        return before, block

    @staticmethod
    def _decode_block(block: str) -> bytes:
        if len(block) > _MAX_BLOCK:
            _malformed("it is larger than any real one")
        lines = block.split(LINE)
        if any(not line.startswith("# ") for line in lines):
            _malformed("a line of it is not a comment")
        encoded = "".join(line[2:] for line in lines)
        try:
            decoded = base64.b64decode(encoded.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            _malformed("it is not valid base64")
        # Unused bits of the last character could otherwise be changed without changing the signature.
        if base64.b64encode(decoded).decode() != encoded:
            _malformed("its base64 is not canonical")
        return decoded

    def covered(self) -> list[tuple[int, int]]:
        """Offset and length in bytes of the runs that the digest covers: the text before the block."""
        return [(0, self._text_end)]

    def digest(self, algorithm: str) -> bytes:
        """The digest that the signature must hold; ``algorithm`` as hashlib names it."""
        return text_digest(self.text, algorithm)

    second_digest = digest
    """The digest that another signature of the file must hold."""


def _is_cut(block: str) -> bool:
    """Whether a block without an end is a genuine one's beginning: lines of base64, and a part of a line."""
    lines, _, last = block.rpartition(LINE)
    whole = re.fullmatch(r"(?:# [A-Za-z0-9+/=]+(?:\r\n)?)*", lines)
    return bool(whole) and ((END + "\r").startswith(last) or bool(re.fullmatch(r"# [A-Za-z0-9+/=]*\r?", last)))


def with_block(raw: bytes, signature: bytes) -> bytes:
    """Append a signature block to a script, in the script's own encoding."""
    encoded = base64.b64encode(signature).decode()
    lines = [f"# {encoded[at : at + LINE_WIDTH]}" for at in range(0, len(encoded), LINE_WIDTH)]
    return raw + LINE.join(["", BEGIN, *lines, END, ""]).encode(encoding(raw))
