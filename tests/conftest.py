"""What all tests share: where the real signed files are."""

from __future__ import annotations

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real signed and damaged files; tests that need it are skipped where it is missing."""
    folder = SHARED / "corpus"
    if not folder.is_dir():
        pytest.skip(f"the corpus of real signed files is not at {folder}")
    return folder
