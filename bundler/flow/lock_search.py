"""Finds the packages of a definition: at their address, in their file, or in their repository."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bundler.errors import VerificationError
from bundler.fetch.request import ASKED_AGAIN, MISMATCHES, Fetch
from bundler.flow.project import Project
from bundler.model.artifact import Artifact
from bundler.model.lock import RepositoryState
from bundler.sources import apt, yum
from bundler.sources.location import Located, locate_file, locate_url
from bundler.trust.advice import advising

_STALE: Final = frozenset({*MISMATCHES, "bad-signature", "truncated", "rollback", "expired-metadata"})
"""Reasons that metadata have where a cache on the way mixes old documents and new ones."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Search:
    """What every source needs to find an artifact."""

    project: Project
    at: datetime
    states: Mapping[str, RepositoryState]
    """Repository states of the previous lock, by origin."""
    allow_older: bool

    @property
    def largest(self) -> int:
        """Bytes of the largest package."""
        return self.project.product.largest_package

    def locate(self, artifact: Artifact, fetch: Fetch) -> Located:
        """Find ``artifact``; metadata that do not fit each other are asked for once more, past caches."""
        kind = artifact.origin.kind
        if kind == "url":
            return locate_url(artifact)
        if kind == "file":
            return locate_file(artifact, self.project.path.parent)
        with advising(self.project.anchors):
            try:
                return self.in_repository(artifact, fetch)
            except VerificationError as error:
                if error.reason not in _STALE:
                    raise
                _LOG.info("%s: %s; asking again past caches", artifact.place, error.what)
                return self._again(artifact, fetch)

    def _again(self, artifact: Artifact, fetch: Fetch) -> Located:
        try:
            return self.in_repository(artifact, past_caches(fetch))
        except VerificationError as error:
            told = error.details if ASKED_AGAIN in error.details else (*error.details, ASKED_AGAIN)
            raise VerificationError(error.what, reason=error.reason, details=told, do=error.do) from error

    def in_repository(self, artifact: Artifact, fetch: Fetch) -> Located:
        """Find ``artifact`` in its repository. Raises as :func:`bundler.sources.apt.locate`."""
        locate = apt.locate if artifact.origin.kind == "apt" else yum.locate
        return locate(
            artifact,
            fetch,
            anchors=self.project.anchors,
            at=self.at,
            states=self.states,
            allow_older=self.allow_older,
        )


def past_caches(fetch: Fetch) -> Fetch:
    """``fetch``, which asks caches on the way for what the upstream has now."""
    return lambda request: fetch(replace(request, past_caches=True))
