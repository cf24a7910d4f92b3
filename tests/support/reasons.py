"""The reasons that the code can give for a refusal, read from the code itself.

A reason reaches an error as the argument ``reason`` of some function or class: by name, by its position, or by its
default. So every function with a parameter of that name counts, and every call of one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bundler

ROOT = Path(bundler.__file__).parent
WORD = "reason"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Reasons:
    """``words`` by where they are given; ``unread`` are arguments of which the value cannot be told."""

    words: dict[str, str]
    unread: tuple[str, ...]


def modules(*rooms: str) -> list[Path]:
    """The modules of rooms (``trust``), or single ones (``flow/verify.py``)."""
    found = ([ROOT / room] if room.endswith(".py") else (ROOT / room).rglob("*.py") for room in rooms)
    return sorted(path for paths in found for path in paths)


def collect(paths: list[Path]) -> Reasons:
    everywhere = dict(_positions(*ROOT.rglob("*.py")))
    words: dict[str, str] = {}
    unread: list[str] = []
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for where, argument, function in _arguments(tree, everywhere | dict(_positions(path))):
            place = f"{path.relative_to(ROOT).as_posix()}:{where}"
            found = list(_words(argument, function, tree))
            words.update(dict.fromkeys((word for word in found if word), place))
            unread += [f"{place} {ast.unparse(argument)}"] if None in found else []
    words.pop("", None)
    return Reasons(words, tuple(unread))


def _positions(*paths: Path) -> Iterator[tuple[str, int]]:
    """Name of each function or class that takes a reason, and the reason's place among its arguments."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                named = (part.target for part in node.body if isinstance(part, ast.AnnAssign))
                fields = [target.id for target in named if isinstance(target, ast.Name)]
                if WORD in fields:
                    yield node.name, fields.index(WORD)
            elif isinstance(node, Function):
                names = [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
                if WORD in names:
                    yield node.name, names.index(WORD)


def _arguments(tree: ast.AST, positions: dict[str, int]) -> Iterator[tuple[int, ast.expr, Function | None]]:
    """Line and expression of each reason that is given in a module, and the function around it."""
    for node, function in _inside(tree, None):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            at = positions.get(name)
            if at is not None and len(node.args) > at:
                yield node.lineno, node.args[at], function
            yield from ((node.lineno, keyword.value, function) for keyword in node.keywords if keyword.arg == WORD)
        elif isinstance(node, Function):
            yield from ((node.lineno, value, None) for name, value in _defaults(node) if name == WORD)


def _inside(node: ast.AST, function: Function | None) -> Iterator[tuple[ast.AST, Function | None]]:
    for child in ast.iter_child_nodes(node):
        yield child, function
        yield from _inside(child, child if isinstance(child, Function) else function)


def _defaults(function: Function) -> Iterator[tuple[str, ast.expr]]:
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    yield from ((a.arg, d) for a, d in zip(reversed(positional), reversed(given.defaults), strict=False))
    yield from ((a.arg, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d is not None)


def _words(value: ast.expr, function: Function | None, tree: ast.AST) -> Iterator[str | None]:
    """The words that an argument can be; None where that cannot be told."""
    if isinstance(value, ast.Constant):
        yield value.value if isinstance(value.value, str) else None
    elif isinstance(value, ast.IfExp):
        yield from _words(value.body, function, tree)
        yield from _words(value.orelse, function, tree)
    elif isinstance(value, ast.Attribute) and value.attr == WORD:
        return
    elif isinstance(value, ast.Name) and function is not None:
        yield from _named(value.id, function, tree)
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "get":
        for each in (*_tabled(value.func.value, tree), *value.args[1:]):
            yield from _words(each, function, tree)
    else:
        yield None


def _tabled(table: ast.expr, tree: ast.AST) -> Iterator[ast.expr]:
    """The values of a table that the module defines; an expression that cannot be read where it does not."""
    tables = [
        node.value.values
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and isinstance(node.value, ast.Dict)
        and isinstance(table, ast.Name)
        and table.id
        in {t.id for t in getattr(node, "targets", [getattr(node, "target", None)]) if isinstance(t, ast.Name)}
    ]
    yield from tables[0] if tables else [table]


def _named(name: str, function: Function, tree: ast.AST) -> Iterator[str | None]:
    """The words of a local variable: everything that is assigned to it; nothing for a parameter."""
    if name in {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}:
        return
    assigned = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and name in {t.id for t in node.targets if isinstance(t, ast.Name)}
    ]
    for value in assigned:
        yield from _words(value, function, tree)
    if not assigned:
        yield None
