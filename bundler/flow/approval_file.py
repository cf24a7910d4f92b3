"""Reads approvals from files, and writes them to a file or into a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bundler.errors import UsageError, VerificationError, WriteError
from bundler.formats import cms
from bundler.formats.certificate import fingerprint
from bundler.integrity import sums
from bundler.integrity.check import CheckedBundle
from bundler.model.progress import Progress
from bundler.pack import append
from bundler.pack.members import Password
from bundler.pack.staging import write_file


def read(file: Path) -> bytes:
    """The detached CMS signature in ``file``. Raises UsageError, VerificationError (``bad-seal``)."""
    content = _content(file)
    try:
        cms.read(content)
    except ValueError as error:
        raise VerificationError(
            f"{file} is not an approval: {error}",
            reason="bad-seal",
            do="give the file that `approve --detached FILE` wrote; if it is that one, copy it again",
        ) from error
    return content


def require_free(file: Path) -> None:
    """Raise WriteError where ``file`` exists and is no approval, such as the approver's own key."""
    if not file.is_file():
        return
    try:
        cms.read(_content(file))
    except ValueError as error:
        raise WriteError(
            f"{file} already exists and is not an approval", do="name another file with `--detached FILE`"
        ) from error


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(cms.LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"the approval {file} cannot be read: {error.strerror or error}",
            do="give the path of a readable file",
        ) from error


def path_of(approval: bytes) -> str:
    """The path in the bundle of an approval by its signer."""
    return sums.approval(fingerprint(cms.read(approval).certificates[0]))


def write(
    bundle: Path,
    found: CheckedBundle,
    approvals: Mapping[str, bytes],
    *,
    detached_to: Path | None,
    password: Password | None,
    progress: Progress,
) -> None:
    """Write ``approvals``, by their path, into the bundle, or to the file ``detached_to`` alone. Raises WriteError."""
    if detached_to:
        for approval in approvals.values():
            write_file(detached_to, approval)
        return
    modes, time = append.modes_of(found.manifest), found.manifest.created
    append.add(bundle, approvals, modes=modes, time=time, password=password, progress=progress)
