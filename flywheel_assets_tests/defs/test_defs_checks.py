"""The checks that are no account and no contract: each seen to pass and to fail on a turned wheel."""

import json
from datetime import UTC, datetime, time, timedelta

import dagster as dg
import duckdb
import pytest

from flywheel_assets.defs.artifacts import pointer_matches
from flywheel_assets.defs.decisions import arms_are_healthy, budget_is_left, chain_is_whole
from flywheel_assets.defs.jobs import SNAPSHOT
from flywheel_assets.defs.partitions import calendar
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.scores import runs_teach
from flywheel_assets.defs.snapshots import AUDITED, equals_the_lake, identity
from flywheel_assets.defs.sources import days_in_calendar, silent_sources, sources_are_fresh
from flywheel_assets.defs.spans import LOST, every_span_is_accounted_for
from flywheel_assets.snapshots.retention import dated
from flywheel_assets.snapshots.support import newest_lag_in
from flywheel_assets.sources.land import land
from flywheel_assets.tables.drills import DRILLS
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.skill_outlook import SKILL_OUTLOOK
from flywheel_assets_tests.conftest import DAYS


def edit_the_ledger(wheel: WheelResource) -> None:
    rows = wheel.lake().read(PROMOTION_DECISIONS).to_pylist()
    rows[0]["reason"] = "it looked better"
    wheel.lake().overwrite(PROMOTION_DECISIONS, PROMOTION_DECISIONS.rows(rows))


def edit_the_document(wheel: WheelResource) -> None:
    folder = wheel.places().artifacts
    pointer = json.loads((folder / "channels" / "production.json").read_text())
    (folder / pointer["path"]).write_text("{}")


def edit_the_snapshot(wheel: WheelResource) -> None:
    con = duckdb.connect(str(dated(wheel.places().snapshots)[0]))
    con.execute("DELETE FROM agent_runs WHERE run_id = (SELECT min(run_id) FROM agent_runs)")
    con.close()


@pytest.mark.parametrize(
    ("check", "damage"),
    [
        (chain_is_whole, edit_the_ledger),
        (pointer_matches, edit_the_document),
        (equals_the_lake, edit_the_snapshot),
    ],
    ids=lambda thing: thing.__name__,
)
def test_a_check_is_green_until_somebody_edits_what_it_guards(
    check, damage, wheel: WheelResource, instance: dg.DagsterInstance
) -> None:
    before = check(wheel, instance)
    damage(wheel)
    assert (before.passed, check(wheel, instance).passed) == (True, False)


def test_a_snapshot_is_opened_again_once_it_was_touched(wheel: WheelResource, instance: dg.DagsterInstance) -> None:
    file = dated(wheel.places().snapshots)[0]
    instance.report_runless_asset_event(dg.AssetMaterialization(SNAPSHOT, metadata={AUDITED: identity(file)}))
    manifest = file.with_suffix(".json")
    kept = manifest.rename(manifest.with_suffix(".aside"))
    # Without the manifest nothing can be compared: it was not.
    assert equals_the_lake(wheel, instance).passed
    kept.rename(manifest)
    edit_the_snapshot(wheel)
    assert not equals_the_lake(wheel, instance).passed


def test_days_without_a_partition_are_named(wheel: WheelResource, instance: dg.DagsterInstance, arrive) -> None:
    assert days_in_calendar(wheel, instance).passed
    early = calendar()[0] - timedelta(days=1)
    arrive(wheel.places(), early, 1)
    land(wheel.lake(), wheel.places().inbox, wheel.places().landing, datetime.now(UTC))
    found = days_in_calendar(wheel, instance)
    assert (found.passed, found.found["days without a partition"]) == (False, {early.isoformat(): 1})


@pytest.mark.parametrize(("said", "passed"), [([0, 0], True), ([3, 0], True), ([0, 3], False)], ids=str)
def test_a_day_is_accounted_for_by_its_newest_decoding(
    said: list[int], passed: bool, instance: dg.DagsterInstance
) -> None:
    for lost in said:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(RAW_SPANS.name, partition="2026-01-01", metadata={LOST: lost})
        )
    assert every_span_is_accounted_for(WheelResource(), instance).passed is passed


def spend_the_budget(wheel: WheelResource) -> None:
    rows = wheel.lake().read(PROMOTION_DECISIONS).to_pylist()
    rows[-1]["alpha_left"] = 0.001 * wheel.skills().alpha
    wheel.lake().overwrite(PROMOTION_DECISIONS, PROMOTION_DECISIONS.rows(rows))


def test_a_budget_that_is_all_but_spent_is_red(wheel: WheelResource, instance: dg.DagsterInstance) -> None:
    assert budget_is_left(wheel, instance).passed
    spend_the_budget(wheel)
    assert not budget_is_left(wheel, instance).passed


@pytest.mark.parametrize(
    ("days_ago", "silent"),
    [([5, 4, 3], True), ([5, 4, 3, 0], False), ([5], False), ([60, 59, 58, 57], False)],
    ids=["a feed that stopped", "a feed that goes on", "used once", "stopped long ago"],
)
def test_a_feed_that_falls_silent_is_named(days_ago: list[int], silent: bool, tmp_path, arrive) -> None:
    wheel, now = WheelResource(data=str(tmp_path)), datetime.now(UTC)
    for back in days_ago:
        arrive(wheel.places(), now.date() - timedelta(days=back), 1)
        land(wheel.lake(), wheel.places().inbox, wheel.places().landing, now - timedelta(days=back))
    assert list(silent_sources(wheel.lake(), now)) == (["files"] if silent else [])


def test_how_late_a_source_is_stands_beside_whether_it_is_silent(wheel: WheelResource, instance) -> None:
    told = sources_are_fresh(wheel, instance).found["lag"]
    (words,) = told.values()
    assert list(told) == [f"files, {DAYS[-1]}"]
    assert words.startswith("60 spans, half of them ")
    (late,) = newest_lag_in(wheel.lake())
    landed_at = wheel.lake().read(LANDED_BATCHES)["landed_at"][0].as_py()
    began = datetime.combine(DAYS[-1], time(9), UTC)
    assert late["median_seconds"] == pytest.approx((landed_at - began).total_seconds(), abs=60)
    assert late["median_seconds"] <= late["p95_seconds"] <= late["largest_seconds"]


@pytest.mark.parametrize(
    ("without_skill", "without_outcome", "teaches"),
    [(0.0, 0.1, True), (0.6, 0.0, False), (0.0, 0.9, False)],
    ids=["most runs teach", "no skill", "no outcome"],
)
def test_a_wheel_that_turns_and_learns_nothing_is_red(
    without_skill: float, without_outcome: float, teaches: bool, tmp_path, instance: dg.DagsterInstance
) -> None:
    wheel = WheelResource(data=str(tmp_path))
    assert runs_teach(wheel, instance).passed
    row = {"skill": "*", "runs": 100, "without_propensity": 1.0, "units_a_day": 9.0, "labels_worth": 0.0}
    row |= {"without_skill": without_skill, "without_outcome": without_outcome, "confounded": [], "advice": "wait"}
    wheel.lake().overwrite(SKILL_OUTLOOK, SKILL_OUTLOOK.rows([row]))
    assert runs_teach(wheel, instance).passed == teaches


@pytest.mark.parametrize(("promoted", "healthy"), [(1, True), (12, False)])
def test_identical_arms_that_are_promoted_too_often_are_red(
    promoted: int, healthy: bool, tmp_path, instance: dg.DagsterInstance
) -> None:
    wheel = WheelResource(data=str(tmp_path))
    row = {"skill": "triage", "drill": "identical", "truth": "not_better", "units": 200, "trials": 40, "reason": "told"}
    row |= {"promoted": promoted, "abandoned": 0, "undecided": 40 - promoted, "nominal": 0.05}
    wheel.lake().overwrite(DRILLS, DRILLS.rows([row]))
    assert arms_are_healthy(wheel, instance).passed == healthy
