"""Months of days in one command: a month a run, nothing else changed, and taken up where it stopped."""

import json
from datetime import timedelta

import dagster as dg
import pytest
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.defs import backfill as module
from flywheel_assets.defs.backfill import steps_of
from flywheel_assets.defs.home import instance
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.lake.places import Places
from flywheel_assets.lake.stale import stale_days
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.steps import ADMIT, DAY_STEPS, FOLD_RUNS


def call(places: Places, *words: str) -> tuple[int, dict]:
    done = CliRunner().invoke(app, ["backfill", *words, "--data", str(places.data), "--json"])
    return done.exit_code, json.loads(done.stdout)


@pytest.mark.slow
def test_months_of_days_are_built_again_a_month_a_run(wheel: WheelResource) -> None:
    places, last = wheel.places(), wheel.lake().days(AGENT_RUNS)[-1]
    first = last - timedelta(days=92)
    before = {day: wheel.lake().fingerprint(AGENT_RUNS, day) for day in wheel.lake().days(AGENT_RUNS)}
    code, said = call(places, first.isoformat(), last.isoformat(), "--asset", "run_spans")
    assert (said["result"]["failed"], code) == ([], 0)
    assert (said["result"]["runs"], said["result"]["steps"]) == (3, ["fold_runs"])
    assert said["result"]["built_until"] == last.isoformat()
    with instance(places) as dagster:
        assert len(dagster.get_materialized_partitions(dg.AssetKey("agent_runs"))) == 93
        assert dagster.get_runs_count() == 3
    lake = WheelResource(data=str(places.data)).lake()
    assert {day: lake.fingerprint(AGENT_RUNS, day) for day in before} == before
    # The same rows wake nobody.
    assert stale_days(lake, ADMIT) == []


def test_a_run_that_fails_ends_it_and_says_where_to_go_on(
    wheel: WheelResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, (first, second, third) = wheel.places(), wheel.lake().days(AGENT_RUNS)
    monkeypatch.setattr(module, "DAYS_A_RUN", 1)
    # The first run that succeeds leaves a horizon behind that does not fit, and fails the second.
    real = module.instance

    def instance_that_spoils_the_second(of: Places) -> dg.DagsterInstance:
        found = real(of)
        handled = found.handle_new_event

        def handle(event: dg.EventLogEntry, **more: object) -> None:
            handled(event, **more)
            if event.dagster_event and event.dagster_event.is_job_success:
                monkeypatch.setenv("FLYWHEEL_ABANDONED_HOURS", "-1")

        monkeypatch.setattr(found, "handle_new_event", handle)
        return found

    monkeypatch.setattr(module, "instance", instance_that_spoils_the_second)
    code, said = call(places, str(first), str(third), "--asset", "agent_runs")
    assert (code, said["ok"], said["result"]["built_until"]) == (1, False, str(first))
    assert "FLYWHEEL_ABANDONED_HOURS is -1" in said["result"]["failed"][0]
    goes_on = f"flywheel backfill {second} {third} --asset agent_runs   goes on from there"
    assert said["next_actions"][-1] == goes_on
    monkeypatch.undo()
    assert call(places, str(second), str(third), "--asset", "agent_runs")[0] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("2026-02-02", "2026-01-01"), "is after"),
        (("2026-01-01", "2026-01-02", "--asset", "skill_scores"), "not computed by day: skill_scores"),
    ],
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], told: str, tmp_path) -> None:
    code, said = call(Places(tmp_path), *words)
    assert (code, told in said["error"]["message"]) == (2, True)


def test_tables_name_the_steps_that_write_them() -> None:
    assert steps_of([]) == list(DAY_STEPS)
    assert steps_of(["run_spans", "agent_runs"]) == [FOLD_RUNS]
