"""Derives network requirements from a definition: the command ``endpoints``."""

from __future__ import annotations

from bundler.errors import UsageError
from bundler.flow.project import Project
from bundler.model.network_requirement import NetworkRequirements


def endpoints(project: Project) -> NetworkRequirements:
    """What the network team opens, resolves and routes for ``project``."""
    return project.product.network_requirements(project.definition, project.attachments)


def require_records(needs: NetworkRequirements) -> None:
    """Raise UsageError unless there are private link records for a hosts file or a DNS zone."""
    if not needs.hosts:
        raise UsageError(
            "the definition has no private link records to write",
            do="save the output of `az network private-endpoint show`, and name the file in "
            "network.private_link_records; without private link, DNS resolves the public names",
        )
