"""Ways in which a program may repeat a secret, for the tests of both runtimes and of the command line."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus
from xml.sax import saxutils

SECRET = "q7W8Q~x/Y+z&'\"<k>. %`$\\-_~1a9bcdefGH"
"""With every character that some form spells in another way."""
PLAIN = "AbC8Q~hJ2kLmNoPqRsTuVwXyZ.a1b2c3d4e5-f_"
"""As Entra ID makes them."""
UNICODE = "Pässwörd-東京-🔑-123"
ASCII = "".join(map(chr, range(ord("!"), 127)))
"""Every character that a key on a keyboard writes."""
SHORT = "pa55w"
"""Under six characters: replaced as a whole word only."""


def _percent_all(text: str, form: str = "%{:02X}") -> str:
    return "".join(form.format(byte) for byte in text.encode())


def _json_units(text: str, form: str = "\\u{:04x}") -> str:
    units = text.encode("utf-16-be")
    return "".join(form.format(int.from_bytes(units[at : at + 2], "big")) for at in range(0, len(units), 2))


def _go_quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bash_q(text: str) -> str:
    return re.sub(r"([^A-Za-z0-9_.~/+-])", r"\\\1", text)


def _colours(text: str) -> str:
    return f"\033[1;31m{text}\033[0m"


def _between_colours(text: str) -> str:
    half = len(text) // 2
    return f"{text[:half]}\033[31m{text[half:]}\033[m"


def _wrapped(text: str, width: int = 7) -> str:
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def _b64(before: bytes, text: str, encoding: str = "utf-8") -> str:
    return base64.b64encode(before + text.encode(encoding) + b"!?").decode()


def _b64url(before: bytes, text: str) -> str:
    return base64.urlsafe_b64encode(before + text.encode() + b"!?").decode().rstrip("=")


WAYS: dict[str, Callable[[str], str | bytes]] = {
    "literal": lambda text: text,
    "in an address": lambda text: f"https://user:{text}@proxy.example/",
    "percent, reserved only": quote,
    "percent, strict": lambda text: quote(text, safe=""),
    "percent, lower case": lambda text: re.sub("%..", lambda one: one[0].lower(), quote(text, safe="")),
    "percent, all": _percent_all,
    "percent, all, lower case": lambda text: _percent_all(text, "%{:02x}"),
    "form": quote_plus,
    "double percent": lambda text: quote(quote(text, safe=""), safe=""),
    "JSON": json.dumps,
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON with \\/": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON, all \\u": _json_units,
    "JSON, all \\U in upper case": lambda text: _json_units(text, "\\u{:04X}"),
    "JSON as Go writes it": lambda text: re.sub(
        "[&<>]", lambda one: f"\\u{ord(one[0]):04x}", json.dumps(text, ensure_ascii=False)
    ),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"secret": text})),
    "JSON in JSON in JSON": lambda text: json.dumps(json.dumps(json.dumps(text))),
    "percent of JSON": lambda text: quote(json.dumps(text)),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Basic": lambda text: "Basic " + base64.b64encode(f"user:{text}".encode()).decode(),
    "base64 behind 1": lambda text: _b64(b"x", text),
    "base64 behind 2": lambda text: _b64(b"xy", text),
    "base64url": lambda text: _b64url(b"", text),
    "base64url behind 1": lambda text: _b64url(b"x", text),
    "base64url behind 2": lambda text: _b64url(b"xy", text),
    "base64, percent-encoded": lambda text: quote(_b64(b"", text), safe=""),
    "base64 in JSON with \\/": lambda text: _b64(b"xy", text).replace("/", "\\/"),
    "base64 in lines": lambda text: _wrapped(_b64(b"x" * 61, text), 76),
    "base64 of UTF-16": lambda text: _b64(b"", text, "utf-16-le"),
    "base64 of UTF-16 behind 1": lambda text: _b64(b"x\0", text, "utf-16-le"),
    "base64 of UTF-16 behind 2": lambda text: _b64(b"x\0y\0", text, "utf-16-le"),
    "UTF-16 LE": lambda text: f"a {text} b".encode("utf-16-le"),
    "UTF-16 BE": lambda text: f"a {text} b".encode("utf-16-be"),
    "UTF-16 with its mark": lambda text: f"{text}\n".encode("utf-16"),
    "hex": lambda text: text.encode().hex(),
    "hex, upper case": lambda text: text.encode().hex().upper(),
    "hex with blanks": lambda text: text.encode().hex(" "),
    "hex with colons": lambda text: text.encode().hex(":"),
    "hex of bytes": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "\\x": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "octal": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "bytes as Go prints them": lambda text: "[" + " ".join(map(str, text.encode())) + "]",
    "shell, single quotes": shlex.quote,
    "shell, backslashes": _bash_q,
    "Go %q": _go_quoted,
    "Go error in a Go error": lambda text: _go_quoted(f"connect: {_go_quoted(text)}"),
    "XML": lambda text: saxutils.escape(text, {'"': "&quot;", "'": "&apos;"}),
    "HTML": lambda text: saxutils.escape(text, {'"': "&#34;", "'": "&#39;", "+": "&#43;"}),
    "XML, all hex": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
    "XML in XML": lambda text: saxutils.escape(saxutils.escape(text)),
    "PowerShell, single quotes": lambda text: "'" + text.replace("'", "''") + "'",
    "PowerShell, double quotes": lambda text: re.sub(r'([`$"])', r"`\1", text),
    "CSV": lambda text: '"' + text.replace('"', '""') + '"',
    "Python repr": repr,
    "quoted-printable": lambda text: _percent_all(text, "={:02X}"),
    "colours around": _colours,
    "colours within": _between_colours,
    "PowerShell's XML": lambda text: "".join(f"_x{ord(one):04X}_" if not one.isalnum() else one for one in text),
    "%u": lambda text: _json_units(text, "%u{:04x}"),
    "PowerShell's JSON": lambda text: re.sub(
        "[&<>']", lambda one: f"\\u{ord(one[0]):04x}", json.dumps(text, ensure_ascii=False)
    ),
    "cmd": lambda text: re.sub(r"([&<>^|()%!\"'`])", r"^\1", text),
    "encoded command": lambda text: base64.b64encode(f"Connect -Secret '{text}'".encode("utf-16-le")).decode(),
    "log of Windows Installer": lambda text: f"Property(S): SECRET = {text}\r\n".encode("utf-16"),
    "wrapped": _wrapped,
    "wrapped, indented": lambda text: _wrapped(text, 9).replace("\n", "\r\n    "),
}
"""By name: the value as a program writes it. Bytes where it is not UTF-8 text."""


def repeated(value: str, names: Iterable[str] = WAYS) -> dict[str, bytes]:
    """Each way of repeating ``value``, as bytes in a line of its own."""
    made = {}
    for name in names:
        text = WAYS[name](value)
        made[name] = text if isinstance(text, bytes) else text.encode()
    return made


def remnants(value: str, output: bytes, *, least: int = 6) -> list[str]:
    """Pieces of ``value`` of ``least`` characters that still are in ``output`` in plain, in hex, or in base64."""
    plain = output.replace(b"\0", b"").decode("utf-8", "replace")
    pieces = {value[at : at + least] for at in range(len(value) - least + 1)}
    found = [piece for piece in pieces if piece in plain]
    found += [piece for piece in pieces if piece.encode().hex() in re.sub(r"[^0-9a-f]|0x", "", plain.lower())]
    for word in re.findall(r"[A-Za-z0-9+/_-]{12,}", re.sub(r"%2[bB]", "+", re.sub(r"%2[fF]|\\/", "/", plain))):
        standard = word.replace("-", "+").replace("_", "/")
        for start in range(4):
            cut = standard[start : start + (len(standard) - start) // 4 * 4]
            held = base64.b64decode(cut).replace(b"\0", b"")
            found += [piece for piece in pieces if piece.encode() in held]
    return sorted(set(found))
