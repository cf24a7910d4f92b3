"""Finds the packages that the words of ``lock --upgrade`` name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bundler.definition.naming import suggest
from bundler.errors import UsageError
from bundler.model.artifact import Artifact


def named(words: Iterable[str], artifacts: Sequence[Artifact]) -> frozenset[Artifact]:
    """The artifacts that ``words`` name; without a word all of them.

    A word is a target (``ubuntu/22.04/x64``), a package's place (``ubuntu/22.04/amd64``) or the beginning of either, up
    to a slash (``windows``, ``ubuntu``).

    Raises:
        UsageError: a word that names nothing in the definition; it is not repeated, because it may be a secret.

    """
    given = [word.strip().strip("/").casefold() for word in words]
    if not given:
        return frozenset(artifacts)
    found: set[Artifact] = set()
    for word in given:
        matching = [one for one in artifacts if any(_begins(name, word) for name in _names(one))]
        if not matching:
            known = sorted({str(target) for one in artifacts for target in one.targets})
            raise UsageError(
                f"a word after --upgrade is no target of the definition{suggest(word, known)}",
                details=[f"its targets: {', '.join(known)}"],
                do="name one of these, or none to upgrade all",
            )
        found.update(matching)
    return frozenset(found)


def _names(artifact: Artifact) -> Iterable[str]:
    return (artifact.place, *map(str, artifact.targets))


def _begins(name: str, word: str) -> bool:
    return bool(word) and f"{name}/".casefold().startswith(f"{word}/")
