"""Where is a package that the admin already has? At a path; it is judged like any other."""

from __future__ import annotations

from pathlib import Path

from bundler.errors import UpstreamError
from bundler.model.artifact import Artifact, FileOrigin
from bundler.sources.filename import harmless
from bundler.sources.located import Located


def locate(artifact: Artifact, folder: Path) -> Located:
    """Say where ``artifact`` is, whose origin is a :class:`~bundler.model.artifact.FileOrigin`.

    A relative path is looked for in ``folder``. The address is a ``file:`` one, which fetch copies into the store.
    Raises UpstreamError where no file is there.
    """
    origin = artifact.origin
    if not isinstance(origin, FileOrigin):
        raise TypeError(f"not a file: {origin.kind}")
    path = (folder / origin.path).absolute()
    if not path.is_file():
        raise UpstreamError(
            f"{artifact.name} for {artifact.place}: there is no file at {path}",
            do="correct the path in the definition; a relative one starts at the definition's folder",
        )
    return Located(artifact=artifact, url=path.as_uri(), filename=harmless(path.name, artifact), hosts=())
