"""Which signatures do the PowerShell scripts of a bundle get, and are those in a bundle whose it says?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
"""Bytes of one script; ours have a twentieth."""


@dataclass(frozen=True)
class Signing:
    """Whose signatures, and where they come from."""

    key: SigningKey
    finish: Callable[[Entry], Entry]
    """Gives a script with its signature."""

    @property
    def signer(self) -> Signer:
        """Whom the key's certificate names."""
        return signer_identity.signer(self.key.certificates[0])


def by(key: SigningKey, at: datetime) -> Signing:
    """Signatures that ``key`` makes now; raises :class:`~bundler.errors.SigningError` when it is asked for one."""

    def finish(entry: Entry) -> Entry:
        return replace(entry, content=script_signature.sign(_bytes(entry), key, at=at))

    return Signing(key, finish)


def kept(key: SigningKey, at: datetime, path: Path, password: Password | None) -> Signing:
    """Signatures by ``key`` that the bundle at ``path`` has already, so that no key is asked to sign the same again.

    A key may draw at random: what it signed cannot be made again, only recognised. A script that is not signed so
    there stays as it is, and differs from what is there.
    """
    held = _scripts(path, password)

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
    """``entries`` with the scripts among them signed, where there is somebody who signs."""
    return tuple(signing.finish(entry) if signing and is_script(entry.path) else entry for entry in entries)


def signer(entries: Iterable[Entry], signing: Signing | None) -> Signer | None:
    """Who is to have signed the scripts among ``entries``; None where nobody signs or there is none."""
    if signing is None or not any(is_script(entry.path) for entry in entries):
        return None
    return signing.signer


def require_signed(manifest: Manifest, content: Callable[[str], bytes], *, at: datetime) -> None:
    """Refuse scripts that are not signed by whom ``manifest`` names, if it names somebody.

    ``content`` gives the bytes of a listed file, whose hash was checked. Raises :class:`VerificationError`.
    """
    if manifest.scripts_signed_by is None:
        return
    paths = [entry.path for entry in manifest.files if is_script(entry.path)]
    if not paths:
        raise VerificationError("the bundle says who signed its PowerShell scripts, and has none", reason="unsigned")
    for path in paths:
        with about(path):
            script_signature.require_signed(content(path), manifest.scripts_signed_by.sha256, at=at)


def _bytes(entry: Entry) -> bytes:
    if not isinstance(entry.content, bytes):
        raise TypeError(f"the script {entry.path} is not held in memory")
    return entry.content


def _scripts(path: Path, password: Password | None) -> Mapping[str, bytes]:
    """The scripts of the bundle at ``path``; as far as it can be read: what is wrong with it is told by others."""
    held: dict[str, bytes] = {}
    with suppress(VerificationError, UsageError), container.open_bundle(path, password=password) as opened:
        for member in opened.walk():
            if is_script(member.path) and member.size <= LARGEST:
                held[member.path] = b"".join(member.chunks())
    return held
