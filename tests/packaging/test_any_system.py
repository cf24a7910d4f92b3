"""The product does not need one operating system, nor trust a locale: a jump host may be Windows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import bundler

ROOT = Path(bundler.__file__).resolve().parent
SOURCES = sorted(ROOT.rglob("*.py"))

# Modules that the library reference marks "Availability: Unix".
UNIX_MODULES = {
    "crypt",
    "fcntl",
    "grp",
    "posix",
    "pty",
    "pwd",
    "readline",
    "resource",
    "spwd",
    "syslog",
    "termios",
    "tty",
}

# Attributes that Windows' os and signal do not have, and those that mean something else there: Windows renames over
# nothing that exists, and opens no temporary file twice.
UNIX_NAMES = {
    "os": {
        "chown", "fchmod", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid",
        "getuid", "killpg", "lchown", "mkfifo", "mknod", "nice", "openpty", "posix_spawn", "rename",
        "sched_getaffinity", "setgid", "setpgid", "setsid", "setuid", "sysconf", "uname", "wait", "waitid",
    },
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm", "pause"},
    "tempfile": {"NamedTemporaryFile", "mktemp"},
    "time": {"tzset"},
}  # fmt: skip

TEXT = {"read_text": 0, "write_text": 1}
"""Where the encoding stands among the positional arguments."""


def walk(text: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(text))


def unix_imports(text: str) -> Iterator[str]:
    for node in walk(text):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in UNIX_MODULES)
        elif isinstance(node, ast.ImportFrom):
            if node.module in UNIX_MODULES:
                yield node.module
            unwanted = UNIX_NAMES.get(node.module or "", set())
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name in unwanted)


def unix_names(text: str) -> Iterator[str]:
    for node in walk(text):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            unwanted = UNIX_NAMES.get(node.value.id, set())
            yield from (f"{node.value.id}.{node.attr} in line {node.lineno}" for _ in unwanted & {node.attr})


def mode(call: ast.Call, place: int) -> str | None:
    """The mode of an ``open``; None where it is no literal."""
    given = [word.value for word in call.keywords if word.arg == "mode"] or call.args[place : place + 1]
    if not given:
        return "r"
    values = [given[0].body, given[0].orelse] if isinstance(given[0], ast.IfExp) else given
    literal = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    return min(literal, key=lambda word: "b" in word) if len(literal) == len(values) else None


def without_encoding(text: str) -> Iterator[str]:
    for node in walk(text):
        if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id == "open":
            opened = mode(node, 1)
        elif isinstance(function, ast.Attribute) and function.attr == "open" and not opens_no_path(function.value):
            # Archives have an `open` of their own, and take a name where a path takes a mode.
            opened = mode(node, 0) or "b"
            opened = opened if set(opened) <= set("rwxabt+") else "b"
        elif isinstance(function, ast.Attribute) and function.attr in TEXT:
            opened = "b" if len(node.args) > TEXT[function.attr] else "r"
        elif isinstance(function, ast.Attribute) and function.attr in {"run", "Popen", "check_output"}:
            opened = "r" if any(word.arg in {"text", "universal_newlines"} for word in node.keywords) else "b"
        else:
            continue
        if "b" not in (opened or "r"):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def opens_no_path(value: ast.expr) -> bool:
    """A tar archive, or a token's session."""
    return isinstance(value, ast.Name) and value.id in {"tarfile", "token"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# Reached on POSIX alone: what is done on Windows stands beside it.
GUARDED = {
    "signing/external_signer.py": {"os.killpg", "signal.SIGKILL"},
    "cli/cache_folder.py": {"pwd", "os.getuid"},
}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_it_runs_on_any_system(path):
    text = path.read_text(encoding="utf-8")
    found = [*unix_imports(text), *unix_names(text)]
    assert [one for one in found if one.partition(" ")[0] not in GUARDED.get(name_of(path), set())] == []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_text_depends_on_the_locale(path):
    assert list(without_encoding(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "text",
    ["import fcntl", "from pwd import getpwnam", "from os import fork", "import os\nos.rename(a, b)", "signal.SIGKILL"],
)
def test_the_first_check_can_fail(text):
    assert [*unix_imports(text), *unix_names(text)]


@pytest.mark.parametrize(
    "text",
    [
        "open(p)",
        "open(p, 'w')",
        "p.open()",
        "p.open('w')",
        "open(p, 'rb' if a else 'r')",
        "open(p, m)",
        "p.read_text()",
        "p.write_text(t)",
        "subprocess.run(c, text=True)",
    ],
)
def test_the_second_check_can_fail(text):
    assert list(without_encoding(text))


@pytest.mark.parametrize(
    "text",
    ["open(p, 'rb')", "p.open('wb')", "p.read_text('ascii')", "p.write_text(t, encoding='utf-8')", "os.open(p, f)"],
)
def test_the_second_check_can_pass(text):
    assert list(without_encoding(text)) == []
