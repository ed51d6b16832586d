"""Dagster's storage on a real PostgreSQL, by FLYWHEEL_POSTGRES_URL: runs, sensors' ticks, a backfill."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from flywheel_assets.commands.up import Ports, running
from flywheel_assets.defs.home import POSTGRES, instance
from flywheel_assets.defs.turn import turn_the_wheel
from flywheel_assets.lake.places import Places
from flywheel_assets_tests.real_servers.postgres import PROGRAMS, postgres_url

SETTINGS = Path(__file__).resolve().parents[2] / "flywheel_assets" / "defs"
DAYS = [datetime.now(UTC).date() - timedelta(days=back) for back in (3, 2)]
pytestmark = pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL on this machine: apt-get install postgresql")

TICKS = """{ sensorsOrError(repositorySelector: {repositoryLocationName: "flywheel_assets.definitions",
    repositoryName: "__repository__"}) { ... on Sensors { results { name sensorState { ticks(limit: 1) {
    status skipReason runIds } } } } } }"""
LAUNCH = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
BACKFILL = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status runs(limit: 50) { status } } } }"""


@pytest.fixture
def _on_postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with postgres_url() as url:
        monkeypatch.setenv(POSTGRES, url)
        yield


def asked(ui: str, query: str, **variables: object) -> dict[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{ui}/graphql", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


def until(done: Callable[[], Any], seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while not (found := done()) and time.monotonic() < end:
        time.sleep(0.5)
    return found


def test_its_settings_are_the_same_but_for_where_history_is_kept() -> None:
    plain = yaml.safe_load((SETTINGS / "dagster.yaml").read_text())
    del plain["event_log_storage"]
    storage = {"postgres": {"postgres_url": {"env": POSTGRES}}}
    assert yaml.safe_load((SETTINGS / "dagster-postgres.yaml").read_text()) == plain | {"storage": storage}


@pytest.mark.slow
@pytest.mark.usefixtures("_on_postgres")
def test_a_turn_the_sensors_and_a_backfill_keep_their_history_in_postgres(
    tmp_path: Path, arrive: Callable[[Places, Any, int], None]
) -> None:
    places = Places(tmp_path / "data")
    for day in DAYS:
        arrive(places, day, 5)
    done = turn_the_wheel(places)
    assert (done.failed, done.red) == ([], [])
    with instance(places) as dagster:
        assert [run.run_id for run in dagster.get_runs()] == [done.run_id]
        days = dagster.get_materialized_partitions(dg.AssetKey("agent_runs"))
    assert days == {day.isoformat() for day in DAYS}

    with running(places, Ports(0, 0, 0)) as (at, _):
        told = until(lambda: tick_of(at.ui, "inbox"))
        launched = asked(
            at.ui,
            LAUNCH,
            params={
                "assetSelection": [{"path": ["agent_runs"]}, {"path": ["run_spans"]}],
                "partitionNames": sorted(days),
            },
        )["launchPartitionBackfill"]
        ended = until(lambda: finished(at.ui, launched["backfillId"]))
        with instance(places) as dagster:
            ran = until(lambda: all(run.is_finished for run in dagster.get_runs()) and dagster.get_runs())
    # The sensor's first tick asks for a run: it has seen none of the inbox's files before.
    assert (told["status"], len(told["runIds"])) == ("SUCCESS", 1)
    assert {run.run_id: run.status for run in ran}[told["runIds"][0]] == dg.DagsterRunStatus.SUCCESS
    # One run for both days, and its process reported to the same database.
    assert ended == {"status": "COMPLETED_SUCCESS", "runs": [{"status": "SUCCESS"}]}
    assert [path for path in (places.data / "dagster").rglob("*.db") if path.stat().st_size] == []


def tick_of(ui: str, sensor: str) -> dict[str, Any] | None:
    found = asked(ui, TICKS)["sensorsOrError"]["results"]
    ticks = next(one["sensorState"]["ticks"] for one in found if one["name"] == sensor)
    return ticks[0] if ticks and ticks[0]["status"] != "STARTED" else None


def finished(ui: str, backfill: str) -> dict[str, Any] | None:
    found = asked(ui, BACKFILL, id=backfill)["partitionBackfillOrError"]
    return found if found["status"] in ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED") else None
