"""Reads a script of a bundle: where its header ends, and the SHA-256 of the runtime behind it.

A script is a header, one marker line, the runtime, and the end line; a PowerShell script may carry a signature block
behind that. Nothing of what the script says of itself is taken for true: the digest comes from its bytes.
:mod:`bundler.render.runtime` writes what is read here.

By hand, for a script without a signature block: ``sed '1,/^# ==== arc-bundler .* runtime/d' install.sh | sha256sum``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

from bundler.errors import VerificationError

END: Final = "# ==== end of the runtime ===="
"""The last line of every script, which a header compares with the file's: a script that was cut off lacks it."""

MAX_SIZE: Final = 4 << 20
"""Bytes of one script; the largest of ours has a tenth of that."""

Platform = Literal["linux", "windows"]

_PLATFORMS: Final[dict[str, Platform]] = {".sh": "linux", ".ps1": "windows"}
_LINE_ENDS: Final = {"linux": b"\n", "windows": b"\r\n"}

# What sed finds with the command above, in the C locale: its lines end at line feeds alone.
_CANDIDATE = re.compile(rb"^# ==== arc-bundler [^\n]* runtime[^\n]*", re.MULTILINE)
_MARKER = re.compile(
    r"# ==== (?P<tool>arc-bundler [!-~]+(?: \+ [!-~]+ [!-~]+)?) runtime: "
    r"(?P<product>[A-Za-z0-9._-]+) (?P<platform>[A-Za-z0-9._-]+) (?P<script>[A-Za-z0-9._-]+) "
    r"sha256:(?P<digest>[0-9a-f]{64}) ===="
)
_BLOCK = re.compile(
    rb"\r\n# SIG # Begin signature block\r\n((?:# [A-Za-z0-9+/]+={0,2}\r\n)+)# SIG # End signature block\r\n\Z"
)
# PowerShell obeys the statement wherever it is, behind a signature block's first line too (run on 5.1 and 7).
_REQUIRES = re.compile(rb"#requires", re.IGNORECASE)
_UNPRINTABLE = re.compile(rb"[^\t\n\r -~]")
_DO: Final = "do not run it; get the bundle again from the person who built it"


@dataclass(frozen=True)
class Script:
    """A script, read from its bytes."""

    name: str
    """``install.sh``."""
    platform: Platform
    """By the name's ending."""
    product: str
    tool: str
    """As the marker line has it, ``arc-bundler 0.2.0``: a claim, which proves nothing."""
    digest: str
    """SHA-256 of the runtime, computed: 64 lower-case hex digits."""
    header: bytes
    """All before the marker line."""
    runtime: bytes
    """All behind the marker line, to the end line and its line end."""
    content: bytes
    """The whole script without a signature block."""
    signed: bool
    """Whether a signature block came off; whether it holds is not checked here."""


def platform(name: str) -> Platform | None:
    """The platform of the script called ``name`` by its ending; None if it is not a script."""
    return next((found for ending, found in _PLATFORMS.items() if name.endswith(ending)), None)


def is_script(path: str) -> bool:
    """Whether the bundle's file at ``path`` is a script: it is at the top, and ends in ``.sh`` or ``.ps1``."""
    return "/" not in path and platform(path) is not None


def without_signature_block(content: bytes) -> bytes:
    """A PowerShell script without the signature block that ends it, and without the one line end before that block.

    The block must end the file and hold nothing but its Begin line, lines of ``# `` and base64, and its End line
    (about_Signing, learn.microsoft.com). Anything else is no such block, and stays.
    """
    found = _BLOCK.search(content)
    if found is None:
        return content
    encoded = b"".join(line.removeprefix(b"# ") for line in found[1].splitlines())
    try:
        base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return content
    return content[: found.start()]


def read(content: bytes, name: str, *, product: str) -> Script:
    """Read the script called ``name`` of a bundle of ``product``.

    Args:
        content: the whole file.
        name: the file's name; its ending gives the platform.
        product: as the manifest names it.

    Raises:
        VerificationError: ``runtime-requires`` (a ``#Requires`` statement), ``runtime-line-ends``,
            ``runtime-characters``, ``no-runtime``, ``several-runtimes``, ``runtime-marker``, ``other-runtime``,
            ``runtime-cut-off``, ``runtime-trailing``, ``runtime-digest`` or ``too-large``.
    """
    on = platform(name)
    if on is None:
        raise _refused(f"{name} is not a script", "no-runtime")
    if len(content) > MAX_SIZE:
        raise _refused(f"{name} is larger than {MAX_SIZE >> 20} MiB", "too-large")
    bare = without_signature_block(content) if on == "windows" else content
    _require_plain(content, name, on)
    header, marker, runtime = _split(bare, name, on)
    stated = _stated(marker, name)
    if (stated["product"], stated["platform"], stated["script"]) != (product, on, name):
        raise _refused(
            f"{name} has the runtime of another script",
            "other-runtime",
            details=[f"It is marked: {stated['product']} {stated['platform']} {stated['script']}."],
        )
    _require_whole(runtime, name, on)
    digest = hashlib.sha256(runtime).hexdigest()
    if digest != stated["digest"]:
        raise _refused(
            f"the runtime of {name} is not the one that its marker line states",
            "runtime-digest",
            details=[f"stated:   {stated['digest']}", f"computed: {digest}"],
        )
    return Script(
        name=name,
        platform=on,
        product=product,
        tool=stated["tool"],
        digest=digest,
        header=header,
        runtime=runtime,
        content=bare,
        signed=len(bare) != len(content),
    )


def _require_plain(content: bytes, name: str, on: Platform) -> None:
    """Refuse what a person and an interpreter could read as two different texts."""
    if on == "windows" and _REQUIRES.search(content):
        raise _refused(f"{name} has a #Requires statement, which no script of a bundle has", "runtime-requires")
    odd = _UNPRINTABLE.search(content)
    if odd:
        line = content.count(b"\n", 0, odd.start()) + 1
        raise _refused(f"line {line} of {name} has a character that is not plain ASCII", "runtime-characters")
    returns, feeds = content.count(b"\r"), content.count(b"\n")
    whole = content.count(b"\r\n")
    if returns if on == "linux" else returns != whole or feeds != whole:
        own, other = ("LF", "CR") if on == "linux" else ("CRLF", "single CR or LF")
        raise _refused(f"{name} must have only {own} line ends, but has a {other}", "runtime-line-ends")


def _split(content: bytes, name: str, on: Platform) -> tuple[bytes, bytes, bytes]:
    """Header, marker line and runtime."""
    found = list(_CANDIDATE.finditer(content))
    if not found:
        raise _refused(f"{name} has no runtime: the marker line is missing", "no-runtime")
    if len(found) > 1:
        lines = ", ".join(str(content.count(b"\n", 0, one.start()) + 1) for one in found)
        raise _refused(f"{name} has more than one marker line (lines {lines})", "several-runtimes")
    start = found[0].start()
    if start == 0:  # sed's range of the command above never ends at its first line
        raise _refused(f"{name} has no header: the marker line is its first line", "runtime-marker")
    end_of_line = _LINE_ENDS[on]
    marker, feed, runtime = content[start:].partition(end_of_line)
    if not feed:
        raise _refused(f"{name} ends at its marker line: the runtime was cut off", "runtime-cut-off")
    return content[:start], marker, runtime


def _stated(marker: bytes, name: str) -> dict[str, str]:
    found = _MARKER.fullmatch(marker.decode("ascii"))
    if found is None:
        raise _refused(f"the marker line of {name} is malformed", "runtime-marker", details=[marker.decode("ascii")])
    return found.groupdict()


def _require_whole(runtime: bytes, name: str, on: Platform) -> None:
    """Refuse a runtime that does not end at its end line, or goes on behind it."""
    lines = runtime.split(_LINE_ENDS[on])
    ends = [at for at, line in enumerate(lines) if line == END.encode()]
    if not ends:
        raise _refused(f"the runtime of {name} was cut off: its end line is missing", "runtime-cut-off")
    if len(ends) > 1:
        raise _refused(f"the runtime of {name} occurs more than once", "several-runtimes")
    if lines[ends[0] + 1 :] != [b""]:
        what = "continues after its end line" if any(lines[ends[0] + 1 :]) else "does not end with its end line"
        raise _refused(f"the runtime of {name} {what}", "runtime-trailing")


def _refused(what: str, reason: str, *, details: tuple[str, ...] | list[str] = ()) -> VerificationError:
    return VerificationError(what, reason=reason, details=details, do=_DO)
