"""Plans a build's outputs: their trees, with the signatures over scripts, sums and manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bundler.fetch.store import Store
from bundler.flow import provenance, script_signing
from bundler.flow.build import assemble, seal_policy
from bundler.flow.build.outputs import BuildOptions, OutputPlan, PlannedOutput, planned_outputs
from bundler.flow.project import Project
from bundler.flow.script_signing import Signing
from bundler.model.lock import Lock
from bundler.model.tree import Tree
from bundler.pack import manifest

SignedBy = Callable[[str], Signing | None]
"""Gives the script signatures for the output with this file name."""


@dataclass(frozen=True)
class BuildContext:
    """Everything that determines the outputs of one build."""

    project: Project
    options: BuildOptions
    lock: Lock
    store: Store
    at: datetime

    @property
    def final(self) -> Path:
        """The folder of all outputs."""
        return self.options.output / self.lock.name / self.lock.version

    @property
    def provenance(self) -> str:
        """Name of the provenance file in that folder."""
        return provenance.file_name(self.lock.name, self.lock.version)

    @property
    def planned(self) -> Iterable[PlannedOutput]:
        """Every output, in the definition's order."""
        return planned_outputs(self.lock, self.project.definition.outputs)

    def readable_outputs(self) -> Iterable[Path]:
        """Paths of the outputs that can be read without a password."""
        return (self.final / one.file for one in self.planned if not one.output.encrypted)

    def plans(self, scripts_by: SignedBy = lambda _: None) -> tuple[OutputPlan, ...]:
        """Every output with its tree, unsealed.

        Outputs of one part share a tree; ``scripts_by`` is asked for the first of them.
        """
        trees: dict[str, Tree] = {}
        plans = []
        for one in self.planned:
            if one.part.name not in trees:
                trees[one.part.name] = assemble.tree(
                    one.part,
                    project=self.project,
                    lock=self.lock,
                    store=self.store,
                    sealer=self.options.sealer,
                    scripts_by=scripts_by(one.file),
                    secret=self.options.secret,
                )
            tree = trees[one.part.name]
            plans.append(OutputPlan(one.output, one.file, tree, manifest.bundle_digest(tree)))
        return tuple(plans)

    def signed_plans(self, unsigned: tuple[OutputPlan, ...]) -> tuple[OutputPlan, ...]:
        """The plans with signed scripts, where there is a key for them, and sealed trees. Raises SigningError."""
        key, plans = self.options.script_key, unsigned
        if key is not None:
            by = script_signing.by(key, self.at)
            plans = self.plans(lambda _: by)
        trees: dict[str, Tree] = {}  # sealed once each, because the key may be in a token with a person at it
        for plan in plans:
            if plan.tree.name not in trees:
                trees[plan.tree.name] = seal_policy.sealed(plan.tree, self.options.sealer)
        return tuple(replace(plan, tree=trees[plan.tree.name]) for plan in plans)
