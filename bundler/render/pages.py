"""Renders HTML pages of one file, which run nothing and fetch nothing.

Jinja escapes every value, and invisible characters (control and format characters, which could reorder the text around
them: Unicode TR #36, section 2.5) are shown as their numbers. The style is inline, and the page's
Content-Security-Policy names its SHA-256 and allows nothing else (CSP Level 3, section 8.4).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bundler.render.escape_control import escape_control
from bundler.render.template_files import templates

_STYLE = "review/style.css"


def page(template: str, values: Mapping[str, object]) -> bytes:
    """Fill in ``template``, which extends ``review/base.html.j2``; the same values give the same bytes anywhere.

    ``policy`` and ``style`` are given to every template. Raises Jinja's own errors for a template that is wrong.
    """
    style, policy = _style()
    given = {**values, "style": style, "policy": policy}
    return _environment().get_template(template).render(given).encode()


def _shown(value: object) -> object:
    # Macros and blocks return markup: their values were escaped before.
    return escape_control(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(templates()),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
    )


@cache
def _style() -> tuple[str, str]:
    """The style sheet, and the Content-Security-Policy that allows it and nothing else."""
    style = (templates() / _STYLE).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return style, f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
