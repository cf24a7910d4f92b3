"""Receives the packages that were found, and says what is the matter with one that does not come as listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from bundler.errors import NotThereError, UpstreamError, VerificationError
from bundler.fetch.request import MISMATCHES, Download, Fetch, Request
from bundler.fetch.request_info import redact_url
from bundler.flow.index_disagreement import examine
from bundler.flow.lock_search import Search, past_caches
from bundler.flow.package_kinds import VerifiedPackage
from bundler.model.anchor import Anchors
from bundler.sources.absence import not_there
from bundler.sources.location import Located
from bundler.trust.advice import advising, publisher


@dataclass(frozen=True)
class Receiving:
    """The packages on their way, and what to do where one does not come as its repository lists it."""

    search: Search
    located: dict[Request, Located]
    """What each request asks for; the metadata of a package that came only after its repository was asked again."""

    verify: Callable[[Located, Download], VerifiedPackage]
    """Verifies a package by its own signature, and that it is the one that was found."""

    def recover(self, request: Request, error: UpstreamError | VerificationError, fetch: Fetch) -> Download:
        """The package after all, or an error that says what is the matter."""
        found, anchors = self.located[request], self.search.project.anchors
        if isinstance(error, NotThereError):
            raise _not_there(found, error, anchors) from error
        if isinstance(error, UpstreamError) or error.reason not in MISMATCHES or found.evidence is None:
            raise error
        with advising(anchors):
            now = self.search.in_repository(found.artifact, past_caches(fetch))
        if now.sha256 == found.sha256:
            return self._examined(error, request, found, fetch)
        again = request_for(now, self.search.largest)
        self.located[request] = now
        try:
            return fetch(replace(again, past_caches=True))
        except VerificationError as refused:
            return self._examined(refused, again, now, fetch)

    def _examined(self, refused: VerificationError, request: Request, found: Located, fetch: Fetch) -> Download:
        anchors = self.search.project.anchors
        with advising(anchors):
            return examine(
                refused,
                request,
                found,
                fetch,
                anchors=anchors,
                largest=self.search.largest,
                verify=partial(self.verify, found),
            )


def _not_there(found: Located, error: NotThereError, anchors: Anchors) -> UpstreamError:
    """The error for a package that is not at its address: a version that is not published, or a gap in a mirror."""
    artifact = found.artifact
    if found.evidence is not None:
        return UpstreamError(
            f"{error.what}, although its signed index lists it",
            details=error.details,
            do="run the same command again later: a repository or a mirror can be incomplete while it is updated; "
            "if it stays so, tell its operator",
        )
    return not_there(
        artifact,
        found.url,
        f"no version {artifact.version} at {redact_url(found.url)}",
        anchors,
        details=[error.what],
        do=f"request a version that {publisher(anchors)} publishes, or latest; if `upstream` names a mirror, "
        "ask its operator whether it has this version",
    )


def request_for(found: Located, largest: int) -> Request:
    """The request for a package that was found; ``largest`` in bytes."""
    return Request(
        url=found.url,
        label=f"{found.filename} for {found.artifact.place}",
        hosts=found.hosts,
        max_size=found.size or largest,
        size=found.size,
        sha256=found.artifact.sha256 or found.sha256,
    )
