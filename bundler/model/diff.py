"""The difference between two bundles, manifests or locks, for every output format."""

from __future__ import annotations

from typing import Literal, get_args

from bundler.model.frozen import frozen
from bundler.model.script_runtime import KnownRuntime

DIFF_SCHEMA = "arc-bundler/diff/1"

Kind = Literal["bundle", "manifest", "lock"]

Topic = Literal[
    "signers",
    "anchors",
    "weakened",
    "seal",
    "approval",
    "runtimes",
    "bundle",
    "packages",
    "targets",
    "parameters",
    "endpoints",
    "steps",
    "sources",
    "evidence",
    "files",
    "records",
]
"""What a change is about, in the order in which a reviewer reads."""

TOPICS: tuple[Topic, ...] = get_args(Topic)
"""Who is trusted comes first, then what the servers get, then what follows from that."""

What = Literal["added", "removed", "changed"]

Meaning = Literal[
    "",
    "other-root",
    "other-publisher",
    "other-key",
    "new-leaf",
    "new-path",
    "new-signer",
    "lost-signer",
    "other-anchors",
    "other-sealer",
    "other-certificate",
    "newer",
    "older",
    "other-bytes",
    "weaker",
    "stronger",
]
"""What a change means for its approver.

``other-root``: it ends in another pinned root; ``other-publisher``: the same root, another subject; ``other-key``:
another pinned OpenPGP key; ``new-leaf``: the same root and subject with a new certificate, as publishers do every year;
``new-path``: the same certificate with other intermediates; ``new-signer`` and ``lost-signer``: a signature was added
or removed; ``other-anchors``: packages were verified with other trust anchors; ``other-sealer``: another signer of the
bundle; ``other-certificate``: the same signer or approver with another certificate; ``newer`` and ``older``: a version,
serial or time increased or decreased; ``other-bytes``: the same version with another content; ``weaker`` and
``stronger``: less or more is checked.
"""

ALARMING: frozenset[Meaning] = frozenset(
    [
        "other-root",
        "other-publisher",
        "other-key",
        "lost-signer",
        "other-anchors",
        "other-sealer",
        "older",
        "other-bytes",
        "weaker",
    ]
)
"""Meanings that an ordinary update does not have."""


@frozen
class Side:
    """One of the two compared."""

    kind: Kind
    name: str
    version: str
    digest: str
    """A bundle's digest (SHA-256 of its SHA256SUMS); of a manifest or lock the SHA-256 of the document."""
    lab: bool = False
    """True for a lab bundle; a lock does not state it."""
    unknown_runtimes: tuple[str, ...] = ()
    """Scripts with a runtime of no known release: computed for a bundle, as stated for a manifest."""
    runtimes: tuple[KnownRuntime, ...] = ()
    """Every runtime that can be read, with its release; computed or stated likewise. A lock states none."""


@frozen
class Change:
    """One difference."""

    topic: Topic
    what: What
    subject: str
    """What changed: a package's folder, a file's path, a parameter, an address, a switch."""
    field: str = ""
    """The changed property; empty where the subject itself was added, removed or changed."""
    was: tuple[str, ...] = ()
    """The value before, as lines; empty where there was none, or where the subject says everything."""
    now: tuple[str, ...] = ()
    meaning: Meaning = ""

    @property
    def alarming(self) -> bool:
        """Whether an ordinary update does not have it."""
        return self.meaning in ALARMING


@frozen
class Line:
    """One line of a text's difference."""

    sign: Literal[" ", "-", "+"]
    text: str
    ended: bool = True
    """False for a last line that has no line end."""


@frozen
class Hunk:
    """Lines that differ, with those around them; numbers count from 1, or are 0 for none, as in a unified diff."""

    was_start: int
    was_count: int
    now_start: int
    now_count: int
    lines: tuple[Line, ...]


@frozen
class TextChange:
    """How a script's text differs."""

    path: str
    what: What
    hunks: tuple[Hunk, ...] = ()
    withheld: Literal["", "no-text", "too-long", "secret"] = ""
    """Why its lines are not shown: it is not text in UTF-8 or UTF-16, or too large; it has too many lines; it contains
    the secret that the definition embeds."""

    def count(self, sign: Literal["-", "+"]) -> int:
        """How many lines were removed, or added."""
        return sum(line.sign == sign for hunk in self.hunks for line in hunk.lines)


@frozen
class Diff:
    """How ``now`` differs from ``was``, most important things first."""

    schema: str = DIFF_SCHEMA
    was: Side
    now: Side
    changes: tuple[Change, ...]
    """By topic, in the order of :data:`TOPICS`; then by subject."""
    scripts: tuple[TextChange, ...] = ()
    """The files that run or are read on a server, by path; only of two bundles."""
    not_compared: tuple[str, ...] = ()
    """What was not compared because one of the two does not have it: sentences."""

    @property
    def different(self) -> bool:
        """Whether anything differs."""
        return bool(self.changes or self.scripts)
