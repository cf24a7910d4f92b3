"""Compares a script's runtime with those of the releases that are known (``bundler/data/runtimes.json``)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from bundler.formats import json_codec
from bundler.model.frozen import frozen
from bundler.model.script_runtime import UNRELEASED, KnownRuntime, ReleasedRuntime, ScriptRuntime


@frozen
class _Table:
    """``runtimes.json``."""

    note: str
    runtimes: tuple[ReleasedRuntime, ...]


@cache
def released() -> tuple[ReleasedRuntime, ...]:
    """The rows of this release and of those before it."""
    return json_codec.from_json(_Table, files("bundler.data").joinpath("runtimes.json").read_bytes()).runtimes


def with_rows(document: bytes, rows: Iterable[ReleasedRuntime]) -> bytes:
    """The table ``document`` with ``rows`` added; those of the same releases are replaced, others stay as they are."""
    table = json_codec.from_json(_Table, document)
    new = tuple(rows)
    kept = tuple(row for row in table.runtimes if row.release not in {one.release for one in new})
    return json_codec.to_json(_Table(note=table.note, runtimes=(*kept, *new)))


def known(
    runtime: ScriptRuntime, rows: Iterable[ReleasedRuntime], *, unreleased: Iterable[ScriptRuntime] = ()
) -> KnownRuntime:
    """The releases that ``runtime`` is of, by ``rows``.

    Args:
        runtime: as computed from a script's bytes. Digest, product, platform and script must all agree.
        rows: the releases'.
        unreleased: those of an installation that is between two releases.
    """
    releases = dict.fromkeys(row.release for row in rows if row.runtime == runtime)
    release = ", ".join(releases) or (UNRELEASED if runtime in unreleased else "")
    return KnownRuntime(
        product=runtime.product,
        platform=runtime.platform,
        script=runtime.script,
        digest=runtime.digest,
        release=release,
    )
