"""What system-bus workers posted becomes runs in a turn, and a storm of it one row that is told of."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.sources.spool import Spool
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.storms import STORMS

AT = int((datetime.now(UTC) - timedelta(days=1)).timestamp()) // 60 * 60_000


def event(number: int, **said: Any) -> dict[str, Any]:
    return {
        "id": f"id-{number}", "timestamp": AT + number % 60_000, "source": "worker", "component": "digest",
        "level": "info", "success": True, "action": "agent.task.completed",
        "metadata": {"taskId": f"t{number}", "agent": "digest"},
    } | said  # fmt: skip


@pytest.fixture
def posted(tmp_path: Path) -> Places:
    places = Places(tmp_path / "data")
    noise = {"action": "redis.subscriber.error", "level": "error", "success": False, "error": "refused", "metadata": {}}
    spool = Spool(places.events)
    lines = [event(number) for number in range(50)] + [event(10**6 + number, **noise) for number in range(30_000)]
    for waiting in [spool.submit(json.dumps(one).encode(), "json", "system_bus") for one in lines]:
        waiting.result()
    spool.close()
    return places


def test_posted_events_are_runs_after_a_turn_and_a_storm_is_a_row(posted: Places):
    done = turn_the_wheel(posted, job="arrival")
    assert (done.failed, done.red) == ([], ["storms: no_flood"])
    lake = Lake(posted.lake)
    assert {run["skill"] for run in lake.read(AGENT_RUNS).to_pylist()} == {"digest"}
    assert lake.read(AGENT_RUNS).num_rows == 50
    # One row a page, and the storm lies in two pages.
    assert lake.read(RAW_SPANS).num_rows == 52
    assert list(posted.events.iterdir()) == []
    storms = lake.read(STORMS).to_pylist()
    assert {(one["name"], one["component"], one["signature"], one["collapsed"]) for one in storms} == {
        ("redis.subscriber.error", "digest", "refused", True)
    }
    assert sum(one["count"] for one in storms) == 30_000
