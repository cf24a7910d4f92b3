"""Compares our tables of facts with a folder of Microsoft's documents, and names each row that differs.

    python tools/facts.py DOCS             DOCS: a copy of MicrosoftDocs/azure-management-docs and azure-docs, or parts
    python tools/facts.py DOCS --record    also keep what the page of exit codes says today, in tools/facts_codes.json
    python tools/facts.py DOCS --seen FILE another file for what is kept of that page

Exit code 1 where a row differs. A document that is not below DOCS is not compared, and named. Our tables are data in
bundler/data; what a row says there is still for a person to decide.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import facts_docs as docs
import facts_rows as rows

from bundler.products.arc_server import tables
from bundler.products.arc_server.codes import MICROSOFTS
from bundler.products.azure import tables as azure

SEEN = Path(__file__).with_name("facts_codes.json")
"""By number: the first 16 hex digits of the SHA-256 of what the page of exit codes said when our row was written."""
NETWORK, PREREQUISITES = "includes/network-requirements.md", "prerequisites.md"
CODES, NOTES = "troubleshoot-agent-onboard.md", "agent-release-notes.md"
ARCHIVE, REGIONS = "agent-release-notes-archive.md", "regions-list.md"
RESERVED = "error-reserved-resource-name.md"


@dataclass(frozen=True)
class Difference:
    """One row that is not the same."""

    kind: str
    """``missing in ours``, ``missing in theirs`` or ``different``."""
    table: str
    row: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.table}: {self.row}{f': {self.text}' if self.text else ''}"


def endpoints(page: docs.Document) -> Iterator[Difference]:
    """endpoints.json: our row answers theirs where its host is theirs, or one behind their wildcard."""
    theirs, ours = list(rows.endpoints(page)), tables.endpoints().endpoints
    for fact in theirs:
        same = [row for row in ours if row.cloud == fact.cloud and _covers(fact.host, row.host)]
        exact = [row for row in same if row.host == fact.host and row.phase == fact.phase] or same
        name = f"{fact.cloud} {fact.host}"
        if not same:
            yield Difference("missing in ours", "endpoints", name)
        elif not any(row.phase == fact.phase and row.required == fact.required for row in same):
            stated = ", ".join(sorted({f"{row.phase}, {_need(required=row.required)}" for row in exact}))
            yield Difference(
                "different", "endpoints", name, f"ours {stated}; theirs {fact.phase}, {_need(required=fact.required)}"
            )
        elif fact.private is not None and not any(row.private_link == fact.private for row in exact):
            yield Difference("different", "endpoints", name, f"theirs: private link {'yes' if fact.private else 'no'}")
    for row in ours:
        covered = any(fact.cloud == row.cloud and _covers(fact.host, row.host) for fact in theirs)
        if NETWORK in row.source and not covered and not page.is_excerpt:
            yield Difference("missing in theirs", "endpoints", f"{row.cloud} {row.host}")


def _covers(theirs: str, ours: str) -> bool:
    return theirs == ours or ("*" in theirs and fnmatchcase(ours.replace("{his}", "x"), theirs))


def _need(*, required: bool) -> str:
    return "required" if required else "optional"


def systems(page: docs.Document) -> Iterator[Difference]:
    """systems.json: versions, architectures, limited support and the last agent."""
    theirs = {(fact.os, fact.version): fact for fact in rows.systems(page)}
    for (os, version), fact in theirs.items():
        row = tables.systems().find(os, version) if version else None
        if row is None:
            yield Difference("missing in ours", "systems", f"{os} {version}".strip())
            continue
        for name, mark in (("x64", fact.x64), ("arm64", fact.arm64)):
            has = name in row.architectures and name not in row.disputed
            if (mark == "yes") != has and mark and name not in row.disputed:
                yield Difference("different", "systems", f"{os} {version}", f"{name}: theirs {mark}")
        if fact.limited != (row.supported == "limited"):
            said = "limited support" if fact.limited else "no limited support"
            yield Difference("different", "systems", f"{os} {version}", f"theirs: {said}")
    for row in tables.systems().systems:
        family = any(other[1].startswith(f"{row.version}.") for other in theirs if other[0] == row.os)
        current = PREREQUISITES in row.source and row.supported in {"yes", "limited"}
        if current and (row.os, row.version) not in theirs and not family and not page.is_excerpt:
            yield Difference("missing in theirs", "systems", f"{row.os} {row.version}")
    yield from _last_agents(page)


def _last_agents(page: docs.Document) -> Iterator[Difference]:
    for (os, version), last in rows.last_agents(page).items():
        row = tables.systems().find(os, version) if version else None
        if row is None or row.last != last:
            yield Difference("different", "systems", f"{os} {version}", f"theirs: the last agent is {last}")


def codes(page: docs.Document, kept: Path = SEEN) -> Iterator[Difference]:
    """codes.py: the numbers, and whether their texts are those that ``kept`` has of the day when ours were written."""
    theirs, ours = rows.codes(page), {code.number for code in MICROSOFTS}
    seen = json.loads(kept.read_text(encoding="utf-8"))
    for number, text in theirs.items():
        if number not in ours and str(number) not in seen:
            yield Difference("missing in ours", "codes", f"AZCM{number:04}", text)
        elif seen.get(str(number)) != digest(text):
            yield Difference("different", "codes", f"AZCM{number:04}", f"theirs now: {text}")
    if not page.is_excerpt:
        for number in sorted(ours - theirs.keys()):
            yield Difference("missing in theirs", "codes", f"AZCM{number:04}")


def digest(text: str) -> str:
    """What is kept of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def releases(notes: docs.Document, archive: docs.Document | None = None) -> Iterator[Difference]:
    """agents.json: the months of the versions from our first one on."""
    theirs = rows.releases(*filter(None, (notes, archive)))
    ours = {one.version: one for one in tables.agents().releases}
    first = min(map(_number, ours))
    for version, month in theirs.items():
        if version not in ours and _number(version) > first:
            yield Difference("missing in ours", "agents", version, month)
        elif version in ours and ours[version].month != month:
            yield Difference("different", "agents", version, f"ours {ours[version].month}; theirs {month}")
    oldest = min(map(_number, theirs), default=first)
    for version, one in ours.items():
        stated = "agent-release-notes" in one.source and _number(version) >= oldest
        if stated and version not in theirs and not notes.is_excerpt:
            yield Difference("missing in theirs", "agents", version)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def regions(page: docs.Document) -> Iterator[Difference]:
    """regions.json: the public cloud's names."""
    theirs = rows.regions(page)
    ours = {region.name: region for region in azure.regions().regions if region.cloud == "AzureCloud"}
    for name in sorted(theirs - ours.keys()):
        yield Difference("missing in ours", "regions", name)
    if not page.is_excerpt:
        for name in sorted(ours.keys() - theirs):
            yield Difference("missing in theirs", "regions", name, ours[name].source)


def reserved(page: docs.Document) -> Iterator[Difference]:
    """limits.json: the reserved words."""
    limits = tables.limits()
    ours = {"whole": limits.reserved_names, "part": limits.reserved_parts, "start": limits.reserved_starts}
    for kind, theirs in rows.reserved_words(page).items():
        for word in sorted(theirs - set(ours[kind])):
            yield Difference("missing in ours", "limits", f"reserved ({kind}) {word}")
        for word in sorted(set(ours[kind]) - theirs) if not page.is_excerpt else ():
            yield Difference("missing in theirs", "limits", f"reserved ({kind}) {word}")


Comparison = Callable[[docs.Document], Iterator[Difference]]
COMPARISONS: dict[str, Comparison] = {
    NETWORK: endpoints,
    PREREQUISITES: systems,
    CODES: codes,
    REGIONS: regions,
    RESERVED: reserved,
}


def compare(folder: Path, kept: Path = SEEN) -> tuple[list[Difference], list[str]]:
    """The differences from the documents below ``folder``, and a line for each: its date, or that it is missing."""
    found: list[Difference] = []
    lines = []
    comparisons: dict[str, Comparison] = {**COMPARISONS, CODES: partial(codes, kept=kept)}
    for name, comparison in comparisons.items():
        page = docs.find(folder, name)
        lines.append(f"{name}: {page.date or 'without a date' if page else 'not compared: it is not there'}")
        found += comparison(page) if page else ()
    notes = docs.find(folder, NOTES)
    lines.append(f"{NOTES}: {notes.date or 'without a date' if notes else 'not compared: it is not there'}")
    found += releases(notes, docs.find(folder, ARCHIVE)) if notes else ()
    return found, lines


def record(folder: Path, kept: Path = SEEN) -> None:
    """Keep what the page of exit codes says."""
    page = docs.find(folder, CODES)
    if page is None:
        raise SystemExit(f"{CODES} is not below {folder}")
    seen = {str(number): digest(text) for number, text in sorted(rows.codes(page).items())}
    kept.write_text(json.dumps(seen, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """Print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("docs", type=Path)
    parser.add_argument("--record", action="store_true", help="keep the texts of the exit codes as they are today")
    parser.add_argument("--seen", type=Path, default=SEEN, help="the file that keeps them")
    given = parser.parse_args()
    if not given.docs.is_dir():
        parser.error(f"{given.docs} is not a folder")
    if given.record:
        record(given.docs, given.seen)
    found, lines = compare(given.docs, given.seen)
    print(*lines, *found, sep="\n")
    print(f"{len(found)} rows differ" if found else "no row differs")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
