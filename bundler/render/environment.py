"""Renders the templates of scripts and texts; no unquoted value gets into a result.

Rendering is pure: the same template and values give the same bytes anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bundler.render import quoting
from bundler.render.escape_control import escape_control
from bundler.render.template_files import line_end, templates

# The filters of a template, by its language, which its name gives: it cannot quote for another one.
_LANGUAGES: dict[str, dict[str, Callable[..., Any]]] = {
    ".sh": {"quote": quoting.bash, "value": quoting.bash_value, "row": quoting.bash_row},
    ".ps1": {
        "printable": escape_control,
        "quote": quoting.powershell,
        "list": quoting.powershell_list,
        "folded": quoting.powershell_folded,
        "folded_list": quoting.powershell_list_folded,
        "flag": quoting.powershell_flag,
    },
    ".txt": {"quote": quoting.text},
}


class UnquotedValue(TypeError):
    """A template outputs a value without a quoting filter: an error in the template."""


def _only_quoted(value: object) -> object:
    """Let through quoted text and whole numbers, which mean the same in every language."""
    if isinstance(value, quoting.Quoted) or type(value) is int:
        return value
    raise UnquotedValue(f"a template outputs a {type(value).__name__} without a quoting filter")


@cache
def _environment(language: str, root: Path | None) -> Environment:
    # Autoescaping is HTML's; here every value is escaped by its language's own filter, and _only_quoted sees to it.
    environment = Environment(
        loader=FileSystemLoader([*([root / "templates"] if root else []), templates()]),
        undefined=StrictUndefined,
        finalize=_only_quoted,
        # "{#" is the length of a variable in bash.
        comment_start_string="{*",
        comment_end_string="*}",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701
    )
    environment.filters.update(_LANGUAGES[language])
    return environment


def render(template: str, values: Mapping[str, object], root: Path | None = None) -> bytes:
    """Fill in ``template``, named from the templates' folder with ``/`` (``arc-server/linux/install.sh.j2``).

    ``root`` is the folder that holds a plug-in's own ``templates``, which are looked for first.
    The name's ending before ``.j2`` (``.sh``, ``.ps1``, ``.txt``) chooses the quoting and the line ends.
    Raises :class:`UnquotedValue`, :class:`bundler.render.quoting.QuotingError`, or Jinja's own errors
    for a template that is wrong (a missing value among them).
    """
    language = Path(template.removesuffix(".j2")).suffix
    rendered = _environment(language, root).get_template(template).render(dict(values))
    encoding = "utf-8" if language == ".txt" else "ascii"
    return rendered.replace("\n", line_end(template.removesuffix(".j2"))).encode(encoding)
