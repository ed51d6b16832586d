"""The snapshot's collections go to Typesense where the environment names a server, and nowhere else."""

from datetime import UTC, datetime

import pytest

from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.snapshots import searchable
from flywheel_assets.snapshots.build import build_snapshot
from flywheel_assets_tests.snapshots.typesense_standin import KEY, serving

AT = datetime(2026, 11, 9, 12, tzinfo=UTC)


def test_a_configured_server_gets_the_collections(wheel: WheelResource, monkeypatch: pytest.MonkeyPatch):
    snapshot = build_snapshot(wheel.lake(), wheel.places().snapshots, AT)
    with serving() as standin:
        monkeypatch.setenv("TYPESENSE_URL", standin.url)
        monkeypatch.setenv("TYPESENSE_API_KEY", KEY)
        assert "skill_scores" in str(searchable(wheel, snapshot.path, AT))
        assert set(standin.aliases) == {"skill_scores", "promotion_decisions", "gated_observations"}


def test_without_a_server_nothing_is_published(wheel: WheelResource, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TYPESENSE_URL", raising=False)
    assert searchable(wheel, wheel.places().snapshots / "none.duckdb", AT) == {}
