"""Looks into a package that differs from what its repository's signed index lists.

Publishers replace packages and indexes one after the other: for hours or days the two disagree
(microsoft/linux-package-repositories#282). Where the package's own signature holds and it is the listed version, that
is so, and no attack; it is still not pinned, because the index does not list it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from bundler.errors import IndexDisagreesError, UpstreamError, VerificationError
from bundler.fetch.request import ASKED_AGAIN, Download, Fetch, Request
from bundler.fetch.request_info import redact_url
from bundler.flow.package_kinds import VerifiedPackage
from bundler.model.anchor import Anchors
from bundler.sources.absence import targets
from bundler.sources.location import Located
from bundler.trust.advice import publisher

_REPORTS: Final[Mapping[str, str]] = {
    "packages.microsoft.com": "https://github.com/microsoft/linux-package-repositories/issues"
}
"""Where a repository's operator takes reports, by host."""


def examine(
    refused: VerificationError,
    request: Request,
    found: Located,
    fetch: Fetch,
    *,
    anchors: Anchors,
    largest: int,
    verify: Callable[[Download], VerifiedPackage],
) -> Download:
    """Download a package again without the index's word, and see what it is.

    Args:
        refused: The error of the download by the index's word.
        request: That download.
        found: The package as the index lists it.
        fetch: Downloads.
        anchors: Tell who the publisher is.
        largest: Bytes of the largest package.
        verify: Verifies the package's own signature, and that it is the listed one.

    Returns:
        The package, where it is what the index lists after all.

    Raises:
        IndexDisagreesError: the package's own signature holds.
        VerificationError: it does not hold.

    """
    try:
        came = fetch(replace(request, size=None, sha256=None, max_size=largest, past_caches=True))
    except UpstreamError:
        raise refused from None
    if came.sha256 == request.sha256:
        return came
    try:
        verified = verify(came)
    except VerificationError as error:
        details = (*refused.details, f"by its own signature: {error.what}")
        raise VerificationError(refused.what, reason=refused.reason, details=details, do=refused.do) from error
    raise _disagreement(request, found, came, verified, publisher(anchors)) from refused


def _disagreement(
    request: Request, found: Located, came: Download, verified: VerifiedPackage, who: str
) -> IndexDisagreesError:
    where = _REPORTS.get(urlsplit(request.url).hostname or "", f"{who}, or to the operator of the mirror")
    dated = f" of {found.repository.date:%Y-%m-%d %H:%M} UTC" if found.repository else ""
    return IndexDisagreesError(
        f"{found.artifact.name} for {targets(found.artifact)}: {who}'s index and package disagree; "
        "nothing is wrong on your side",
        details=[
            f"address:          {redact_url(request.url)}",
            f"the signed index: SHA-256 {request.sha256}, {request.size} bytes (metadata{dated})",
            f"the package:      SHA-256 {came.sha256}, {came.size} bytes, {verified.facts.version}",
            f"its own signature holds: {verified.evidence[0].signer}",
            ASKED_AGAIN,
            "The lock stays as it is.",
        ],
        do="build from the lock that you have, and run the same command again later: this lasts hours or days; "
        f"if it lasts, report the address and both digests to {where}",
    )
