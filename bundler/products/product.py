"""The interface of a product: values in, values out. It never sees the store, the build's job or the file system.

A built-in product is a module below this folder; a plug-in is a distribution with an entry point in the group
``arc_bundler.products`` that names an instance of a subclass of :class:`Product`. The methods with a body are what a
small product can leave as it is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

from bundler.definition import common
from bundler.definition.definition_type import DefinitionType
from bundler.definition.rules import Finding, Path
from bundler.model.artifact import ArchiveRules, Artifact, PackageKind
from bundler.model.evidence import PackageFacts
from bundler.model.lock import Pin
from bundler.model.manifest import Manifest
from bundler.model.network_requirement import NetworkRequirement, NetworkRequirements
from bundler.model.review import Labelled, ReviewFinding
from bundler.model.script_action import ScriptActions
from bundler.model.seal import SealPolicy, Signer
from bundler.model.target import Support, Target
from bundler.model.tree import Entry
from bundler.products.product_scripts import ProductScripts as ProductScripts  # noqa: PLC0414  # for products
from bundler.products.question import Question

_D = TypeVar("_D", bound=common.Definition)
_A = TypeVar("_A")

SecretKind = Literal["secret", "token", "certificate"]
"""A password, a short-lived token, or a certificate with its key (PKCS #12 or PEM)."""

LARGEST_PACKAGE = 1_000_000_000
"""Bytes: the limit of a product that states none."""


@dataclass(frozen=True)
class SideFile:
    """A file that a definition names, beside it, and that the product reads."""

    path: Path
    """Where the definition names it."""
    name: str
    """As the definition names it."""
    largest: int
    """Bytes; a larger file is cut off one byte behind this."""


@dataclass(frozen=True)
class BundlePart(Generic[_D, _A]):
    """All that the product's content of one bundle follows from."""

    definition: _D
    attachments: _A
    """What :meth:`Product.attach` made of the side files."""
    pins: tuple[Pin, ...]
    """The packages of this part of the lock."""
    name: str
    version: str
    """The bundle's, filled in."""
    tool: str
    """What makes it, as the scripts' marker line names it: ``arc-bundler 0.2.0 + arc-hello 1.0``."""
    lab: bool
    seal_policy: SealPolicy
    scripts_signed_by: Signer | None = None
    """Signs the PowerShell scripts after they are made."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Further files by path that the scripts verify: the packages' OpenPGP keys."""


@dataclass(frozen=True)
class Contents:
    """What the product puts into one bundle, and what the manifest says of it."""

    entries: tuple[Entry, ...]
    """Scripts, settings and further files, :attr:`BundlePart.files` among them."""
    parameters: Mapping[str, str]
    """What the scripts have baked in, by dotted name; never a secret."""
    unusual: tuple[str, ...] = ()
    """What a reviewer looks at twice, each a predicate of "the bundle"."""
    network_requirements: tuple[NetworkRequirement, ...] = ()
    support: tuple[Support, ...] = ()


@dataclass(frozen=True)
class PlannedFile:
    """A file that the product will render, for ``plan``."""

    path: str
    reason: str


@dataclass(frozen=True)
class ReviewFacts:
    """What the product adds to the review page of one of its bundles."""

    vendor: str
    """Who makes the packages, as a package URL's namespace."""
    lead: str
    """What the bundle does and for which targets, a sentence."""
    facts: tuple[Labelled, ...] = ()
    findings: tuple[ReviewFinding, ...] = ()


@dataclass(frozen=True)
class ExitCode:
    """One way for the product's scripts to end."""

    number: int
    meaning: str
    do: str
    """The next step, as an imperative sentence."""


@dataclass(frozen=True)
class StarterUpstream:
    """An upstream other than the vendor's own, as ``init`` was given it."""

    windows: str = ""
    """Base of the Windows packages' addresses."""
    linux: str = ""
    """Base of the apt and yum repositories."""
    hosts: tuple[str, ...] = ()
    ca: str = ""
    anchors: str = ""


@dataclass(frozen=True)
class StarterAnswers:
    """What ``init`` was told; what is empty was not."""

    name: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    """By :attr:`.Question.key`."""
    targets: tuple[Target, ...] = ()
    outputs: tuple[str, ...] = ()
    """Formats."""
    upstream: StarterUpstream = StarterUpstream()


class Product(Protocol[_D, _A]):
    """One product: what is installed, and all that only it knows."""

    name: ClassVar[str]
    """As a definition names it."""
    questions: ClassVar[tuple[Question, ...]] = ()
    """What :meth:`starter` needs and cannot guess, in the order in which ``init`` asks."""
    package_kinds: ClassVar[tuple[PackageKind, ...]]
    """The kinds of package that it admits; ``unsigned`` among them only where a definition may pin a hash itself."""
    largest_package: ClassVar[int] = LARGEST_PACKAGE
    """Bytes."""

    @property
    @abstractmethod
    def definition(self) -> DefinitionType[_D]:
        """The type of its definitions, with rules, sample and canonical form."""

    @property
    @abstractmethod
    def scripts(self) -> ProductScripts:
        """What a reviewer compares the bundles' scripts with."""

    @property
    def exit_codes(self) -> tuple[ExitCode, ...]:
        """How the scripts can end; one number has one meaning in every product's table."""
        return ()

    def side_files(self, definition: _D) -> Sequence[SideFile]:
        """The files that ``definition`` names and that the product reads."""
        return ()

    def attach(self, definition: _D, files: Mapping[Path, bytes], today: date) -> tuple[_A, Sequence[Finding]]:
        """Read the side files.

        Args:
            definition: A valid one.
            files: By :attr:`SideFile.path`; one that cannot be read is missing, and reported already.
            today: The day that dates in them are compared with.

        Returns:
            What the other methods take as attachments, and what is wrong with the files.
        """
        return None, ()  # type: ignore[return-value]  # the default is for products without attachments

    @abstractmethod
    def artifacts(self, definition: _D) -> tuple[Artifact, ...]:
        """The packages that a valid definition needs."""

    def admits(self, kind: PackageKind, name: str) -> bool:
        """Whether a package called ``name`` (:attr:`Artifact.name`) may be of ``kind``."""
        return kind in self.package_kinds

    def archive_rules(self, name: str) -> ArchiveRules | None:
        """How the members of the ``zip`` called ``name`` are verified; None where it may be no zip."""
        return None

    @abstractmethod
    def package_fault(self, facts: PackageFacts, kind: PackageKind, *, lab: bool) -> str:
        """Why a verified package is not this product's; empty where it is.

        ``lab``: whether lab anchors verified it: a lab's stand-in has a name of its own.
        """

    def place_fault(self, pin: Pin) -> str:
        """Why ``pin`` cannot be what a build pins for its targets: a sentence, or nothing."""
        return ""

    def embedded_secret(self, definition: _D) -> str:
        """Path in the bundle of the secret that ``definition`` embeds; empty where it embeds none."""
        return ""

    def secret_kind(self, definition: _D) -> SecretKind | None:
        """What an envelope for the servers of ``definition`` holds; None where they need no secret."""
        return None

    def planned(self, definition: _D, pins: Sequence[Pin]) -> Sequence[PlannedFile]:
        """The files that a build renders, each with its reason."""
        return [PlannedFile(name, "the product's script") for name in self.scripts.parts()]

    @abstractmethod
    def contents(self, part: BundlePart[_D, _A]) -> Contents:
        """The product's files of one bundle, and what the manifest says of them: the same input, the same bytes.

        Raises:
            DefinitionError: The definition cannot be carried out on one of the targets.
        """

    def script_actions(self, part: BundlePart[_D, _A], manifest: Manifest) -> tuple[ScriptActions, ...]:
        """What each script does, step by step; ``manifest`` tells seal and approval."""
        return ()

    def network_requirements(self, definition: _D, attachments: _A) -> NetworkRequirements:
        """What the network must let through, resolve and route for ``definition``."""
        return NetworkRequirements(title=self.name, ways={}, allow=())

    @abstractmethod
    def review(self, manifest: Manifest) -> ReviewFacts:
        """What a reviewer should know of a bundle, from its manifest alone."""

    @abstractmethod
    def starter(self, answers: StarterAnswers) -> str:
        """A commented definition to start from."""


AnyProduct = Product[Any, Any]
