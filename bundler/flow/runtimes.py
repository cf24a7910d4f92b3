"""Names the runtimes of a bundle's scripts: those of this installation, and those of the releases that it knows.

The one place where flow reaches a product's scripts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from bundler import __version__
from bundler.errors import UsageError
from bundler.formats import script_runtime
from bundler.integrity import released_runtimes
from bundler.model.script_runtime import UNKNOWN, KnownRuntime, ReleasedRuntime, ScriptRuntime
from bundler.products import registry
from bundler.products.product_scripts import ProductScripts
from bundler.render import runtime
from bundler.render.template_files import line_end

TOOL: Final = registry.TOOL
"""Who makes bundles here, as the manifest names it."""

_BETWEEN: Final = ".dev0"
IS_RELEASE: Final = not __version__.endswith(_BETWEEN)
"""False between two releases, when the same version may make different scripts from day to day."""


def scripts_of(product: str) -> ProductScripts | None:
    """The scripts of ``product``; None for one that is neither built in nor loaded."""
    found = registry.loaded(product)
    return found.scripts if found else None


def products() -> tuple[str, ...]:
    """The built-in products, by name."""
    return registry.BUILT_IN


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """The products of these ``names``; all where there is none. Raises UsageError for one that is not installed."""
    wanted = tuple(dict.fromkeys(names)) or products()
    for name in wanted:
        if scripts_of(name) is None:
            raise UsageError(f"no installed product is called {name!r}", do=f"name one of: {', '.join(products())}")
    return wanted


def digest(content: bytes) -> str:
    """The digest of a joined runtime."""
    return runtime.digest(content)


def joined(product: str) -> Mapping[str, bytes]:
    """The runtimes that this installation gives the scripts of ``product``, by the script's name; sorted.

    Nothing for a product that is neither built in nor loaded yet.
    """
    return _joined(product) if scripts_of(product) else {}


@cache
def _joined(product: str) -> Mapping[str, bytes]:
    scripts = scripts_of(product)
    found = scripts.parts() if scripts else {}
    return {name: runtime.runtime(found[name], line_end(name)) for name in sorted(found)}


def installed(product: str) -> tuple[ScriptRuntime, ...]:
    """As :func:`joined`, by their digests."""
    return tuple(
        ScriptRuntime(
            product=product,
            platform=script_runtime.platform(name) or "",
            script=name,
            digest=runtime.digest(content),
        )
        for name, content in joined(product).items()
    )


def is_release(product: str) -> bool:
    """Whether arc-bundler and the distribution of ``product``, which is loaded, are both released versions."""
    return IS_RELEASE and not registry.find(product).version.endswith(_BETWEEN)


def rows(product: str) -> tuple[ReleasedRuntime, ...]:
    """The runtimes of every release that is known here."""
    scripts = scripts_of(product)
    return (*released_runtimes.released(), *(scripts.RELEASED if scripts else ()))


def known(found: Iterable[ScriptRuntime]) -> tuple[KnownRuntime, ...]:
    """Each of ``found`` with the releases that it is of."""
    named = []
    for one in found:
        here = scripts_of(one.product) is not None and not is_release(one.product)
        unreleased = installed(one.product) if here else ()
        named.append(released_runtimes.known(one, rows(one.product), unreleased=unreleased))
    return tuple(named)


def computed() -> tuple[ReleasedRuntime, ...]:
    """The rows of this installation's built-in products, as a release writes them into ``data/runtimes.json``."""
    return tuple(
        ReleasedRuntime(release=TOOL, product=one.product, platform=one.platform, script=one.script, digest=one.digest)
        for product in products()
        for one in installed(product)
    )


def unknown(found: Iterable[KnownRuntime]) -> str:
    """The sentence that a report begins with where a runtime is of no known release; empty where all are known."""
    names = [one.script for one in found if not one.release]
    return f"{UNKNOWN}: {', '.join(names)}" if names else ""
