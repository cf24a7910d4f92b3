"""Signs the PowerShell scripts of a bundle, and verifies their signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bundler.errors import UsageError, VerificationError, about
from bundler.model.manifest import Manifest
from bundler.model.seal import Signer
from bundler.model.tree import Entry
from bundler.pack import container
from bundler.pack.members import Password
from bundler.signing import script_signature
from bundler.signing.signing_key import SigningKey
from bundler.trust import signer_identity

LARGEST = 4 << 20
"""Bytes of one script; ours have a twentieth of that."""


@dataclass(frozen=True)
class Signing:
    """A key, and how scripts get its signatures."""

    key: SigningKey
    finish: Callable[[Entry], Entry]
    """Returns a script with its signature."""

    @property
    def signer(self) -> Signer:
        """The signer that the key's certificate names."""
        return signer_identity.signer(self.key.certificates[0])


def by(key: SigningKey, at: datetime) -> Signing:
    """New signatures by ``key``; each raises :class:`~bundler.errors.SigningError` where the key fails."""

    def finish(entry: Entry) -> Entry:
        return replace(entry, content=script_signature.sign(_bytes(entry), key, at=at))

    return Signing(key, finish)


def kept(key: SigningKey, at: datetime, path: Path, password: Password | None) -> Signing:
    """Signatures by ``key`` taken from the bundle at ``path``, so that the key need not sign the same script again.

    ECDSA signs with a random number: an earlier signature can be recognised, not repeated. A script without such a
    signature stays unsigned, and so differs from the earlier bundle.
    """
    held: dict[str, bytes] = {}
    # As far as the bundle can be read: its verification reports what is wrong.
    with suppress(VerificationError, UsageError), container.open_bundle(path, password=password) as opened:
        for member in opened.walk():
            if is_script(member.path) and member.size <= LARGEST:
                held[member.path] = b"".join(member.chunks())

    def finish(entry: Entry) -> Entry:
        there = held.get(entry.path, b"")
        return (
            replace(entry, content=there) if script_signature.is_signed_by(there, _bytes(entry), key, at=at) else entry
        )

    return Signing(key, finish)


def is_script(path: str) -> bool:
    """Whether the file at ``path`` is one that gets a signature."""
    return path.endswith(script_signature.SUFFIX) and "/" not in path


def signed(entries: Iterable[Entry], signing: Signing | None) -> tuple[Entry, ...]:
    """``entries`` with the scripts among them signed; unchanged without ``signing``."""
    return tuple(signing.finish(entry) if signing and is_script(entry.path) else entry for entry in entries)


def signer(entries: Iterable[Entry], signing: Signing | None) -> Signer | None:
    """The signer of the scripts among ``entries``; None without ``signing``, or without scripts."""
    if signing is None or not any(is_script(entry.path) for entry in entries):
        return None
    return signing.signer


def require_signed(manifest: Manifest, content: Callable[[str], bytes], *, at: datetime) -> None:
    """Require that every script is signed by the signer in ``manifest``, where it names one.

    Args:
        manifest: The bundle's, with verified hashes.
        content: Returns the bytes of a listed file, with verified hash.
        at: Time to verify for.

    Raises:
        VerificationError: a script is unsigned, or signed by another.

    """
    if manifest.scripts_signed_by is None:
        return
    paths = [entry.path for entry in manifest.files if is_script(entry.path)]
    if not paths:
        raise VerificationError(
            "the manifest names a signer of PowerShell scripts, but there are none", reason="unsigned"
        )
    for path in paths:
        with about(path):
            script_signature.require_signed(content(path), manifest.scripts_signed_by.sha256, at=at)


def _bytes(entry: Entry) -> bytes:
    if not isinstance(entry.content, bytes):
        raise TypeError(f"the script {entry.path} is not held in memory")
    return entry.content
