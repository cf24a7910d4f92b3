"""What follows from a definition for the network between the servers and Azure."""

from __future__ import annotations

from bundler.errors import UsageError
from bundler.flow.project import Project
from bundler.products.arc_server import network_requirements
from bundler.products.arc_server.network_requirements import Sheet


def endpoints(project: Project) -> Sheet:
    """The network team's sheet for ``project``."""
    return network_requirements.sheet(project.definition, project.attachments)


def require_records(sheet: Sheet) -> None:
    """Raise UsageError where there is no record that a hosts file or a zone could be made of."""
    if not sheet.hosts:
        raise UsageError(
            "there is no name to write down: the definition gives no private link records",
            do="save what `az network private-endpoint show` prints and name the file in network.private_link_records; "
            "public names are for the name service to resolve",
        )
