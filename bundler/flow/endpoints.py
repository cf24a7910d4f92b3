"""What follows from a definition for the network between the servers and Azure."""

from __future__ import annotations

from bundler.errors import UsageError
from bundler.flow.project import Project
from bundler.model.network_requirement import NetworkRequirements
from bundler.products.arc_server import network_requirements


def endpoints(project: Project) -> NetworkRequirements:
    """What the network team opens, resolves and routes for ``project``."""
    return network_requirements.requirements(project.definition, project.attachments)


def require_records(needs: NetworkRequirements) -> None:
    """Raise UsageError where there is no record that a hosts file or a zone could be made of."""
    if not needs.hosts:
        raise UsageError(
            "there is no name to write down: the definition gives no private link records",
            do="save what `az network private-endpoint show` prints and name the file in network.private_link_records; "
            "public names are for the name service to resolve",
        )
