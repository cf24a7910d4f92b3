"""Collects the texts of a bundle that run, or are read by a person, on a server."""

from __future__ import annotations

import codecs
import io
from typing import IO, Any

from bundler.errors import VerificationError
from bundler.flow import runtimes
from bundler.formats import script_runtime
from bundler.formats.powershell_signature import SignedScript
from bundler.model.script_runtime import KnownRuntime, ScriptRuntime
from bundler.pack.manifest import digest

MAX_TEXT = 1 << 20
"""Bytes of a script that is compared line by line; ours have a tenth of that."""
MAX_TEXTS = 16 << 20
"""Bytes of all scripts of a bundle."""

_RUN_OR_READ = (".sh", ".ps1", ".psm1", ".bat", ".cmd", ".vbs", ".py", ".txt")
_NOT_TEXT = ("payload/", "evidence/")


class _Held(io.BytesIO):
    """Buffer of one file: its whole content, or nothing where it is too large."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room
        self.whole = True

    def write(self, piece: Any) -> int:
        if self.tell() + len(piece) > self._room:
            self.whole = False
        return super().write(piece) if self.whole else len(piece)


class Texts:
    """Collects the texts of a bundle while it is checked."""

    def __init__(self) -> None:
        self.held: dict[str, _Held] = {}

    def sink_for(self, path: str) -> IO[bytes] | None:
        """The buffer for the file at ``path``; None for a file that is no text."""
        if not is_text(path):
            return None
        used = sum(held.tell() for held in self.held.values())
        self.held[path] = _Held(min(MAX_TEXT, MAX_TEXTS - used))
        return self.held[path]

    def text(self, path: str) -> str | None:
        """The text of the file at ``path``; None for a binary or too large file.

        A signature block at its end is one line: its base64 is not for reading.
        """
        held = self.held[path]
        if not held.whole:
            return None
        try:
            signed = SignedScript(io.BytesIO(held.getvalue()))
        except VerificationError:
            return _decoded(held.getvalue())
        return f"{signed.text}\r\n# (a signature block; SHA-256 of the signature: {digest(signed.pkcs7)})\r\n"

    @property
    def scripts(self) -> list[str]:
        """The names of the scripts; sorted."""
        return sorted(filter(script_runtime.is_script, self.held))

    def runtimes(self, product: str) -> tuple[KnownRuntime, ...]:
        """The runtime of each script that has one, with its release."""
        found = (self._runtime(name, product) for name in self.scripts)
        return runtimes.known(one for one in found if one)

    def _runtime(self, name: str, product: str) -> ScriptRuntime | None:
        if not self.held[name].whole:
            return None
        try:
            found = script_runtime.read(self.held[name].getvalue(), name, product=product)
        except VerificationError:  # `verify` says what is wrong with it
            return None
        return ScriptRuntime(product=product, platform=found.platform, script=name, digest=found.digest)


def is_text(path: str) -> bool:
    """Whether a file of a bundle runs, or is read by a person, on a server."""
    kinds = (*_RUN_OR_READ, ".json") if path.startswith("config/") else _RUN_OR_READ
    return not path.startswith(_NOT_TEXT) and path.lower().endswith(kinds)


def _decoded(content: bytes) -> str | None:
    """Text in UTF-8, or in UTF-16 with a byte order mark; None for everything else."""
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeError:
        return None
    return None if "\0" in text else text
