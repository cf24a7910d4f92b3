"""The SBOM in a built bundle: the metadata of the lab's packages, and nothing unlisted."""

from __future__ import annotations

import hashlib

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


@pytest.fixture
def root(project):
    built = project.run("build", "--format", "json")
    assert built.code == 0, built.err
    return project.folder / "bundles/arc-test/1.0/arc-test-1.0"


def test_it_is_valid_listed_and_of_the_bundle_s_own_files(root):
    written = (root / "sbom.cdx.json").read_bytes()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written.decode()) is None
    assert f"{hashlib.sha256(written).hexdigest()}  sbom.cdx.json\n" in (root / "SHA256SUMS").read_text()
