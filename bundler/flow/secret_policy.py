"""May the bundle that is being built hold a secret, and does it hold none but that?"""

from __future__ import annotations

from collections.abc import Iterable

from bundler.errors import PolicyError
from bundler.formats.secret_patterns import is_one_line
from bundler.model.tree import Tree
from bundler.pack import leaks
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.parameters import EMBEDDED_SECRET


def require_allowed(definition: Definition, secret: str, *, allowed: bool) -> None:
    """Refuse to embed a secret unless definition and command both say so. Raises :class:`PolicyError`.

    That every output is encrypted is the definition's own rule.
    """
    if not definition.authentication.embeds:
        if allowed:
            raise PolicyError(
                "--allow-embedded-secret was given, and the definition embeds none",
                do="leave the switch out; or say `secret: embedded` below `authentication:`",
            )
        return
    if not allowed:
        raise PolicyError(
            "the definition embeds the secret, and the command does not allow it",
            do="send it in an envelope instead (`arc-bundler seal-secret`); or add `--allow-embedded-secret`",
        )
    if not secret:
        raise PolicyError(
            "the definition embeds the secret, and none was given",
            do="give it with `--secret-file FILE`, or in ARC_BUNDLER_SECRET",
        )
    if not is_one_line(secret):
        raise PolicyError(
            "the secret to embed is more than one line of text, or has blanks around it",
            do="give the secret alone: what a server would read of this is another",
        )


def refuse_leaks(definition: Definition, trees: Iterable[Tree], secret: str) -> None:
    """Refuse trees with a secret in any place but the one that is meant. Raises :class:`PolicyError`."""
    meant = frozenset([EMBEDDED_SECRET] if definition.authentication.embeds else [])
    for tree in {tree.name: tree for tree in trees}.values():
        leaks.refuse(tree, known=(secret.strip(),), meant=meant)  # a line's end is not in what it leaked into
