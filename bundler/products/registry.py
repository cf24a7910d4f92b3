"""The products by name: the built-in ones, and those that other distributions bring as entry points.

An entry point is loaded only when its product is asked for: by a definition that names it, or for a bundle after its
seal was verified. A built-in product cannot be shadowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from bundler import __version__
from bundler.errors import UsageError
from bundler.products.product import AnyProduct, Product

GROUP = "arc_bundler.products"
"""Entry point group; an entry point's name is the product's."""
_OWN_CODES = 200
"""Exit codes from here up are arc-bundler's; those below are the installed software's own."""
DEFAULT = "arc-server"
"""The product of a definition that names none."""
TOOL = f"arc-bundler {__version__}"
"""What makes the bundles of a built-in product, as the manifest names it."""


def _arc_server() -> AnyProduct:
    from bundler.products.arc_server.product import ArcServer

    return ArcServer()


_BUILT_IN: Mapping[str, Callable[[], AnyProduct]] = {DEFAULT: _arc_server}
BUILT_IN = tuple(sorted(_BUILT_IN))


_loaded: set[str] = set()
"""The products of other distributions that this process has loaded."""


@dataclass(frozen=True)
class Installed:
    """One product that is installed; nothing of it is loaded."""

    name: str
    distribution: str
    """The distribution that brings it: ``arc-bundler`` for a built-in."""
    version: str
    fault: str = ""
    """Why it cannot be used; empty where nothing is known against it."""

    @property
    def release(self) -> str:
        """Distribution and version: ``arc-hello 1.0``."""
        return f"{self.distribution} {self.version}"

    @property
    def tool(self) -> str:
        """What makes its bundles: ``arc-bundler 0.2.0``, for a plug-in ``arc-bundler 0.2.0 + arc-hello 1.0``."""
        return TOOL if self.distribution == "arc-bundler" else f"{TOOL} + {self.release}"


class UnknownProduct(UsageError):
    """No installed distribution brings the product."""


class ProductFault(UsageError):
    """A distribution brings a product that cannot be used."""


def installed() -> tuple[Installed, ...]:
    """What is installed, built-in products first, then by name; loads none of it."""
    found = [Installed(name, "arc-bundler", __version__) for name in _BUILT_IN]
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, _distribution(point)))
    brought = [point.name for point in points]
    for point in points:
        fault = ""
        if point.name in _BUILT_IN:
            fault = "its name is that of a built-in product: it is never used"
        elif brought.count(point.name) > 1:
            fault = "its name is taken by another distribution"
        found.append(Installed(point.name, *_distribution(point), fault))
    return tuple(found)


def names() -> tuple[str, ...]:
    """The names of all products that a definition can ask for."""
    return tuple(dict.fromkeys((*_BUILT_IN, *(point.name for point in entry_points(group=GROUP)))))


def find(name: str) -> Installed:
    """Who brings the product called ``name``; nothing is loaded.

    Raises:
        UnknownProduct: No installed distribution does.
        ProductFault: More than one does.
    """
    if name in _BUILT_IN:
        return Installed(name, "arc-bundler", __version__)
    return Installed(name, *_distribution(_point(name)))


def loaded(name: str) -> AnyProduct | None:
    """The product called ``name``, if it is built in or :func:`get` has loaded it; loads no other distribution."""
    return get(name) if name in _BUILT_IN or name in _loaded else None


@cache
def get(name: str) -> AnyProduct:
    """The product called ``name``, loaded.

    Raises:
        UnknownProduct: No installed distribution brings it.
        ProductFault: It cannot be loaded, has another name than its entry point, or is not a product; the message
            names the distribution.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    point = _point(name)
    try:
        found = point.load()
    except Exception as error:  # whatever the plug-in's import runs into
        raise _fault(point, f"raises {type(error).__name__} when it is loaded: {error}") from error
    if Product not in type(found).__mro__:  # isinstance would ask for every attribute, and load what they load
        raise _fault(point, f"is {type(found).__name__}, not an instance of a subclass of Product")
    if getattr(found, "name", "") != name:
        raise _fault(point, f"calls itself {getattr(found, 'name', '')!r}")
    _require_codes(point, found)
    _loaded.add(name)
    return cast("AnyProduct", found)


def _require_codes(point: EntryPoint, found: AnyProduct) -> None:
    """Raise ProductFault where a number from 200 up has another meaning than in a built-in product's table."""
    meanings = {code.number: code.meaning for name in BUILT_IN for code in get(name).exit_codes}
    for code in found.exit_codes:
        if code.number >= _OWN_CODES and meanings.get(code.number, code.meaning) != code.meaning:
            raise _fault(point, f"gives exit code {code.number} another meaning: {meanings[code.number]!r} is taken")


def _point(name: str) -> EntryPoint:
    points = list(entry_points(group=GROUP, name=name))
    if not points:
        raise UnknownProduct(
            f"no installed product is called {name!r}",
            details=[f"installed: {', '.join(names())}"],
            do="install the distribution that brings it, or correct the name",
        )
    if len(points) > 1:
        who = " and ".join(" ".join(_distribution(point)) for point in points)
        raise ProductFault(f"the product {name!r} is brought by {who}", do="uninstall one of them")
    return points[0]


def _distribution(point: EntryPoint) -> tuple[str, str]:
    about = point.dist
    return (about.name, about.version) if about else ("an unknown distribution", "")


def _fault(point: EntryPoint, why: str) -> ProductFault:
    distribution, version = _distribution(point)
    return ProductFault(
        f"the product {point.name!r} of {distribution} {version} cannot be used: it {why}",
        details=[f"entry point: {point.value}"],
        do=f"uninstall {distribution}, or install a version of it that fits {TOOL}",
    )
