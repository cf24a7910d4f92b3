"""A module that imports many of ours does too much: it is counted, and each exception has its reason."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST = 15
EXCEPTIONS = {
    "bundler/products/arc_server/product.py": "lists every part of the product, each imported when it is asked for",
}


def imported(path: Path) -> set[str]:
    """The modules of ours that a module imports, in functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bundler":
            inside = ROOT / node.module.replace(".", "/")
            for name in node.names:
                is_module = (inside / f"{name.name}.py").exists() or (inside / name.name).is_dir()
                found.add(f"{node.module}.{name.name}" if is_module else node.module)
    return found


def test_no_module_imports_too_many_of_ours():
    counts = {
        path.relative_to(ROOT).as_posix(): len(imported(path)) for path in sorted((ROOT / "bundler").rglob("*.py"))
    }
    assert len(counts) > 200
    assert {name: count for name, count in counts.items() if count > MOST and name not in EXCEPTIONS} == {}
    assert all(counts[name] > MOST for name in EXCEPTIONS), "an exception that is none"
