"""Explains that upstream does not have a package: for which targets, in which repository, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bundler.errors import NotThereError
from bundler.fetch.request_info import redact_url
from bundler.model.anchor import Anchors
from bundler.model.artifact import Artifact
from bundler.trust.advice import publisher
from bundler.trust.repository import NotOffered


def targets(artifact: Artifact) -> str:
    """The targets of ``artifact`` as a definition writes them: ``debian/13/arm64``."""
    return ", ".join(map(str, artifact.targets)) or artifact.place


def not_there(
    artifact: Artifact, address: str, why: str, anchors: Anchors, *, details: Sequence[str] = (), do: str = ""
) -> NotThereError:
    """The error for a package that is not at ``address``.

    Args:
        artifact: What was requested.
        address: Of the repository or file.
        why: A clause: what is there instead.
        anchors: Tell who the publisher is.
        details: Further lines.
        do: What to do; empty for the advice to leave the targets out.

    """
    who, names = publisher(anchors), targets(artifact)
    leave_out = (
        f"leave {names} out of the definition: {who} has no such package; "
        "if `upstream` names a mirror, ask its operator whether it has everything"
    )
    return NotThereError(
        f"{artifact.name} for {names} is not there: {why}",
        details=[f"address: {redact_url(address)}", *details],
        do=do or leave_out,
    )


@contextmanager
def naming_offer(artifact: Artifact, base: str, anchors: Anchors) -> Iterator[None]:
    """Name targets and repository in an error of the block that says that something is not there.

    Verified metadata without the architecture is such an error, and no failed verification.
    """
    try:
        yield
    except NotOffered as error:
        why = f"the repository {redact_url(base)} has nothing for {artifact.architecture}"
        raise not_there(artifact, base, why, anchors, details=[error.what]) from error


@contextmanager
def naming_missing_repository(artifact: Artifact, base: str, anchors: Anchors) -> Iterator[None]:
    """Name targets and repository where the block does not find the document that a repository begins with."""
    try:
        yield
    except NotThereError as error:
        why = f"there is no repository at {redact_url(base)}"
        raise not_there(artifact, base, why, anchors, details=[error.what, *error.details]) from error
