"""The questions that ``init`` asks for a product, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

TARGETS = "targets"
"""The key of the question about operating systems: its answer is targets with commas, and ``--target`` its option."""


@dataclass(frozen=True)
class Choice:
    """One answer to a question that has a few."""

    word: str
    meaning: str


def _always(_: Mapping[str, str]) -> bool:
    return True


@dataclass(frozen=True)
class Question:
    """One value that ``init`` asks for."""

    key: str
    """As the product's ``starter`` takes it; the option is called by it."""
    prompt: str
    lab_answer: str
    """Stands for it in a lab, which connects to nothing."""
    asked: bool = True
    """False: an option alone, since there is a sensible default."""
    paths: tuple[str, ...] = ()
    """Where the definition holds the answer: what its rules say about these is said of the answer at once. A path
    stands for all below it; with ``=`` in front, for itself."""
    choices: tuple[Choice, ...] = ()
    default: str = ""
    """The answer where a person enters none, and no option gives one."""
    help: str = ""
    """Of its option; empty: the prompt."""
    optional: bool = False
    """Whether no answer is an answer."""
    when: Callable[[Mapping[str, str]], bool] = _always
    """Whether it goes with the answers so far, by key; an empty one was not given."""

    @property
    def option(self) -> str:
        """Its option on the command line."""
        return "--target" if self.key == TARGETS else f"--{self.key.replace('_', '-')}"
