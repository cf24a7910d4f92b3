"""What is different between two bundles, manifests or locks: a value for every surface that tells it."""

from __future__ import annotations

from typing import Literal, get_args

from bundler.model.frozen import frozen

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
"""What a change is about, in the order in which a reviewer is told."""

TOPICS: tuple[Topic, ...] = get_args(Topic)
"""Whom one must believe comes first, then what the servers get, then what follows from that."""

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
"""What a change means for whoever must approve it.

``other-root``: it ends in another pinned root; ``other-publisher``: the same root, another subject; ``other-key``:
another pinned OpenPGP key; ``new-leaf``: the same root and subject with a new certificate, as publishers do every year;
``new-path``: the same certificate by other intermediates; ``new-signer`` and ``lost-signer``: a reason to believe came
or went; ``other-anchors``: packages were judged by another choice of whom to believe; ``other-sealer``: somebody else
seals; ``other-certificate``: the same sealer or approver with another certificate; ``newer`` and ``older``: a version,
serial or time went on or back; ``other-bytes``: the same version with another content; ``weaker`` and ``stronger``:
less or more is checked.
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
    """One of the two that are compared."""

    kind: Kind
    name: str
    version: str
    digest: str
    """A bundle's digest (SHA-256 of its SHA256SUMS); of a manifest or lock the SHA-256 of the document."""
    lab: bool = False
    """True for a lab bundle; a lock does not say."""
    unknown_runtimes: tuple[str, ...] = ()
    """Scripts whose runtime is of no release known here; of a bundle by their bytes, of a manifest as it names them."""


@frozen
class Change:
    """One difference."""

    topic: Topic
    what: What
    subject: str
    """What it is a difference of: a package's place, a file's path, a parameter, an address, a switch."""
    field: str = ""
    """Which of its properties; empty where the subject itself came, went or changed."""
    was: tuple[str, ...] = ()
    """The value before, a line each; empty where there was none, or where the subject says it all."""
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
    """Why its lines are not shown: it is no text in UTF-8 or UTF-16 or larger than is held; it has too many lines; it
    holds the secret that the definition embeds."""

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
    """The texts of what runs or is read on a server, by path; of two bundles alone."""
    not_compared: tuple[str, ...] = ()
    """What one of the two cannot tell, so that nothing about it is said: sentences."""

    @property
    def different(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.changes or self.scripts)
