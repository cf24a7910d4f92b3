"""A lab that tests share, and one that a test may change."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from bundler.lab.lab import Lab


@pytest.fixture(scope="session")
def lab_root(tmp_path_factory):
    """Keys are made once for all tests."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def now():
    return datetime.now(timezone.utc).replace(microsecond=0)


@pytest.fixture(scope="session")
def shared_lab(lab_root, now):
    """A lab that no test changes."""
    with Lab(lab_root, now) as lab:
        yield lab


@pytest.fixture
def lab(lab_root, now):
    """A lab of the test's own."""
    with Lab(lab_root, now) as lab:
        yield lab
