"""One made-up lake and one snapshot of it for all tests of this folder; neither may be changed."""

from datetime import UTC, datetime

import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.build import Snapshot, build_snapshot
from flywheel_assets_tests.snapshots.synthetic_lake import synthetic_lake

AT = datetime(2026, 11, 9, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def made_up_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return synthetic_lake(str(tmp_path_factory.mktemp("made-up") / "lake"))


@pytest.fixture(scope="session")
def snapshot(made_up_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return build_snapshot(made_up_lake, tmp_path_factory.mktemp("published"), AT)
