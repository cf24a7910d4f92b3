"""The fields that definitions of every product share: name, version, outputs, seal, approval and upstream.

The attribute docstrings become the descriptions in the JSON Schema. No field can hold a secret.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from typing import Annotated, Any, Literal, Protocol

from annotated_types import Ge, Le, MinLen

from bundler.definition import naming
from bundler.formats import json_codec
from bundler.model.frozen import frozen


@frozen
class Output:
    """One way to wrap the bundle."""

    format: Literal["directory", "zip", "tar.gz", "7z"]
    """Container."""
    archives: Literal["together", "per-platform"] = "together"
    """One archive for all targets, or one for each platform."""
    encrypted: bool = False
    """AES-256 with encrypted names, 7z alone; the password comes from the command line's environment."""


@frozen
class SealRules:
    """Who may seal the bundle, and how long it may be used."""

    signers: tuple[Annotated[str, MinLen(1)], ...] = ()
    """Fingerprints of the certificates that may seal: sha256: and 64 hex digits. With any, a build needs the key
    of one of them, and verify --definition trusts them."""
    valid_days: Annotated[int, Ge(1), Le(3650)] | None = None
    """Days after the lock was taken that servers take the bundle; left out: no end."""


@frozen
class Approver:
    """A person who may approve."""

    name: Annotated[str, MinLen(1)]
    """As people call them."""
    certificate: Annotated[str, MinLen(1)]
    """PEM or DER file of their certificate, from the definition's folder."""


@frozen
class ApprovalRules:
    """The approvals that a server demands besides the seal."""

    required: Annotated[int, Ge(1)]
    """How many of the approvers must have signed."""
    approvers: Annotated[tuple[Approver, ...], MinLen(1)]
    """Who they are."""


@frozen
class GivenFile:
    """A file that the admin gives to a product that takes one."""

    path: str
    """A file, from the definition's folder."""
    sha256: str = ""
    """Its SHA-256 in lower-case hex, from its publisher."""
    accept_unsigned: bool = False
    """true accepts it without a signature, by its SHA-256 alone."""


@frozen
class Upstream:
    """Where packages come from, for products that need no more than this."""

    ca: str = ""
    """PEM file of a private certificate authority for these addresses, from the definition's folder."""
    anchors: str = ""
    """File of the anchors of a mirror's own signatures (PEM, OpenPGP or JSON), from the definition's folder."""


class UpstreamFields(Protocol):
    """What every product's ``upstream`` has."""

    @property
    def ca(self) -> str:
        """As :attr:`Upstream.ca`."""

    @property
    def anchors(self) -> str:
        """As :attr:`Upstream.anchors`."""


class Definition(Protocol):
    """What the generic rooms read of a definition, whatever its product."""

    @property
    def product(self) -> str:
        """The product's name."""

    @property
    def name(self) -> str:
        """The bundle's name; a folder is called by it."""

    @property
    def version(self) -> str:
        """The bundle's version, a pattern as :func:`bundler.definition.naming.version` fills it in."""

    @property
    def upstream(self) -> UpstreamFields:
        """Where packages come from."""

    @property
    def outputs(self) -> tuple[Output, ...]:
        """How the bundle is wrapped."""

    @property
    def seal(self) -> SealRules:
        """Who seals it."""

    @property
    def approval(self) -> ApprovalRules | None:
        """The approvals that it needs."""


def digest(definition: Definition) -> str:
    """SHA-256 over the meaning: neither comments, nor order of keys, nor defaults written out change it."""
    return _digest(json_codec.to_tree(definition))


def field_digests(definition: Definition) -> Mapping[str, str]:
    """SHA-256 of each field that is not at its default, by dotted name: ``tags.Owner``, ``agent.version``, ``targets``.

    Digests rather than values: a lock repeats nothing that a definition says. Without defaults, so that a field that a
    newer release adds does not count as changed.
    """
    return dict(sorted(_leaves("", definition, json_codec.to_tree(definition))))


def changed_fields(was: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the fields that differ between two results of :func:`field_digests`."""
    return tuple(sorted(name for name in {*was, *now} if was.get(name) != now.get(name)))


def _leaves(name: str, value: Any, tree: Any) -> Iterator[tuple[str, str]]:
    """The fields below ``value``; ``tree`` is its plain data. A list is one field, a key of a mapping each."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            inner = getattr(value, field.name)
            if inner != _default(field):
                path = f"{name}.{field.name}".lstrip(".")
                # A part that is there with nothing in it is not the same as one that is not there.
                yield from list(_leaves(path, inner, tree[field.name])) or [(path, _digest({}))]
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner, tree[key])
    else:
        yield name, _digest(tree)


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _digest(tree: object) -> str:
    canonical = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def version(definition: Definition, today: date, env: Mapping[str, str], package_versions: Iterable[str]) -> str:
    """The bundle's version, filled in; ``package_versions`` are the packages' own.

    Raises as :func:`bundler.definition.naming.version`.
    """
    return naming.version(definition.version, today, env, package_versions)
