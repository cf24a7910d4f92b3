"""Root certificates that are trusted for their vendor's own hosts, where the public CAs of this computer lack them."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from bundler.errors import UsageError
from bundler.formats import certificate, strict_json


@dataclass(frozen=True)
class VendorRoot:
    """One root, pinned."""

    name: str
    """Its subject's common name."""
    sha256: str
    """Of the DER, in lower case: the pin."""
    pem: bytes


@dataclass(frozen=True)
class Vendor:
    """A vendor, its hosts and its roots."""

    name: str
    organizations: tuple[str, ...]
    """Who issues the certificates of its hosts, by the name that they give themselves."""
    hosts: tuple[str, ...]
    """Names in lower case; ``*.`` in front stands for one or more labels."""
    roots: tuple[VendorRoot, ...]

    def has(self, host: str) -> bool:
        """Whether ``host`` is one of its hosts."""
        name = host.lower().rstrip(".")
        return any(name.endswith(each[1:]) if each.startswith("*.") else name == each for each in self.hosts)


@cache
def shipped() -> tuple[Vendor, ...]:
    """The vendors of ``bundler/data/tls_roots``."""
    return tuple(map(_vendor, strict_json.read(_read("vendors.json"))["vendors"]))


def of(host: str, vendors: Iterable[Vendor]) -> Vendor | None:
    """The vendor that ``host`` belongs to."""
    return next((vendor for vendor in vendors if vendor.has(host)), None)


def lacking(context: ssl.SSLContext, vendor: Vendor) -> tuple[VendorRoot, ...]:
    """The roots of ``vendor`` that ``context`` does not trust."""
    trusted = {hashlib.sha256(der).hexdigest() for der in context.get_ca_certs(binary_form=True)}
    return tuple(root for root in vendor.roots if root.sha256 not in trusted)


def trust(context: ssl.SSLContext, roots: Iterable[VendorRoot]) -> None:
    """Let ``context`` trust ``roots``. Raises UsageError where one's certificate is not the pinned one."""
    for root in roots:
        found = list(certificate.in_pem(root.pem))
        if [hashlib.sha256(der).hexdigest() for der in found] != [root.sha256]:
            raise UsageError(
                f"the installed certificate of {root.name} is not the pinned one", do="reinstall arc-bundler"
            )
        context.load_verify_locations(cadata=found[0])


def _vendor(row: Mapping[str, Any]) -> Vendor:
    return Vendor(
        name=row["name"],
        organizations=tuple(row["organizations"]),
        hosts=tuple(row["hosts"]),
        roots=tuple(VendorRoot(each["name"], each["sha256"], _read(each["file"])) for each in row["roots"]),
    )


def _read(name: str) -> bytes:
    return (files("bundler.data.tls_roots") / name).read_bytes()
