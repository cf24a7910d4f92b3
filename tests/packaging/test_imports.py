"""No module imports more than 15 of ours: one that does knows too much, or is two.

Circles and imports up the house are refused by import-linter (``make lint``).
"""

from __future__ import annotations

import grimp
import pytest

LIMIT = 15

EXCEPTIONS = {
    "bundler.products.arc_server.product": (24, "hands each question of the Protocol to the module that answers it"),
}
"""Module: how many it may import today, and why so many. To shrink, never to grow."""


@pytest.fixture(scope="module")
def imports() -> dict[str, int]:
    graph = grimp.build_graph("bundler", cache_dir=None)
    return {module: len(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


def test_no_module_imports_more_than_15_of_ours(imports):
    assert len(imports) > 200
    allowed = {module: limit for module, (limit, _) in EXCEPTIONS.items()}
    worse = {module: count for module, count in imports.items() if count > allowed.get(module, LIMIT)}
    assert worse == {}


@pytest.mark.parametrize("module", EXCEPTIONS)
def test_an_exception_is_still_needed(imports, module):
    limit, reason = EXCEPTIONS[module]
    assert reason
    assert imports[module] > LIMIT, f"{module} imports {imports[module]}: remove it from the exceptions"
    assert limit > LIMIT
