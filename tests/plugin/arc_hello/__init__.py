"""A product of some 60 lines: it brings a Debian package, and a script that would install it."""

from __future__ import annotations

import json
from dataclasses import field
from pathlib import Path
from typing import Literal

from bundler.definition import common_rules
from bundler.definition.common import ApprovalRules, GivenFile, Output, SealRules, Upstream
from bundler.definition.definition_type import DefinitionType
from bundler.definition.rules import rules_of
from bundler.model.artifact import AptOrigin, Artifact, FileOrigin
from bundler.model.frozen import frozen
from bundler.model.target import Target
from bundler.model.tree import Entry
from bundler.products.product import Contents, Product, ReviewFacts
from bundler.render.runtime import read_parts, script
from bundler.render.template_files import digest

ROOT = Path(__file__).parent
PARTS = {name: (f"templates/hello/runtime/linux/{name}",) for name in ("install.sh", "verify.sh")}


@frozen
class Definition:
    """What a site wants of hello; the fields of every product, and the repository."""

    product: Literal["hello"]
    """What is installed."""
    name: str
    """The bundle's name."""
    version: str = "{date}"
    """The bundle's version."""
    repository: str
    """Address of an apt repository of Ubuntu 22.04 that has the package."""
    notice: GivenFile | None = None
    """A file without a signature that travels along."""
    upstream: Upstream = field(default_factory=Upstream)
    """Where packages come from."""
    outputs: tuple[Output, ...] = (Output(format="directory"),)
    """How the bundle is wrapped."""
    seal: SealRules = field(default_factory=SealRules)
    """Who seals it."""
    approval: ApprovalRules | None = None
    """The approvals that it needs."""


class Scripts:
    """The scripts, made from the manifest's own values: the same for a build and for a reviewer."""

    RELEASED = ()

    def parts(self):
        return {name: read_parts(paths, ROOT) for name, paths in PARTS.items()}

    def header_templates(self):
        return digest([ROOT / "templates" / "hello"])

    def rendered(self, manifest, settings):
        return self.made(json.loads(settings), manifest.tool)

    def made(self, settings, tool):
        from bundler.render.environment import render  # it loads the template language, which reading does without

        headers = {name: render(f"hello/linux/{name}.j2", settings, ROOT) for name in PARTS}
        about = {"tool": tool, "product": "hello", "platform": "linux"}
        return {name: script(text, self.parts()[name], name=name, **about) for name, text in headers.items()}


class Hello(Product[Definition, None]):
    name = "hello"
    package_kinds = ("deb", "unsigned")
    largest_package = 50_000_000
    definition = DefinitionType(
        Definition, rules_of(common_rules), {"repository": "https://example.com"}, lambda one: one
    )
    scripts = Scripts()

    def artifacts(self, definition):
        origin = AptOrigin(base=definition.repository, suite="jammy", component="main", package="azcmagent")
        target = Target(os="ubuntu", version="22.04")
        about = {"name": "azcmagent", "kind": "deb", "place": "ubuntu/amd64", "architecture": "amd64"}
        agent = Artifact(**about, version="latest", targets=(target,), origin=origin)
        return (agent, *self.unsigned(definition.notice, target)) if definition.notice else (agent,)

    def unsigned(self, given, target):
        about = {"name": "notice", "kind": "unsigned", "place": "notice", "architecture": "all", "version": "1"}
        accepted = {"sha256": given.sha256, "accept_unsigned": given.accept_unsigned}
        yield Artifact(**about, **accepted, targets=(target,), origin=FileOrigin(path=given.path))

    def admits(self, kind, name):
        return (kind, name) in {("deb", "azcmagent"), ("unsigned", "notice")}

    def package_fault(self, facts, kind, *, lab):
        return "" if facts.name in {"azcmagent", "notice"} else f"it is {facts.name!r}, not 'azcmagent'"

    def contents(self, part):
        pin = part.pins[0]
        settings = {"name": part.name, "version": part.version, "package": pin.path, "sha256": pin.sha256}
        files = {"config/settings.json": json.dumps(settings, indent=2).encode() + b"\n", **part.files}
        scripts = self.scripts.made(settings, part.tool).items()
        made = (*(Entry(*one) for one in files.items()), *(Entry(*one, 0o755) for one in scripts))
        return Contents(entries=made, parameters={"package": pin.path})

    def review(self, manifest):
        return ReviewFacts(vendor="hello", lead="Says hello, and installs one package.")

    def starter(self, answers):
        return f"product: hello\nname: {answers.name or 'hello'}\nrepository: https://example.com/apt\n"


HELLO = Hello()
