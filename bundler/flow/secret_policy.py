"""Decides whether a bundle may embed a secret, and refuses one that leaks any other."""

from __future__ import annotations

from collections.abc import Iterable

from bundler.errors import PolicyError
from bundler.formats.secret_patterns import is_one_line
from bundler.model.tree import Tree
from bundler.pack import leaks


def require_allowed(embedded: str, secret: str, *, allowed: bool) -> None:
    """Raise PolicyError unless definition and command line agree on embedding, and ``secret`` is usable.

    ``embedded`` is the path in the bundle at which the definition wants it; empty where it embeds none.

    A rule of the definition requires encrypted outputs in that case.
    """
    if not embedded:
        if allowed:
            raise PolicyError(
                "--allow-embedded-secret was given, but the definition embeds no secret",
                do="omit the switch, or let the definition embed one (docs/definition.md)",
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
            "the secret to embed has several lines, or spaces around it",
            do="give only the secret, on one line without spaces around it",
        )


def refuse_leaks(embedded: str, trees: Iterable[Tree], secret: str) -> None:
    """Raise PolicyError for a tree with a secret in a file that is not meant to hold one."""
    meant = frozenset([embedded] if embedded else [])
    for tree in {tree.name: tree for tree in trees}.values():
        leaks.refuse(tree, known=(secret.strip(),), meant=meant)  # without the line end, which a leaked copy lacks
