"""Finds words of this project's old dialect, and says which word of the field to use instead.

    python tools/words.py               every hit as FILE:LINE: WORD -> use X; exit code 1 if there is one
    python tools/words.py bundler/cli   the same, for some files or folders only
    python tools/words.py --report      how many hits each folder has, by word; exit code 0
    python tools/words.py --names       also the names of files and folders

The list is data: tools/words.toml, with the exceptions and the reason of each. Code, comments, docstrings, templates
and pages are read alike. docs/decisions is left out: a decision keeps the words of its day.
"""

from __future__ import annotations

import argparse
import fnmatch
import re
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_name("words.toml")
READ = ("bundler", "templates", "tools", "README.md", "docs")
LEFT_OUT = ("docs/decisions/*", "*/__pycache__/*", "*.egg-info/*")

# What stands for a blank of a pattern: blanks, or a line break and the sign with which the next line goes on (of a
# comment, a quotation, a string in two parts).
BLANK = r"""(?:[ \t]+|[ \t]*["']?[ \t]*\r?\n[ \t]*(?:#|//|\*|>|\||r?f?["'])?[ \t]*)"""


@dataclass(frozen=True)
class Word:
    """A word that is not used here."""

    pattern: re.Pattern[str]
    use: str


@dataclass
class Exemption:
    """Where a word may stand, and why. ``used`` counts the hits that it allowed."""

    file: str
    text: str
    reason: str
    used: int = field(default=0)

    def allows(self, name: str, line: str) -> bool:
        """Whether the word may stand in ``line`` of the file ``name``."""
        return fnmatch.fnmatch(name, self.file) and self.text in line


@dataclass(frozen=True)
class Hit:
    """A word where it stands."""

    file: str
    line: int
    word: str
    use: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.word} -> use {self.use}"


def load(path: Path = LIST) -> tuple[list[Word], list[Exemption]]:
    """Read the list.

    Raises:
        ValueError: A word lacks its replacement, or an exception its reason.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    words = [Word(compiled(entry["pattern"]), entry.get("use", "")) for entry in table.get("word", [])]
    exceptions = table.get("exception", [])
    exemptions = [Exemption(entry["file"], entry.get("text", ""), entry.get("reason", "")) for entry in exceptions]
    for word in words:
        if not word.use:
            raise ValueError(f"{path.name}: {word.pattern.pattern} has no `use`")
    for exemption in exemptions:
        if not exemption.reason:
            raise ValueError(f"{path.name}: the exception for {exemption.file} has no `reason`")
    return words, exemptions


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the list, in which a blank may also be a line break (but not inside a character class)."""
    outside = re.sub(r"\[[^\]]*\]| ", lambda match: BLANK if match.group() == " " else match.group(), pattern)
    return re.compile(outside, re.IGNORECASE)


def files(paths: Sequence[str], root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Name (from ``root``) and text of every text file below ``paths``, sorted; pictures are passed over."""
    for path in paths:
        top = root / path
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            name = file.relative_to(root).as_posix()
            if not file.is_file() or any(fnmatch.fnmatch(name, pattern) for pattern in LEFT_OUT):
                continue
            try:
                yield name, file.read_bytes().decode()
            except UnicodeDecodeError:
                continue


def hits(name: str, text: str, words: Sequence[Word], exemptions: Sequence[Exemption] = ()) -> Iterator[Hit]:
    """Every hit in one text, in the order of the list."""
    breaks = [match.start() for match in re.finditer("\n", text)]
    lines = text.split("\n")
    for word in words:
        for match in word.pattern.finditer(text):
            number = bisect_right(breaks, match.start() - 1) if match.start() else 0
            allowed = next((one for one in exemptions if one.allows(name, lines[number])), None)
            if allowed:
                allowed.used += 1
            else:
                yield Hit(name, number + 1, " ".join(match.group().split()), word.use)


def folder(name: str) -> str:
    """The first two folders of a file's name: what a report counts by."""
    return "/".join(name.split("/")[:-1][:2]) or name


def report(found: Sequence[Hit]) -> Iterator[str]:
    """Folders with the number of their hits and their five most frequent words, the worst first, and the sum."""
    by_folder: dict[str, Counter[str]] = {}
    for hit in found:
        by_folder.setdefault(folder(hit.file), Counter())[hit.word.lower()] += 1
    for name, words in sorted(by_folder.items(), key=lambda item: -item[1].total()):
        yield f"{words.total():6}  {name:32}{', '.join(f'{word} {count}' for word, count in words.most_common(5))}"
    yield f"{len(found):6}  in all"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="files or folders from the top of the repository (default: all)")
    parser.add_argument("--report", action="store_true", help="print the number of hits by folder, and exit with 0")
    parser.add_argument("--names", action="store_true", help="look at the names of files, too")
    options = parser.parse_args(arguments)
    words, exemptions = load()
    found: list[Hit] = []
    for name, text in files(options.paths or READ, root):
        found += hits(name, text, words, exemptions)
        if options.names:
            found += hits(name, name, words, exemptions)
    unused = [] if options.paths else [one for one in exemptions if not one.used]
    lines = report(found) if options.report else map(str, found)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    for one in unused:
        sys.stdout.write(f"tools/words.toml: the exception for {one.file} {one.text!r} matches nothing: remove it\n")
    return 0 if options.report else int(bool(found or unused))


if __name__ == "__main__":
    sys.exit(main())
