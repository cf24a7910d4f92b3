"""The table of clouds agrees with the table of endpoints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.products.arc_server import tables
from bundler.products.azure import tables as azure
from tests.support import sample_bundles as sample


@pytest.mark.parametrize("cloud", azure.clouds().clouds, ids=lambda cloud: cloud.name)
def test_the_resource_manager_is_the_one_that_connecting_needs(cloud):
    """An address that somebody has to open for connecting is the one that a token is asked for."""
    rows = tables.endpoints().endpoints
    managers = [row.host for row in rows if row.cloud == cloud.name and row.host.startswith("management.")]
    assert [f"https://{host}" for host in managers] == [cloud.manager]


@pytest.mark.parametrize("cloud", azure.clouds().clouds, ids=lambda cloud: cloud.name)
def test_both_scripts_have_their_own_clouds_resource_manager_alone(cloud):
    others = [one.manager for one in azure.clouds().clouds if one != cloud]
    parameters = replace(sample.SECRET, cloud=cloud.name)
    for entry in sample.entries(parameters):
        if entry.path in {"install.sh", "install.ps1"}:
            text = entry.content.decode()
            assert cloud.manager in text
            assert [other for other in others if other in text] == []
