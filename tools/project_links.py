"""Writes the project's addresses into the pages: ``make docs``.

``urls`` in pyproject.toml is their one place. A page names an address by a link such as
``[the tracker][project-issues]``, and ends with a line ``[project-issues]: …`` that this tool keeps up to date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
LINE = re.compile(r"^\[project-([a-z]+)\]: .*$", re.MULTILINE)


def addresses() -> dict[str, str]:
    """The addresses by label in small letters, such as ``issues`` and ``contact``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {label.lower(): address for label, address in project["urls"].items()}


def page(text: str, links: dict[str, str]) -> str:
    """``text`` with today's addresses.

    Raises:
        KeyError: The page names an address that pyproject.toml does not have.
    """
    return LINE.sub(lambda match: f"[project-{match[1]}]: {links[match[1]]}", text)


def main() -> int:
    """Rewrite the pages; returns the exit code."""
    links = addresses()
    for name in PAGES:
        path = ROOT / name
        path.write_bytes(page(path.read_text(encoding="utf-8"), links).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
