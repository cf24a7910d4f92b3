"""Makes the review page, ``review.html``, for the security reviewer of a bundle.

It is built from the manifest alone. The page in the bundle cannot contain the bundle's digest, which covers it, nor its
own line among the files; the page beside the archives contains the digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from bundler.model.lock import Pin
from bundler.model.manifest import FileEntry, Manifest
from bundler.model.network_requirement import NetworkRequirement
from bundler.model.review import Labelled, Level, ReviewFinding
from bundler.model.script_action import ScriptActions
from bundler.model.script_runtime import KnownRuntime
from bundler.model.seal import Approval, Seal
from bundler.render import age, pages
from bundler.render.evidence_chain import EvidenceChain, evidence_chains, moment

PATH = "review.html"
"""Path of the page in a bundle."""

BY_HAND: Final[Mapping[str, tuple[str, ...]]] = {
    "linux": ("sed '1,/^# ==== arc-bundler .* runtime/d' install.sh | sha256sum",),
    "windows": (
        "$latin = [Text.Encoding]::GetEncoding(28591)",
        "$text = $latin.GetString([IO.File]::ReadAllBytes((Resolve-Path install.ps1).ProviderPath))",
        "$base64 = '(# [A-Za-z0-9+/]+={0,2}\\r\\n)+'",
        "$block = '\\r\\n# SIG # Begin signature block\\r\\n' + $base64 + '# SIG # End signature block\\r\\n\\z'",
        "$marker = '\\n# ==== arc-bundler [^\\n]* runtime[^\\n]*\\n'",
        "$runtime = (($text -creplace $block, '') -csplit $marker, 2)[1]",
        # Unlike SHA256.Create(), this one works where Windows demands FIPS-validated algorithms.
        "$sha256 = New-Object Security.Cryptography.SHA256CryptoServiceProvider",
        '$hash = $sha256.ComputeHash($latin.GetBytes("$runtime"))',
        "if ($runtime) { -join ($hash | ForEach-Object { $_.ToString('x2') }) } else { 'no runtime' }",
    ),
}
"""Lines that compute the digest of a script's runtime with nothing but what the system has, by platform."""

_LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Package:
    """One package, and its evidence."""

    title: str
    facts: tuple[Labelled, ...]
    reasons: tuple[EvidenceChain, ...]


@dataclass(frozen=True)
class Component:
    """One line of the bill of materials."""

    name: str
    version: str
    supplier: str
    license: str
    purl: str
    sha256: str


@dataclass(frozen=True)
class Review:
    """The content of the page."""

    name: str
    version: str
    lab: bool
    tool: str
    lead: str
    """The servers that it is for, a sentence."""
    digest: str
    """The digest to approve; empty in the page inside the bundle."""
    facts: tuple[Labelled, ...]
    unusual: tuple[ReviewFinding, ...]
    ordinary: tuple[ReviewFinding, ...]
    packages: tuple[Package, ...]
    script_actions: tuple[ScriptActions, ...]
    network_requirements: tuple[NetworkRequirement, ...]
    components: tuple[Component, ...]
    files: tuple[FileEntry, ...]
    seal: Seal | None
    approval: Approval | None
    runtimes: tuple[KnownRuntime, ...]
    """Of each script, as the manifest names it."""
    by_hand: Mapping[str, tuple[str, ...]]
    """Lines that compute a runtime's digest, by platform."""

    @property
    def unknown_runtimes(self) -> tuple[str, ...]:
        """The scripts with a runtime of no known release."""
        return tuple(one.script for one in self.runtimes if not one.release)


def review(
    manifest: Manifest,
    *,
    digest: str,
    lead: str,
    facts: Sequence[Labelled],
    findings: Iterable[ReviewFinding],
    purls: Mapping[str, str],
    runtimes: Sequence[KnownRuntime] = (),
) -> Review:
    """Make the content of the page.

    Args:
        manifest: the bundle's.
        digest: the bundle's; empty for the page inside the bundle.
        lead: the servers that the bundle is for, a sentence of the product.
        facts: further facts of the product.
        findings: results of the checks, in any order.
        purls: package URLs by path.
        runtimes: of the scripts, each with its known releases.
    """
    ranked = sorted(findings, key=lambda finding: _LEVELS.index(finding.level))
    return Review(
        name=manifest.name,
        version=manifest.version,
        lab=manifest.lab,
        tool=manifest.tool,
        lead=lead,
        digest=digest,
        facts=(*_facts(manifest), *facts),
        unusual=tuple(finding for finding in ranked if finding.level != "ordinary"),
        ordinary=tuple(finding for finding in ranked if finding.level == "ordinary"),
        packages=tuple(_package(pin, manifest.created) for pin in manifest.pins),
        script_actions=manifest.script_actions,
        network_requirements=manifest.network_requirements,
        components=tuple(_component(pin, purls.get(pin.path, "")) for pin in manifest.pins),
        files=tuple(file for file in manifest.files if file.path != PATH),
        seal=manifest.seal,
        approval=manifest.approval,
        runtimes=tuple(runtimes),
        by_hand=BY_HAND,
    )


def page(content: Review) -> bytes:
    """The complete page: one HTML file in UTF-8."""
    return pages.page("review/review.html.j2", {"review": content, "moment": moment, "day": _day, "amount": _amount})


def _facts(manifest: Manifest) -> tuple[Labelled, ...]:
    return (
        Labelled("Servers", ", ".join(map(str, manifest.targets))),
        Labelled("Serial", str(manifest.serial) if manifest.serial else "none", code=True),
        Labelled("Pinned", moment(manifest.created)),
        Labelled("Servers refuse it after", moment(manifest.not_after) if manifest.not_after else "no date is set"),
        Labelled("Product", manifest.product),
        Labelled("Made by", manifest.tool),
    )


def _package(pin: Pin, pinned: datetime) -> Package:
    served = (pin.redirects or (pin.url,))[-1]
    repository = pin.repository
    return Package(
        title=f"{pin.facts.name} {pin.facts.version} ({pin.kind})",
        facts=(
            Labelled("For", ", ".join(map(str, pin.targets))),
            Labelled("In the bundle", pin.path, code=True),
            Labelled("Size", _amount(pin.size)),
            *([Labelled("Repository dated", moment(repository.date))] if repository else []),
            Labelled("Upstream asked", age.asked(pin.asked, pinned, then="before the lock")),
            Labelled("Served by", served, code=True, wide=True),
            Labelled("SHA-256", pin.sha256, code=True, wide=True),
        ),
        reasons=evidence_chains(pin),
    )


def _component(pin: Pin, purl: str) -> Component:
    facts = pin.facts
    return Component(facts.name, facts.version, facts.supplier, facts.license, purl, pin.sha256)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _amount(size: int) -> str:
    return f"{size:,} bytes"
