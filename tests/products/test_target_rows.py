"""What the scripts compare with their machine, for each way to write a version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.model.target import Target
from bundler.products.arc_server.target_rows import TargetRows
from tests.support import sample_bundles as sample


def ids(pin, *targets: Target) -> list[tuple[str, str]]:
    made = TargetRows.of((replace(pin, targets=targets),))
    return [(row.id, row.version_id) for row in (*made.linux, *made.windows)]


@pytest.mark.parametrize(
    ("version", "version_id"),
    [("", ""), ("2012 R2", "2012r2"), ("2012-r2", "2012r2"), ("2012r2", "2012r2"), ("2022", "2022"), ("11", "11"),
     ("azure-local", "azure-local"), ("Azure Local", "azure-local")],
)  # fmt: skip
def test_a_windows_version(version, version_id):
    assert ids(sample.MSI, Target(os="windows", version=version)) == [("windows", version_id)]


@pytest.mark.parametrize(
    ("system", "version", "rows"),
    [
        ("sles", "15 SP3", [("sles", "15.3"), ("sles_sap", "15.3")]),
        ("sles", "15", [("sles", "15"), ("sles_sap", "15")]),
        ("azurelinux", "3.0", [("azurelinux", "3.0"), ("mariner", "3.0")]),
        ("amazon", "2023", [("amzn", "2023")]),
    ],
)
def test_a_linux_version(system, version, rows):
    assert ids(sample.RPM, Target(os=system, version=version)) == rows
