"""A step over all days is computed where something that it depends on changed, and only there; it says so each time."""

import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from flywheel_assets.defs import snapshots
from flywheel_assets.defs.assembly import assemble
from flywheel_assets.defs.home import instance
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.snapshots.retention import dated
from flywheel_assets.tables.skill_scores import SKILL_SCORES
from flywheel_assets.tables.steps import (
    DRILL,
    LOOK_AHEAD,
    MEASURE_MOMENTUM,
    PROPOSE_PROMPTS,
    PROPOSE_ROUTES,
    SCORE,
    WATCH_DRIFT,
)
from flywheel_assets_tests.conftest import DAYS, WriteRuns

SETTLED = (SCORE, WATCH_DRIFT, LOOK_AHEAD, PROPOSE_ROUTES, PROPOSE_PROMPTS, DRILL, MEASURE_MOMENTUM)
BY_DATE = {"score", "watch_drift", "look_ahead"}
# No minute may be a day away from the next.
NOW = datetime.now(UTC).replace(hour=23, minute=0)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def places(turned: Places, tmp_path: Path) -> Places:
    shutil.copytree(turned.data, tmp_path / "data")
    return Places(tmp_path / "data")


def versions(places: Places) -> dict[str, int | None]:
    lake = Lake(places.lake)
    return {step.name: lake.version(step.writes[0]) for step in SETTLED}


def computed(places: Places, clock: datetime) -> set[str]:
    """Which steps a turn computed: the table of each notes from what. All say what they hold."""
    before = versions(places)
    done = turn_the_wheel(places, clock=clock)
    assert (done.failed, done.red) == ([], [])
    assert {step.writes[0].name for step in SETTLED} <= done.rebuilt.keys()
    return {name for name, version in versions(places).items() if version != before[name]}


def shown(places: Places) -> dict[str, set[str]]:
    """By table, what the newest materialisation tells."""
    with instance(places) as dagster:
        events = {
            step.name: dagster.get_latest_materialization_event(dg.AssetKey(step.writes[0].name)) for step in SETTLED
        }
    return {name: set(event.asset_materialization.metadata) for name, event in events.items() if event}


def test_a_step_is_computed_where_what_it_depends_on_changed(places: Places, arrive: WriteRuns) -> None:
    # What the turn before decided is read by this one.
    computed(places, NOW)
    told = shown(places)
    assert "scores" in told["score"]
    assert computed(places, NOW + MINUTE) == set()
    assert shown(places) == told
    tomorrow, folder = NOW + timedelta(days=1), places.prompts / "triage"
    folder.mkdir(parents=True)
    (folder / "shorter.md").write_text("Sort.")
    found = computed(places, tomorrow)
    assert found >= BY_DATE | {"propose_prompts"}
    assert "drill" not in found
    stated = yaml.safe_load(places.skills_file.read_text())
    stated["skills"]["triage"]["models"].append("provider/medium")
    places.skills_file.write_text(yaml.safe_dump(stated))
    arrive(places, DAYS[-1], 40)
    assert computed(places, tomorrow + MINUTE) == {step.name for step in SETTLED}


def test_what_is_computed_by_hand_is_written_whatever_was_there(places: Places) -> None:
    # At a time of its own: scores depend on the date, and midnight may have passed since the lake was made.
    computed(places, NOW)
    lake = Lake(places.lake)
    before = lake.read(SKILL_SCORES)
    for file in lake.files(SKILL_SCORES):
        Path(file).unlink()
    job = assemble(WheelResource(data=str(places.data), clock=NOW.isoformat())).resolve_implicit_global_asset_job_def()
    with instance(places) as dagster:
        assert job.execute_in_process(instance=dagster, asset_selection=[dg.AssetKey(SKILL_SCORES.name)]).success
    assert Lake(places.lake).read(SKILL_SCORES).equals(before)


def test_turns_take_at_most_a_twentieth_of_the_time_for_snapshots(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    stood: list[str] = []

    def turned(minutes: int) -> Path:
        # Later than what was built before by the clock on the wall.
        done = turn_the_wheel(places, clock=NOW + timedelta(days=1) + minutes * MINUTE)
        assert (done.failed, done.red) == ([], [])
        assert (snapshots.SNAPSHOT in done.rebuilt) == (snapshots.SNAPSHOT not in done.stands)
        stood.append(done.stands.get(snapshots.SNAPSHOT, ""))
        return dated(places.snapshots)[0]

    first = turned(0)
    assert turned(1) != first, "one that is built in a moment is built in every turn"
    monkeypatch.setattr(snapshots, "SHORT", 0.0)
    second, count = dated(places.snapshots)[0], len(dated(places.snapshots))
    assert [turned(2), turned(3)] == [second, second]
    assert ["`flywheel snapshot`" in why for why in stood] == [False, False, True, True]
    with instance(places) as dagster:
        job = assemble(WheelResource(data=str(places.data))).resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=dagster, asset_selection=[dg.AssetKey(snapshots.SNAPSHOT)]).success
    assert len(dated(places.snapshots)) == count + 1, "by hand it is built whatever it takes"
    fourth = turned(4)
    assert [turned(5)] == [fourth] != [second]
    long_ago = time.time() - 3600
    os.utime(fourth, (long_ago, long_ago))
    assert turned(6) != fourth, "its share of the time is there again"
