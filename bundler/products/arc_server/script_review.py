"""Facts for a reviewer of this product's scripts: their runtimes, and their headers made again from a manifest."""

from __future__ import annotations

from collections.abc import Mapping

from bundler.errors import VerificationError
from bundler.formats import json_codec
from bundler.model.manifest import Manifest
from bundler.model.script_runtime import ReleasedRuntime
from bundler.products.arc_server import runtime_parts
from bundler.render import template_files
from bundler.render.runtime import Part

RELEASED: tuple[ReleasedRuntime, ...] = ()
"""The rows that this product brings itself: none, as arc-bundler's own stand in ``data/runtimes.json``."""

# The files that scripts verify besides the packages; the scripts themselves are not among them.
_SETTINGS = "config/settings.json"
_FACTS = (_SETTINGS, "config/endpoints.json")
_FACT_FOLDERS = ("payload/keys/", "payload/certificates/")


def parts() -> Mapping[str, tuple[Part, ...]]:
    """The files of each script's runtime, in their order, by the script's name."""
    return {name: runtime_parts.parts(name) for name in runtime_parts.PARTS}


def header_templates() -> str:
    """SHA-256 of the templates that the scripts' headers are made from."""
    folder = template_files.templates()
    return template_files.digest([folder / "arc-server", folder / "shared"])


def rendered(manifest: Manifest, settings: bytes) -> Mapping[str, bytes]:
    """The scripts of the bundle that ``manifest`` describes as this release makes them, unsigned, by name.

    Args:
        manifest: as it is in the bundle.
        settings: the bytes of ``config/settings.json`` in the bundle.

    Raises:
        VerificationError: the settings are malformed, or say something else than the manifest.
        DefinitionError: the settings cannot be used on one of the targets.
    """
    # Here, not above: reading and naming runtimes need not wait for what renders templates.
    from bundler.products.arc_server import scripts
    from bundler.products.arc_server import settings as settings_file

    try:
        found = json_codec.from_json(settings_file.Settings, settings)
    except json_codec.RecordError as error:
        raise VerificationError(f"{_SETTINGS} is malformed: {error}", reason="malformed-settings") from None
    stated = settings_file.Settings(
        name=manifest.name,
        version=manifest.version,
        tool=manifest.tool,
        lab=manifest.lab,
        parameters=found.parameters,
        packages=settings_file.package_settings(manifest.pins),
    )
    if json_codec.to_json(stated) != settings:
        raise VerificationError(
            f"{_SETTINGS} differs from the manifest, or is not in the form that this release writes",
            reason="other-settings",
            do="do not use the bundle; ask who built it",
        )
    facts = {
        file.path: file.sha256 for file in manifest.files if file.path in _FACTS or file.path.startswith(_FACT_FOLDERS)
    }
    made = scripts.script_entries(stated, facts, manifest.pins, manifest.seal_policy)
    return {entry.path: entry.content for entry in made if isinstance(entry.content, bytes)}
