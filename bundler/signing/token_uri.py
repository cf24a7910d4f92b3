"""Parses ``pkcs11:`` addresses: the part of RFC 7512 that names one private key in one token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from bundler.errors import UsageError

_EXAMPLE = "pkcs11:token=Seals;object=arc?module-path=/usr/lib/softhsm/libsofthsm2.so"
_TEXTS = ("token", "serial", "manufacturer", "model", "object")
_PATH = frozenset([*_TEXTS, "id", "type", "slot-id"])
_QUERY = frozenset(["module-path", "pin-source"])
_VALUE = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True)
class TokenUri:
    """The attributes of an address; empty or None if not given."""

    token: str = ""
    serial: str = ""
    manufacturer: str = ""
    model: str = ""
    object: str = ""
    id: bytes = b""
    slot_id: int | None = None
    module_path: str = ""
    pin_file: Path | None = None


def parse(uri: str) -> TokenUri:
    """Parse an address. Raises :class:`UsageError`; its text never contains a PIN that was in the address."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "pkcs11":
        raise _wrong("it does not start with pkcs11:")
    path, _, query = rest.partition("?")
    named = _attributes(path, ";", _PATH)
    asked = _attributes(query, "&", _QUERY)
    if named.get("type", b"private") != b"private":
        raise _wrong("its type is not private, and only a private key signs")
    texts = {name: _text(named.get(name, b"")) for name in _TEXTS}
    slot = _text(named.get("slot-id", b""))
    if slot and not re.fullmatch(r"[0-9]{1,10}", slot):
        raise _wrong("its slot-id is not a number")
    return TokenUri(
        **texts,
        id=named.get("id", b""),
        slot_id=int(slot) if slot else None,
        module_path=_text(asked.get("module-path", b"")),
        pin_file=_pin_file(_text(asked.get("pin-source", b""))),
    )


def _attributes(text: str, separator: str, known: frozenset[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for attribute in filter(None, text.split(separator)):
        name, equals, value = attribute.partition("=")
        if name == "pin-value":
            raise UsageError(
                "the token's address holds its PIN (pin-value), which every user of this computer can read",
                do="change the PIN; give it with `--seal-passphrase-file`, ARC_BUNDLER_SEAL_PASSPHRASE or pin-source",
            )
        if name not in known or not equals:
            raise _wrong(f"its attribute {name[:40]!a} is not one of {', '.join(sorted(known))}")
        if name in found:
            raise _wrong(f"it has {name} twice")
        if not _VALUE.fullmatch(value):
            raise _wrong(f"its {name} has a % without two hex digits (%25 stands for %)")
        found[name] = unquote_to_bytes(value)
    return found


def _text(value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise _wrong("a text in it is not UTF-8") from None
    if "\0" in text:
        raise _wrong("a text in it has a NUL")
    return text


def _pin_file(source: str) -> Path | None:
    """RFC 7512 section 2.4: a ``file:`` URI, or a path; ``|command`` is not run."""
    if source.startswith("|") or (":" in source and not re.match(r"file:|[A-Za-z]:[\\/]", source)):
        raise _wrong("its pin-source is not a file")
    path = source.removeprefix("file:")
    if source.startswith("file://"):
        path = "/" + path.lstrip("/")
    if re.match(r"/[A-Za-z]:", path):  # file:///C:/…
        path = path[1:]
    return Path(path) if path else None


def _wrong(what: str) -> UsageError:
    return UsageError(f"the token's address cannot be used: {what}", do=f"write it like {_EXAMPLE}")
