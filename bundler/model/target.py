"""The kinds of server that a bundle is for, and until when what is installed there is supported."""

from __future__ import annotations

from datetime import date

from bundler.model.frozen import frozen


@frozen
class Target:
    """One operating system, version and architecture, in the words of the definition."""

    os: str
    """Operating system as the product's table names it: ``windows``, ``ubuntu``, ``rhel``, …"""
    version: str = ""
    """Version in the operating system's own words (``22.04``, ``9``, ``2022``); empty: every supported one."""
    architecture: str = "x64"
    """``x64`` or ``arm64``; packages have their own words for it (``amd64``, ``x86_64``, ``aarch64``)."""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.version, self.architecture) if part)


@frozen
class Support:
    """Until when the maker of a package supports one version."""

    version: str
    """As the package writes it."""
    until: date | None = None
    """Last day; None where no source states it."""
    source: str = ""
