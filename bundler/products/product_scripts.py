"""What a product gives so that its scripts can be reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bundler.model.manifest import Manifest
from bundler.model.script_runtime import ReleasedRuntime
from bundler.render.runtime import Part


class ProductScripts(Protocol):
    """What a product gives so that its scripts can be reviewed. A module can be one."""

    RELEASED: tuple[ReleasedRuntime, ...]
    """Rows of its own releases; those of the built-in products stand in ``data/runtimes.json``."""

    def parts(self) -> Mapping[str, tuple[Part, ...]]:
        """The files of each script's runtime, in their order, by the script's name."""

    def header_templates(self) -> str:
        """SHA-256 of the templates that the headers are made from."""

    def rendered(self, manifest: Manifest, settings: bytes) -> Mapping[str, bytes]:
        """The scripts made again from the manifest and the content of ``config/settings.json``, unsigned, by name.

        Raises:
            VerificationError: the settings are malformed, or say something else than the manifest.
            DefinitionError: the settings cannot be used on one of the targets.
        """
