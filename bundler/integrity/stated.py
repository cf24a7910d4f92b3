"""Which digest does a manifest state for its bundle?"""

from __future__ import annotations

import hashlib

from bundler.integrity import sums
from bundler.model.manifest import Manifest


def digest(manifest: Manifest, document: bytes) -> str:
    """SHA-256 in hex of the ``SHA256SUMS`` that belongs to ``manifest``, whose own bytes are ``document``.

    ``SHA256SUMS`` lists what the manifest lists, and the manifest: so both say the same number, or one was changed.
    """
    own = (sums.MANIFEST, hashlib.sha256(document).hexdigest())
    return hashlib.sha256(sums.render((*((file.path, file.sha256) for file in manifest.files), own))).hexdigest()
