"""Decides whether a bundle may embed a secret, and refuses one that leaks any other."""

from __future__ import annotations

from collections.abc import Iterable

from bundler.errors import PolicyError
from bundler.formats.secret_patterns import is_one_line
from bundler.model.tree import Tree
from bundler.pack import leaks
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.parameters import EMBEDDED_SECRET


def require_allowed(definition: Definition, secret: str, *, allowed: bool) -> None:
    """Raise PolicyError unless definition and command line agree on embedding, and ``secret`` is usable.

    A rule of the definition requires encrypted outputs in that case.
    """
    if not definition.authentication.embeds:
        if allowed:
            raise PolicyError(
                "--allow-embedded-secret was given, but the definition embeds no secret",
                do="omit the switch, or set `secret: embedded` in `authentication:`",
            )
        return
    if not allowed:
        raise PolicyError(
            "the definition embeds the secret, but the command line does not allow it",
            do="send it in an envelope instead (`arc-bundler seal-secret`), or add `--allow-embedded-secret`",
        )
    if not secret:
        raise PolicyError(
            "the definition embeds the secret, but none was given",
            do="give it with `--secret-file FILE` or in ARC_BUNDLER_SECRET",
        )
    if not is_one_line(secret):
        raise PolicyError(
            "the secret to embed has several lines, or blanks around it",
            do="give the secret alone: a server would read this as another one",
        )


def refuse_leaks(definition: Definition, trees: Iterable[Tree], secret: str) -> None:
    """Raise PolicyError for a tree with a secret in a file that is not meant to hold one."""
    meant = frozenset([EMBEDDED_SECRET] if definition.authentication.embeds else [])
    for tree in {tree.name: tree for tree in trees}.values():
        leaks.refuse(tree, known=(secret.strip(),), meant=meant)  # without the line end, which a leaked copy lacks
