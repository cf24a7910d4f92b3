"""The table of roots: which ones Azure's certificates end in, and which of them this release holds."""

from __future__ import annotations

from typing import Literal

from bundler.model.frozen import frozen


@frozen
class Root:
    """One root certificate."""

    name: str
    """Its subject's common name."""
    sha1: str
    """Thumbprint: 40 hexadecimal digits in upper case."""
    expires: str
    """``YYYY-MM-DD``."""
    needed_for: Literal["azure-tls", "msi-signature"]
    needed: Literal["yes", "soon", "some", "no"]
    """``soon``: chains below it are presented, mostly with a bridge to an older root; ``some``: below it are few of
    the addresses; ``no``: a server can do without, a definition may carry it."""
    source: str
    """With its date."""
    file: str = ""
    """PEM in ``bundler/data/tls_roots``; empty: the certificate is certifi's."""
    sha256: str = ""
    """Of the DER, where there is a file."""


@frozen
class NamedRoot:
    """A root of which only the name is known."""

    name: str
    source: str


@frozen
class Roots:
    """``roots.json``."""

    source: str
    note: str
    roots: tuple[Root, ...]
    known_by_name: tuple[NamedRoot, ...] = ()

    def find(self, name: str) -> Root | None:
        """The root called ``name``; case, blanks and punctuation do not matter."""
        return next((root for root in self.roots if _folded(root.name) == _folded(name)), None)

    def find_named(self, name: str) -> NamedRoot | None:
        """The same for a root of which only the name is known."""
        return next((root for root in self.known_by_name if _folded(root.name) == _folded(name)), None)


def _folded(name: str) -> str:
    """``name`` for comparison: people leave out the dash of ``Entrust Root Certification Authority - G2``."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())
