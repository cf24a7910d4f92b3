"""What is a package called in the bundle, where no signed metadata names it?"""

from __future__ import annotations

import re

from bundler.integrity import names
from bundler.model.artifact import Artifact

# Letters that mean nothing to any shell, and no leading dot, dash or tilde that would.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}", re.ASCII)


def harmless(name: str, artifact: Artifact) -> str:
    """``name`` where every file system takes it and it ends as its kind does, otherwise the package's own name."""
    sound = _PLAIN.fullmatch(name) and not names.refuse([name]) and name.endswith(f".{artifact.kind}")
    return name if sound else f"{artifact.name}.{artifact.kind}"
