"""Every error is written in one style, which `bundler.errors.BundlerError` states."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bundler
from bundler import errors
from bundler.trust.advice import MEANINGS

ROOT = Path(bundler.__file__).parent
CLASSES = {
    name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, errors.BundlerError)
}
# Functions and values that take an error's `what` first, and those that take it second, behind a reason or a file.
MAKERS = {"refused", "seal_error", "_refused", "_refuse", "_refusal", "_wrong", "_failed", "_misused", "_weak"}
MAKERS_BEHIND = {"CertificateFault", "conflict", "_malformed", "_unreadable"}
# Words that begin with a capital wherever they stand.
NAMES = re.compile(r"InRelease\b|Microsoft\b|Windows\b|[A-Z0-9]{2,}\b|Release file\b")
# What no imperative begins with.
NO_VERBS = re.compile(r"(a|an|the|this|that|these|it|someone|you|your|there|allowed)\b", re.IGNORECASE)
HOLE = "\N{WHITE SQUARE}"


def literal(node: ast.expr) -> str | None:
    """A string as it is written, with a square for what is filled in; None for what is no string."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
    return None


def literals(node: ast.expr) -> Iterator[str]:
    """Every string that `node` may become, as far as it can be read."""
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from literals(value)
    elif (text := literal(node)) is not None:
        yield text


def told(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, part (`what` or `do`) and text of everything that an error is made of."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name not in CLASSES | MAKERS | MAKERS_BEHIND:
            continue
        whats = node.args[1:2] if name in MAKERS_BEHIND else node.args[:1]
        parts = [("what", node) for node in whats] + [("do", k.value) for k in node.keywords if k.arg == "do"]
        parts += [("do", node) for node in node.args[2:3] if name == "CertificateFault"]
        for part, value in parts:
            for text in literals(value):
                yield node.lineno, part, text


def fault(part: str, text: str) -> str:
    """What is wrong with the style of `text`; empty where nothing is."""
    if text.endswith(".") and not text.endswith("…"):
        return "ends in a full stop"
    if text[:1].isupper() and not NAMES.match(text):
        return "begins with a capital"
    if part == "do" and NO_VERBS.match(text):
        return "is no imperative"
    if part == "do" and re.search(r"[a-z`)]\. [A-Z]", text):
        return "has more than one sentence"
    return ""


@pytest.mark.parametrize("name", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py")))
def test_errors_are_in_one_style(name):
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    wrong = [(line, part, text, why) for line, part, text in told(tree) if (why := fault(part, text))]
    assert wrong == []


def test_meanings_are_sentences_and_their_advice_is_in_that_style():
    for meaning, do in MEANINGS.values():
        assert meaning[0].isupper()
        assert meaning.endswith((".", ")."))
        assert fault("do", do) == ""


def test_something_is_read_at_all():
    found = [text for path in ROOT.rglob("*.py") for text in told(ast.parse(path.read_text(encoding="utf-8")))]
    assert len(found) > 250


@pytest.mark.parametrize(
    "code",
    [
        'UsageError("the file is gone.")',
        'errors.UsageError("The file is gone")',
        'WriteError(f"{path} is gone", do="Look for it")',
        'WriteError(f"{path} is gone: {why}.")',
        'VerificationError("x" if y else "Z is not so", reason="z")',
        'VerificationError("x", reason="z", do=error.do or "the clock is wrong")',
        'VerificationError("x", reason="z", do="stop. Go on")',
        'refused("It is a link", "link")',
    ],
)
def test_other_styles_are_seen(code):
    assert [why for _, part, text in told(ast.parse(code)) if (why := fault(part, text))]
