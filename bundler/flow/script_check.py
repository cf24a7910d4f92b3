"""Checks the scripts of a bundle after its hashes and its seal: their runtimes, and their headers.

1. Every script has exactly one runtime. Its digest is computed from its bytes, and the manifest names the same.
2. Where this very release made the bundle, it makes the scripts again from the manifest and the settings, and compares.
   Between two releases it is the same release where the templates of the headers are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bundler.errors import BundlerError, VerificationError
from bundler.flow import runtimes
from bundler.flow.diff import textdiff
from bundler.flow.spool import SETTINGS
from bundler.formats import script_runtime
from bundler.formats.script_runtime import Script
from bundler.model.manifest import Manifest
from bundler.model.script_runtime import KnownRuntime, ScriptRuntime
from bundler.model.tree import Entry
from bundler.products import registry

_SHOWN = 20
"""Lines that an error shows of all scripts that differ."""

_LINE_END = "\r\n"

Content = Callable[[str], bytes]
"""Gives the bytes of a file of the bundle, after its hash was verified."""


@dataclass(frozen=True)
class CheckedScripts:
    """Scripts that hold."""

    runtimes: tuple[KnownRuntime, ...]
    """By script."""
    rendered_by: str = ""
    """The release that made the headers again and found them the same; empty where another release made the bundle."""


def check(manifest: Manifest, content: Content) -> CheckedScripts:
    """Check every script of the bundle that ``manifest`` describes.

    Raises:
        VerificationError: as :func:`bundler.formats.script_runtime.read`; ``other-runtime-stated`` where the manifest
            names other runtimes than the scripts have; ``other-scripts`` where this release made the bundle, and makes
            other scripts, with the lines that differ.
    """
    paths = [entry.path for entry in manifest.files if script_runtime.is_script(entry.path)]
    scripts = {
        path: script_runtime.read(_bounded(manifest, path, content), path, product=manifest.product) for path in paths
    }
    found = _runtimes(scripts.values())
    if found != manifest.runtimes:
        raise VerificationError(
            "the manifest names other runtimes than the scripts have",
            reason="other-runtime-stated",
            details=[
                *(f"stated:   {one.script} {one.digest}" for one in manifest.runtimes),
                *(f"computed: {one.script} {one.digest}" for one in found),
            ],
            do="do not use the bundle; ask who built it",
        )
    known = runtimes.known(found)
    if not _made_here(manifest):
        return CheckedScripts(known)
    _require_same(manifest, scripts, content)
    return CheckedScripts(known, manifest.tool)


def stated(entries: Iterable[Entry], product: str) -> tuple[ScriptRuntime, ...]:
    """The runtimes of the scripts among ``entries``, as the manifest of their bundle names them."""
    return _runtimes(
        script_runtime.read(entry.content, entry.path, product=product)
        for entry in entries
        if isinstance(entry.content, bytes) and script_runtime.is_script(entry.path)
    )


def _runtimes(scripts: Iterable[Script]) -> tuple[ScriptRuntime, ...]:
    found = (
        ScriptRuntime(product=one.product, platform=one.platform, script=one.name, digest=one.digest) for one in scripts
    )
    return tuple(sorted(found, key=lambda one: one.script))


def _bounded(manifest: Manifest, path: str, content: Content) -> bytes:
    """The bytes of a script or of its settings, which are held in memory."""
    if any(one.path == path and one.size > script_runtime.MAX_SIZE for one in manifest.files):
        raise VerificationError(f"{path} is larger than {script_runtime.MAX_SIZE >> 20} MiB", reason="too-large")
    return content(path)


def _made_here(manifest: Manifest) -> bool:
    """Whether this very release made the bundle."""
    scripts = runtimes.scripts_of(manifest.product)
    if scripts is None or manifest.tool != registry.find(manifest.product).tool:
        return False
    return runtimes.is_release(manifest.product) or manifest.header_templates == scripts.header_templates()


def _require_same(manifest: Manifest, scripts: Mapping[str, Script], content: Content) -> None:
    """Refuse scripts that this release makes otherwise."""
    rendered = _rendered(manifest, content)
    lines = [line for name in sorted({*rendered, *scripts}) for line in _differing(name, rendered, scripts)]
    if lines:
        more = len(lines) - _SHOWN
        raise VerificationError(
            f"the scripts are not as {manifest.tool} renders them",
            reason="other-scripts",
            details=[*lines[:_SHOWN], *([f"... and {more} more lines"] if more > 0 else [])],
            do="do not run them; ask who built the bundle, and compare with another copy of it",
        )


def _rendered(manifest: Manifest, content: Content) -> Mapping[str, bytes]:
    scripts = runtimes.scripts_of(manifest.product)
    if scripts is None:
        return {}
    try:
        return scripts.rendered(manifest, _bounded(manifest, SETTINGS, content))
    except VerificationError:
        raise
    except (BundlerError, LookupError, ValueError, StopIteration) as error:
        raise VerificationError(
            f"no scripts can be rendered from {SETTINGS}: {error}",
            reason="malformed-settings",
            do="do not use the bundle; ask who built it",
        ) from error


def _differing(name: str, rendered: Mapping[str, bytes], scripts: Mapping[str, Script]) -> Iterator[str]:
    """The lines of one script that were added (+) or are missing (-), each with its number."""
    if name not in scripts or name not in rendered:
        yield f"{name}: {'is missing' if name in rendered else 'is a script that this release does not make'}"
        return
    made = script_runtime.read(rendered[name], name, product=scripts[name].product)
    # Between two releases the runtime may be another day's, which the report's first line says.
    whole = runtimes.is_release(made.product) or made.digest == scripts[name].digest
    was, now = (one.content if whole else one.header for one in (made, scripts[name]))
    left, right = (textdiff.split(text.decode("ascii")) for text in (was, now))
    if len(right) > textdiff.MAX_LINES:
        yield f"{name}: has more than {textdiff.MAX_LINES} lines"
        return
    for hunk in textdiff.hunks(left, right):
        before, after = hunk.was_start, hunk.now_start
        for line in hunk.lines:
            if line.sign != " ":
                yield f"{name}, line {after if line.sign == '+' else before}: {line.sign}{line.text.rstrip(_LINE_END)}"
            before += line.sign != "+"
            after += line.sign != "-"
