"""The wheel turns: from files in the inbox to what agents load, once, again, and after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from flywheel_assets.defs.assembly import assemble
from flywheel_assets.defs.graph import turns_back
from flywheel_assets.defs.home import environment, instance
from flywheel_assets.defs.jobs import turn_tags
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake import processes, rebuild
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.lake.stale import stale_days
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.documents.anchors import ANCHOR
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.labeler_reliability import LABELER_RELIABILITY
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.skill_scores import SKILL_SCORES
from flywheel_assets.tables.steps import DAY_STEPS, LAND, PUBLISH, WHOLE_STEPS, Step

ASKED = ("labeled_examples", "gated_observations")
DAY_TABLES = [table for step in DAY_STEPS for table in step.writes]


def contents(lake: Lake) -> dict[str, list[str | None]]:
    """What every day of every day table holds."""
    return {table.name: [lake.fingerprint(table, day) for day in lake.days(table)] for table in DAY_TABLES}


def test_one_turn_takes_files_to_artifacts(turned: Places) -> None:
    lake = Lake(turned.lake)
    rows = {table.name: lake.read(table).num_rows for table in TABLES}
    assert (rows["raw_spans"], rows["agent_runs"], rows["labeled_examples"]) == (180, 90, 90)
    assert rows["gated_observations"] + rows["rejections"] == 90
    assert {row["arm"] for row in lake.read(SKILL_SCORES).to_pylist()} == {"provider/small|-|-", "provider/large|-|-"}
    assert rows["promotion_decisions"] == 1
    assert (turned.artifacts / "channels" / "production.json").exists()
    assert (turned.snapshots / "current.duckdb").exists()
    assert turned.report.exists()


def test_the_ui_shows_the_turn_and_each_day_with_its_own_numbers(turned: Places) -> None:
    with instance(turned) as dagster:
        assert dagster.get_materialized_partitions(dg.AssetKey("agent_runs")) == {
            day.isoformat() for day in Lake(turned.lake).days(AGENT_RUNS)
        }
        records = dagster.fetch_materializations(dg.AssetKey("raw_spans"), limit=10).records
        said = {record.partition_key: record.asset_materialization.metadata for record in records}
        assert {day: data["dagster/partition_row_count"].value for day, data in said.items()} == dict.fromkeys(said, 60)
        version = records[0].asset_materialization.tags["dagster/data_version"]
        newest = datetime.fromisoformat(str(records[0].partition_key)).date()
        assert version == Lake(turned.lake).fingerprint(RAW_SPANS, newest)


def waited_for(step: Step) -> set[str]:
    """The steps that a step cannot begin without."""
    read = {one.table.name for one in step.reads if not turns_back(step, one)}
    before = [one for one in (*DAY_STEPS, *WHOLE_STEPS) if read & {table.name for table in one.writes}]
    return {LAND.name} | {one.name for one in before} | set().union(*(waited_for(one) for one in before))


def test_a_second_turn_rebuilds_nothing_reports_no_day_and_does_first_what_artifacts_wait_for(
    wheel: WheelResource,
) -> None:
    before = contents(wheel.lake())
    started: list[str] = []
    done = turn_the_wheel(wheel.places(), lambda step, state: started.append(step) if state == "started" else None)
    assert (done.failed, done.red) == ([], [])
    assert set(started[: started.index(PUBLISH.name)]) <= waited_for(PUBLISH) | {"sources"}
    assert set(done.rebuilt) & {table.name for table in DAY_TABLES} == set()
    assert contents(wheel.lake()) == before


def test_new_runs_rebuild_their_day_alone_upstream_of_what_reaches_further(wheel: WheelResource, arrive) -> None:
    day = datetime.now(UTC).date() - timedelta(days=30)
    arrive(wheel.places(), day, 5)
    done = turn_the_wheel(wheel.places())
    assert (done.failed, done.red) == ([], [])
    assert (done.rebuilt["raw_spans"], done.rebuilt["gated_observations"]) == (1, 1)
    assert wheel.lake().read(AGENT_RUNS, [day]).num_rows == 5


def test_what_people_answer_of_a_day_reaches_later_days_in_the_same_turn(wheel: WheelResource) -> None:
    first, *later = wheel.lake().days(AGENT_RUNS)
    runs = wheel.lake().read(AGENT_RUNS, [first]).column("run_id").to_pylist()[:12]
    by = {"target_kind": "run", "name": ANCHOR, "tier": "human", "author_id": "ann", "day": str(first), "value": 1}
    said = [json.dumps({**by, "target_id": run, "observed_at": f"{first}T20:00:00Z"}) + "\n" for run in runs]
    (wheel.places().inbox / "answers.feedback.jsonl").write_text("".join(said))
    stated = wheel.places().skills_file
    stated.write_text(f"anchor_share: 1.0\n{stated.read_text()}")
    done = turn_the_wheel(wheel.places())
    assert (done.failed, done.red) == ([], [])
    rows = wheel.lake().read(LABELER_RELIABILITY).to_pylist()
    checks = {row["day"]: (row["anchors"], row["earlier_anchors"]) for row in rows if row["tier"] == "check"}
    assert checks == {first: (12, 0), **dict.fromkeys(later, (0, 12))}
    with instance(wheel.places()) as dagster:
        found = [dagster.fetch_materializations(dg.AssetKey(name), limit=1).records[0] for name in ASKED]
    labeled, gated = (record.asset_materialization.metadata for record in found)
    sets = labeled["label sets"].value
    assert gated["admitted"].value == gated["dagster/partition_row_count"].value
    assert sets["triage: check on runs"] == "stated, uncorrected: 0 anchors and 12 of earlier days, 20 are needed"
    assert {step.name: stale_days(wheel.lake(), step) for step in DAY_STEPS} == {step.name: [] for step in DAY_STEPS}


def test_one_day_launched_by_hand_is_rebuilt_though_it_is_fresh(wheel: WheelResource, instance) -> None:
    day = wheel.lake().days(AGENT_RUNS)[0].isoformat()
    job = assemble(wheel).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        partition_key=day,
        asset_selection=[dg.AssetKey("agent_runs"), dg.AssetKey("run_spans")],
    )
    events = result.asset_materializations_for_node("fold_runs")
    assert {(event.asset_key.to_user_string(), event.partition) for event in events} == {
        ("agent_runs", day),
        ("run_spans", day),
    }
    assert events[0].metadata["dagster/partition_row_count"].value == 30


def test_a_backfill_of_a_range_is_one_run_and_says_of_each_day_what_it_held(wheel: WheelResource, instance) -> None:
    days = [day.isoformat() for day in wheel.lake().days(AGENT_RUNS)]
    job = assemble(wheel).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey("raw_spans"), dg.AssetKey("dialect_losses")],
        tags={"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[-1]},
    )
    events = [
        event
        for event in result.asset_materializations_for_node("decode")
        if event.asset_key.to_user_string() == "raw_spans"
    ]
    assert {event.partition: event.metadata["dagster/partition_row_count"].value for event in events} == dict.fromkeys(
        days, 60
    )


def test_a_step_that_fails_is_named_and_what_came_before_it_stays(wheel: WheelResource) -> None:
    places = wheel.places()
    places.skills_file.write_text("skills: {triage: {baseline_model: ''}}")
    done = turn_the_wheel(places)
    assert not done.ok
    assert any("baseline_model" in failure for failure in done.failed)
    assert wheel.lake().read(GATED_OBSERVATIONS).num_rows == 90


@pytest.mark.slow
def test_a_turn_killed_half_way_is_taken_up_and_ends_with_the_same_tables(
    turned: Places, tmp_path: Path, arrive
) -> None:
    places = Places(tmp_path / "data")
    for day in Lake(turned.lake).days(AGENT_RUNS):
        arrive(places, day, 30)
    places.skills_file.write_bytes(turned.skills_file.read_bytes())
    command = [sys.executable, "-m", "flywheel_assets.cli", "run", "--data", str(places.data), "--json"]
    child = subprocess.Popen(command, env={**os.environ, **environment(places)}, stdout=subprocess.DEVNULL)
    lake = Lake(places.lake)
    until = time.monotonic() + 120
    while not lake.days(AGENT_RUNS) and time.monotonic() < until:
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    done = turn_the_wheel(places)
    assert (done.failed, done.red) == ([], [])
    assert contents(lake) == contents(Lake(turned.lake))
    with instance(places) as dagster:
        killed = dagster.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        assert len(killed) == 1


def test_days_that_other_processes_decode_are_the_same_and_said_the_same_of(
    turned: Places, arrive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, calls, answer = Places(tmp_path / "data"), [], processes._Process.answer
    for day in Lake(turned.lake).days(RAW_SPANS):
        arrive(places, day, 30)
    monkeypatch.setattr(rebuild, "APART_BYTES", 1)
    monkeypatch.setattr(processes._Process, "answer", lambda *given: calls.append(given) or answer(*given))
    assert turn_the_wheel(places).failed == []
    assert len(calls) == 3
    assert contents(Lake(places.lake))["raw_spans"] == contents(Lake(turned.lake))["raw_spans"]
    assert Lake(places.lake).read(RAW_SPANS) == Lake(turned.lake).read(RAW_SPANS)
    assert said_of_spans(places) == said_of_spans(turned)


def said_of_spans(places: Places) -> dict[str | None, dict[str, object]]:
    """What the UI shows of each day of spans, but for times and versions."""
    with instance(places) as dagster:
        records = dagster.fetch_materializations(dg.AssetKey("raw_spans"), limit=10).records
        return {
            record.partition_key: {
                name: value.value
                for name, value in record.asset_materialization.metadata.items()
                if name not in {"seconds", "table version"}
            }
            for record in records
        }


def test_a_turn_says_which_run_it_is(turned: Places) -> None:
    assert turn_tags()["flywheel/only_stale"] == "true"
    with instance(turned) as dagster:
        assert [run.job_name for run in dagster.get_runs()] == ["turn"]
