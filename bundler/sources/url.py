"""Where is a package that lies at one address? Exactly there; only the package itself knows its version."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from bundler.errors import UpstreamError
from bundler.model.artifact import Artifact, UrlOrigin
from bundler.sources.filename import harmless
from bundler.sources.located import Located


def locate(artifact: Artifact) -> Located:
    """Say where ``artifact`` is, whose origin is a :class:`~bundler.model.artifact.UrlOrigin`.

    Raises UpstreamError for an address that is not https.
    """
    origin = artifact.origin
    if not isinstance(origin, UrlOrigin):
        raise TypeError(f"not a url: {origin.kind}")
    if not origin.url.startswith("https://"):
        raise UpstreamError(
            f"{artifact.name} for {artifact.place}: {origin.url.partition('?')[0]} is not https",
            do="give an https address in the definition",
        )
    return Located(artifact=artifact, url=origin.url, filename=_filename(artifact, origin.url), hosts=origin.hosts)


def _filename(artifact: Artifact, url: str) -> str:
    """The address's last part where it is a name for every file system, otherwise the package's own name."""
    return harmless(unquote(urlsplit(url).path.rpartition("/")[2]), artifact)
