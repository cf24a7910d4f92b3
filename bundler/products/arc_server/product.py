"""The Azure Connected Machine agent as a product. Each part is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property

from bundler.definition.definition_type import DefinitionType
from bundler.definition.rules import Finding, Path
from bundler.model.artifact import Artifact, PackageKind
from bundler.model.evidence import PackageFacts
from bundler.model.lock import Pin
from bundler.model.manifest import Manifest
from bundler.model.network_requirement import NetworkRequirements
from bundler.model.script_action import ScriptActions
from bundler.products.arc_server.definition import Definition
from bundler.products.arc_server.questions import QUESTIONS
from bundler.products.arc_server.script_parameters import EMBEDDED_SECRET, Attachments, AuthenticationMethod
from bundler.products.product import (
    BundlePart,
    Contents,
    ExitCode,
    PlannedFile,
    Product,
    ProductScripts,
    ReviewFacts,
    SecretKind,
    SideFile,
    StarterAnswers,
)

_SECRET_KINDS: Mapping[AuthenticationMethod, SecretKind] = {
    "service-principal-secret": "secret",
    "access-token": "token",
    "service-principal-certificate": "certificate",
}

# Which modules a method needs is known only when it runs: `verify` waits neither for the rules nor for the templates.


class ArcServer(Product[Definition, Attachments]):
    """``arc-server``."""

    name = "arc-server"
    package_kinds = ("msi", "deb", "rpm")
    largest_package = (
        1_000_000_000  # the agent has 70 to 104 MB (releases 1.50 to 1.67): ten times that is not an agent
    )
    questions = QUESTIONS

    @cached_property
    def definition(self) -> DefinitionType[Definition]:
        from bundler.products.arc_server.definition_form import form

        return form()

    @property
    def scripts(self) -> ProductScripts:
        from bundler.products.arc_server import script_review

        return script_review

    @property
    def exit_codes(self) -> tuple[ExitCode, ...]:
        from bundler.products.arc_server.codes import CODES

        return tuple(ExitCode(code.number, code.meaning, code.do) for code in CODES)

    def side_files(self, definition: Definition) -> Sequence[SideFile]:
        from bundler.products.arc_server import side_files

        return tuple(side_files.side_files(definition))

    def attach(
        self, definition: Definition, files: Mapping[Path, bytes], today: date
    ) -> tuple[Attachments, Sequence[Finding]]:
        from bundler.products.arc_server import side_files

        return side_files.attach(definition, files, today)

    def artifacts(self, definition: Definition) -> tuple[Artifact, ...]:
        from bundler.products.arc_server.artifacts import artifacts

        return artifacts(definition)

    def package_fault(self, facts: PackageFacts, kind: PackageKind, *, lab: bool) -> str:
        from bundler.products.arc_server import tables

        own = tables.own_names().of(kind, lab=lab)
        return "" if facts.name == own else f"it is {facts.name!r}, not {own!r}"

    def place_fault(self, pin: Pin) -> str:
        from bundler.products.arc_server import layout

        return layout.misfit(pin)

    def embedded_secret(self, definition: Definition) -> str:
        return EMBEDDED_SECRET if definition.authentication.embeds else ""

    def secret_kind(self, definition: Definition) -> SecretKind | None:
        return _SECRET_KINDS.get(definition.authentication.method)

    def planned(self, definition: Definition, pins: Sequence[Pin]) -> Sequence[PlannedFile]:
        kinds, profile = {pin.kind for pin in pins}, definition.network.profile
        planned = []
        if kinds - {"msi"}:
            planned.append(PlannedFile("install.sh", f"for the Linux targets, network profile {profile}"))
        if "msi" in kinds:
            planned.append(PlannedFile("install.ps1", f"for the Windows targets, network profile {profile}"))
        return (*planned, PlannedFile("verify.sh, verify.ps1", "verify the bundle without installing"))

    def contents(self, part: BundlePart[Definition, Attachments]) -> Contents:
        from bundler.products.arc_server.contents import contents

        return contents(part)

    def script_actions(
        self, part: BundlePart[Definition, Attachments], manifest: Manifest
    ) -> tuple[ScriptActions, ...]:
        from bundler.products.arc_server.contents import script_parameters
        from bundler.products.arc_server.script_actions import script_actions

        return script_actions(script_parameters(part), manifest)

    def network_requirements(self, definition: Definition, attachments: Attachments) -> NetworkRequirements:
        from bundler.products.arc_server.network_requirements import requirements

        return requirements(definition, attachments)

    def review(self, manifest: Manifest) -> ReviewFacts:
        from bundler.products.arc_server.review import review

        return review(manifest)

    def starter(self, answers: StarterAnswers) -> str:
        from bundler.products.arc_server import starter

        return starter.text(starter.from_answers(answers))
