"""Announces a running lab to programs: ``lab.json`` in its folder."""

from __future__ import annotations

from pathlib import Path

from bundler.errors import UsageError
from bundler.formats import json_codec, shell_words
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
    """Allowed hosts for redirects of the MSI."""
    ca: str
    """Path of the HTTPS root certificate, from the lab's folder."""
    anchors: str
    """Path of the trust anchors, from the lab's folder."""
    seal_key: str = ""
    """Path of a key that seals lab bundles, from the lab's folder."""
    seal_certificate: str = ""
    """Path of that key's certificate, from the lab's folder."""


def write(folder: Path, announcement: Announcement) -> None:
    """Announce a running lab; the file is replaced in one step."""
    fresh = folder / f".{NAME}.partial"
    fresh.write_bytes(json_codec.to_json(announcement))
    fresh.replace(folder / NAME)


def withdraw(folder: Path) -> None:
    """Remove the announcement."""
    (folder / NAME).unlink(missing_ok=True)


def read(folder: Path) -> Announcement:
    """What the lab in ``folder`` announced. Raises UsageError where none runs."""
    start = shell_words.command("arc-bundler", "lab", "--dir", folder)
    try:
        return json_codec.from_json(Announcement, (folder / NAME).read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"no lab is running in {folder}", do=f"start one with `{start}`") from error
    except (OSError, json_codec.RecordError) as error:
        raise UsageError(f"no lab is running in {folder}: {error}", do=f"start one with `{start}`") from error
