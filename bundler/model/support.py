"""Until when the maker of a package supports its version."""

from __future__ import annotations

from datetime import date

from bundler.model.value import value


@value
class Support:
    """What is known of one version's end."""

    version: str
    """As the package writes it."""
    until: date | None = None
    """Last day; None where no source tells it."""
    source: str = ""
