"""Fixtures that every stage's tests share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets beside the checkout; tests that use it are skipped without it."""
    folder = Path(os.environ.get("FLYWHEEL_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder}: set FLYWHEEL_SHARED_DATA to run this test")
    return folder
