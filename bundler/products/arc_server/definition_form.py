"""What this product states about its definitions: their type, their rules, and the words that people write in them."""

from __future__ import annotations

from bundler.definition.definition_type import DefinitionType
from bundler.products.arc_server import rules
from bundler.products.arc_server.canonical import canonical
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.target_spellings import understood


def form() -> DefinitionType[Definition]:
    """The description by which a definition of this product is loaded."""
    return DefinitionType(Definition, rules.RULES, rules.SAMPLE, canonical, understood)
