"""Is a receipt what its schema says? For every test that makes a script write one."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import jsonschema


@cache
def validator() -> jsonschema.Draft202012Validator:
    """The schema, itself found to be one."""
    schema = json.loads((files("bundler.data.arc_server") / "receipt.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def problems(receipt: object) -> list[str]:
    """All that is wrong with ``receipt``, each with its place; empty where nothing is."""
    return [f"{error.json_path}: {error.message}" for error in validator().iter_errors(receipt)]
