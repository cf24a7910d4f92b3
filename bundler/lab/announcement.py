"""Where is the lab, for a program: ``lab.json`` in its folder, while it runs."""

from __future__ import annotations

from pathlib import Path

from bundler.errors import UsageError
from bundler.formats import json_codec
from bundler.model.frozen import frozen

NAME = "lab.json"


@frozen
class Announcement:
    """What a definition needs to use a lab: its ``upstream`` section."""

    windows: str
    """Base of the MSI addresses."""
    linux: str
    """Base of the apt and yum repositories."""
    hosts: tuple[str, ...]
    """Where a redirect of the MSI may end."""
    ca: str
    """Path, from the lab's folder, of the authority for its HTTPS."""
    anchors: str
    """Path, from the lab's folder, of its anchors."""
    seal_key: str = ""
    """Path, from the lab's folder, of a key that seals practice bundles."""
    seal_certificate: str = ""
    """Path, from the lab's folder, of its certificate."""


def write(folder: Path, announcement: Announcement) -> None:
    """Say that the lab runs: whole under its name, or not at all."""
    fresh = folder / f".{NAME}.partial"
    fresh.write_bytes(json_codec.to_json(announcement))
    fresh.replace(folder / NAME)


def withdraw(folder: Path) -> None:
    """Say that it runs no more."""
    (folder / NAME).unlink(missing_ok=True)


def read(folder: Path) -> Announcement:
    """What the lab in ``folder`` announced. Raises UsageError where none runs."""
    try:
        return json_codec.from_json(Announcement, (folder / NAME).read_bytes())
    except FileNotFoundError as error:
        raise UsageError(
            f"no lab is running in {folder}", do=f"start one with `arc-bundler lab --dir {folder}`"
        ) from error
    except (OSError, json_codec.RecordError) as error:
        raise UsageError(
            f"no lab is running in {folder}: {error}", do=f"start one with `arc-bundler lab --dir {folder}`"
        ) from error
