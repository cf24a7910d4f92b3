"""Prints every text that an error, ``--help`` or a script can show, by file, for a reader of the wording.

    python tools/messages.py                        FILE:LINE: TEXT, all of them
    python tools/messages.py bundler/cli templates  of some folders or files only
    python tools/messages.py --sample 40 --seed 11  forty of them, drawn at random
    python tools/messages.py --root DIR             of another checkout

Python is read as a syntax tree: what is passed to an error, to ``echo`` and the like or as ``help=``, the docstrings of
commands, and each other string of three words or more that is no docstring. Scripts and templates are read as text:
quoted strings of three words or more, here-documents, help blocks, and what stands between Jinja's and HTML's tags.
What a placeholder will hold is shown as {its expression}.
"""

from __future__ import annotations

import argparse
import ast
import html
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
READ = ("bundler", "templates")

SHOWS = {"echo", "secho", "info", "warn", "warning", "note", "say", "confirm", "prompt", "print", "problem", "fail"}
"""Functions that show their arguments, however short these are."""
SHOWN_AS = {"help", "short_help", "epilog", "prompt", "metavar", "do", "details", "what", "message", "advice"}
"""Keywords with a text that is shown."""

WORD = re.compile(r"(?<![\w$.\\/-])[A-Za-z][A-Za-z'\u2019-]*(?![\w(=/\\])")
CODE = re.compile(r"\\[bdsw]|\[\^|\{print|BEGIN \{|\$\(|::|^\s*[.^({$]\S*\s*$|^-\w+ -|&&|\|\||;;")
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}", re.DOTALL)
EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
HERE = re.compile(r"<<-?\s*(['\"]?)(\w+)\1[^\n]*\n(.*?)\n\s*\2[ \t]*$", re.DOTALL | re.MULTILINE)
HELP_BLOCK = re.compile(r"<#(.*?)#>|@([\"'])\r?\n(.*?)\r?\n\2@", re.DOTALL)
PROGRAM = r"\$\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*\)"
QUOTED = re.compile(rf"(?:^|(?<=[\s;(]))#[^\n]*|\"((?:{PROGRAM}|[\\`].|\"\"|[^\"\\`\n])*)\"|'([^'\n]*)'", re.MULTILINE)


@dataclass(frozen=True)
class Text:
    """A text that can be shown, and where it stands."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def one_line(text: str) -> str:
    """``text`` with every run of blanks and line breaks as one blank."""
    return " ".join(text.split())


def sentence(text: str) -> bool:
    """Whether ``text`` is for people: at least three words, and no sign of a pattern or a program."""
    return len(WORD.findall(text)) >= 3 and not CODE.search(text)


def literal(node: ast.expr) -> str | None:
    """The text that ``node`` writes, with {expressions}; None where it writes none by itself."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (
            value.value if isinstance(value, ast.Constant) else f"{{{ast.unparse(value.value)}}}"
            for value in node.values
            if isinstance(value, ast.Constant | ast.FormattedValue)
        )
        return "".join(str(part) for part in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = literal(node.left), literal(node.right)
        if left is not None or right is not None:
            return "".join(
                f"{{{ast.unparse(side)}}}" if text is None else text
                for side, text in ((node.left, left), (node.right, right))
            )
    return None


def called(node: ast.Call) -> str:
    """The last name of what is called: ``echo`` of ``click.echo(…)``."""
    function = node.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


class Reader(ast.NodeVisitor):
    """Collects the texts of one Python module."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []
        self._shown: set[int] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A command's docstring is its help, its first paragraph at least."""
        decorators = [ast.unparse(one) for one in node.decorator_list]
        if any(re.search(r"\b(command|group)\b", one) for one in decorators):
            for part in (ast.get_docstring(node) or "").split("\n\n"):
                self._add(node, part, always=True)
        self._body(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._body(node)

    def visit_Module(self, node: ast.Module) -> None:
        self._body(node)

    def _body(self, node: ast.FunctionDef | ast.ClassDef | ast.Module) -> None:
        """Visit everything but strings that stand alone: docstrings."""
        for child in ast.iter_child_nodes(node):
            if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
                self.visit(child)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        """What is passed to an error or to ``echo`` is shown, be it a single word."""
        name = called(node)
        shows = name in SHOWS or name.endswith(("Error", "Fault", "Finding"))
        for argument in node.args[:1] if shows else []:
            self._shown.update(id(one) for one in branches(argument))
        for keyword in node.keywords:
            if keyword.arg in SHOWN_AS:
                self._shown.update(id(one) for one in branches(keyword.value))
        self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        """Take a text as a whole, and look for further ones in the expressions of its placeholders."""
        text = literal(node) if isinstance(node, ast.expr) else None
        if text is None:
            super().generic_visit(node)
            return
        assert isinstance(node, ast.expr)
        self._add(node, text, always=id(node) in self._shown)
        for inner in ast.walk(node):
            if isinstance(inner, ast.FormattedValue):
                self.visit(inner.value)

    def _add(self, node: ast.stmt | ast.expr, text: str, *, always: bool = False) -> None:
        told = one_line(text)
        if sentence(told) or (always and WORD.search(told)):
            self.found.append((node.lineno, told))


def branches(node: ast.expr) -> Iterator[ast.expr]:
    """The expressions that can become an argument's value: both sides of a choice, the items of a list."""
    if isinstance(node, ast.IfExp):
        yield from branches(node.body)
        yield from branches(node.orelse)
    elif isinstance(node, ast.Tuple | ast.List):
        for item in node.elts:
            yield from branches(item)
    else:
        yield node


def of_python(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of everything that a Python module can show."""
    reader = Reader()
    reader.visit(ast.parse(text))
    yield from sorted(reader.found, key=itemgetter(0))


def of_script(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of everything that a script, or the template of one, can show."""
    found = []

    def take(start: int, told: str) -> None:
        for number, line in enumerate(told.splitlines()):
            if sentence(one_line(line)):
                found.append((text.count("\n", 0, start) + 1 + number, one_line(line)))

    def block(match: re.Match[str]) -> str:
        group = match.lastindex or 0
        take(match.start(group), match[group])
        return "\n" * match.group().count("\n")

    # Jinja's statements go, its expressions stay as placeholders; the line numbers stay those of the file.
    plain = JINJA.sub(lambda match: "\n" * match.group().count("\n"), text)
    text = EXPRESSION.sub(lambda match: f"{{{one_line(match[1])}}}", plain)
    text = HELP_BLOCK.sub(block, HERE.sub(block, text))
    for match in QUOTED.finditer(text):
        told = match[1] if match[1] is not None else match[2]
        if told:
            take(match.start(), re.sub(PROGRAM, "{…}", told))
    yield from sorted(found, key=itemgetter(0))


def of_page(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of everything that a page or a text file made from a template shows."""

    def blank(match: re.Match[str]) -> str:
        return "\n" * match.group().count("\n")

    text = EXPRESSION.sub(lambda match: f"{{{one_line(match[1])}}}", JINJA.sub(blank, text))
    text = re.sub(r"<(style|script)\b.*?</\1>|<!--.*?-->", blank, text, flags=re.DOTALL)
    # A tag ends a text, unless it marks a word within one.
    text = re.sub(r"</?(?:a|b|strong|em|code|kbd|span|abbr|time)\b[^>]*>", "", text)
    text = re.sub(r"<[^>]*>", lambda match: blank(match) or "\0", text)
    for number, line in enumerate(text.split("\n"), 1):
        for part in line.split("\0"):
            told = one_line(html.unescape(part))
            if len(WORD.findall(told)) >= 2:
                yield number, told


READERS = {".py": of_python, ".sh": of_script, ".ps1": of_script, ".html": of_page, ".txt": of_page}


def kind(path: Path) -> str:
    """What a file is, without the ending of a template: ``.sh`` of ``install.sh.j2``."""
    return Path(path.stem).suffix if path.suffix == ".j2" else path.suffix


def texts(paths: Sequence[str] = READ, root: Path = ROOT) -> Iterator[Text]:
    """Every text below ``paths`` that can be shown, by file and line, each once a file."""
    for path in paths:
        top = root / path
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            read = READERS.get(kind(file))
            if read is None or not file.is_file():
                continue
            seen = set()
            for line, told in read(file.read_text(encoding="utf-8")):
                if told not in seen:
                    seen.add(told)
                    yield Text(file.relative_to(root).as_posix(), line, told)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="files or folders from the top (default: bundler and templates)")
    parser.add_argument("--sample", type=int, metavar="N", help="draw N of them at random")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the draw: equal seeds draw equal texts")
    parser.add_argument("--root", type=Path, default=ROOT, metavar="DIR", help="the checkout to read")
    options = parser.parse_args(arguments)
    found = list(texts(options.paths or READ, options.root))
    if options.sample:
        drawn = random.Random(options.seed).sample(range(len(found)), min(options.sample, len(found)))  # noqa: S311 - a sample
        found = [found[index] for index in sorted(drawn)]
    sys.stdout.writelines(f"{one}\n" for one in found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
