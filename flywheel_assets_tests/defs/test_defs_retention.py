"""What is superseded and old goes; what is pinned, or is the newest of its day, stays; a dry run removes nothing."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.defs.home import instance as instance_of
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.retention import Keep, retain, retention, superseded_runs
from flywheel_assets.defs.schedules import weekly_retention
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.places import Places
from flywheel_assets.snapshots.retention import dated
from flywheel_assets.tables.skill_scores import SKILL_SCORES

SOON = datetime.now(UTC) + timedelta(days=1)
NOTHING_KEPT = {"lake_days": 0, "history_days": 0, "snapshots": 1}


@dg.asset
def skill_scores() -> None: ...


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["2026-01-01", "2026-01-02"]))
def agent_runs() -> None: ...


def test_a_run_stays_while_it_holds_the_newest_of_an_asset_or_a_day(instance: dg.DagsterInstance) -> None:
    def made(asset: dg.AssetsDefinition, day: str | None = None) -> str:
        return dg.materialize([asset], instance=instance, partition_key=day).run_id

    first, second = made(agent_runs, "2026-01-01"), made(agent_runs, "2026-01-02")
    old, new = made(skill_scores), made(skill_scores)
    again = made(agent_runs, "2026-01-01")
    assert superseded_runs(instance, SOON) == sorted([first, old])
    assert superseded_runs(instance, SOON - timedelta(days=2)) == []
    assert {second, new, again} == {run.run_id for run in instance.get_runs()} - {first, old}


def test_a_dry_run_says_what_a_wet_one_then_removes(wheel: WheelResource) -> None:
    places = wheel.places()
    before = wheel.lake().version(SKILL_SCORES)
    for rows in (wheel.lake().read(SKILL_SCORES).slice(0, 1), wheel.lake().read(SKILL_SCORES)):
        wheel.lake().overwrite(SKILL_SCORES, rows)
    for _ in range(3):
        turn_the_wheel(places)
    with instance_of(places) as dagster:
        dry = retain(places, dagster, Keep(**NOTHING_KEPT), SOON)
        kept = (len(dated(places.snapshots)), dagster.get_runs_count())
        wet = retain(places, dagster, Keep(**NOTHING_KEPT, dry_run=False), SOON)
        left = dagster.get_runs_count()
        # The third turn superseded what the second wrote.
        assert dry.runs
        assert (dry.runs, dry.snapshots) == (wet.runs, sorted(wet.snapshots, reverse=True))
        assert kept == (len(wet.snapshots) + 1, len(wet.runs) + left)
        assert superseded_runs(dagster, SOON) == []
    assert len(dated(places.snapshots)) == 1
    assert wet.files[SKILL_SCORES.name] >= 1
    # A decision pins the version that it was read at.
    assert before is not None
    assert wheel.lake().read(SKILL_SCORES).num_rows == 2
    done = turn_the_wheel(places)
    assert (done.failed, done.red) == ([], [])


def test_the_job_is_dry_unless_told_otherwise_and_the_schedule_tells_it(
    wheel: WheelResource, instance: dg.DagsterInstance
) -> None:
    by_hand = retention.execute_in_process(instance=instance, resources={"wheel": wheel})
    assert by_hand.success
    (made,) = by_hand.filter_events(lambda event: event.is_successful_output)
    assert made.step_output_data.metadata["dry run"].value is True
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 3, 1, 2, 30, tzinfo=UTC))
    (request,) = weekly_retention(context)
    (config,) = (op["config"] for op in request.run_config["ops"].values())
    assert (request.run_key, config) == ("2026-03-01", {"dry_run": False})


def test_the_command_is_dry_and_says_how_to_apply(wheel: WheelResource) -> None:
    words = ["retain", "--snapshots", "1", "--data", str(wheel.places().data), "--json"]
    said = json.loads(CliRunner().invoke(app, words).stdout)
    assert (said["result"]["dry_run"], said["next_actions"]) == (True, ["flywheel retain --apply   removes them"])
    applied = json.loads(CliRunner().invoke(app, [*words, "--apply"]).stdout)
    assert (applied["result"]["dry_run"], applied["next_actions"]) == (False, [])


def test_an_empty_data_folder_has_nothing_to_remove(tmp_path, instance: dg.DagsterInstance) -> None:
    gone = retain(Places(tmp_path), instance, Keep(dry_run=False), SOON)
    assert (gone.files, gone.runs, gone.snapshots) == ({}, [], [])
