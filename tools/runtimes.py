"""Write the runtimes' rows of this release into bundler/data/runtimes.json, and print them for CHANGELOG.md.

Run by ``make runtimes`` when the version is a release's. ``--check`` changes nothing and ends with 1 where the rows of
a release differ from the computed ones; between two releases (the version ends in .dev0) there is nothing to check.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bundler.flow import runtimes
from bundler.integrity import released_runtimes

TABLE = Path(__file__).resolve().parent.parent / "bundler" / "data" / "runtimes.json"


def main() -> int:
    """Write the table, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 where the table differs")
    check = parser.parse_args().check
    if not runtimes.IS_RELEASE:
        if check:
            return 0
        sys.stderr.write(f"{runtimes.TOOL} is no release: set __version__ in bundler/__init__.py first\n")
        return 1
    written = TABLE.read_bytes()
    table = released_runtimes.with_rows(written, runtimes.computed())
    if check:
        if table != written:
            sys.stderr.write(f"{TABLE.name} lacks the runtimes of {runtimes.TOOL}: run `make runtimes`\n")
        return int(table != written)
    TABLE.write_bytes(table)
    print(changelog(), end="")
    return 0


def changelog() -> str:
    """The digests as a table for the release's section of CHANGELOG.md."""
    rows = (f"| {one.product} | {one.platform} | `{one.script}` | `{one.digest}` |\n" for one in runtimes.computed())
    return f"| product | platform | script | SHA-256 of the runtime |\n|---|---|---|---|\n{''.join(rows)}"


if __name__ == "__main__":
    sys.exit(main())
