"""The event log that stays open writes what Dagster's own reads, from any thread, and lets go of its files."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef

from flywheel_assets.defs import steady_log
from flywheel_assets.defs.home import instance, prepare
from flywheel_assets.defs.report import OWN_EVENTS
from flywheel_assets.lake.places import Places


@dg.asset
def made() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 3})


@dg.asset_check(asset=made)
def holds() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def open_files(folder: Path) -> int:
    links = [file.readlink() for file in Path("/proc/self/fd").iterdir() if file.is_symlink() and file.exists()]
    return sum(link.is_relative_to(folder) for link in links)


def test_what_it_writes_is_what_dagster_reads(places: Places) -> None:
    with instance(places) as steady:
        run = dg.materialize([made, holds], instance=steady).run_id
    home = prepare(places)
    dagsters = {"module": "dagster._core.storage.event_log", "class": "SqliteEventLogStorage"}
    overrides = {"event_log_storage": dagsters | {"config": {"base_dir": str(home / "history" / "runs")}}}
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=overrides)) as plain:
        events = [entry.dagster_event.event_type_value for entry in plain.all_logs(run) if entry.dagster_event]
        newest = plain.get_latest_materialization_event(dg.AssetKey("made"))
        (check,) = plain.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey("made"), "holds"), limit=5
        )
    assert events[-1] == "PIPELINE_SUCCESS"
    assert events.count("ASSET_MATERIALIZATION") == events.count("ASSET_CHECK_EVALUATION") == 1
    assert newest is not None
    assert newest.asset_materialization is not None
    assert newest.asset_materialization.metadata["rows"].value == 3
    assert check.status.value == "SUCCEEDED"


def test_a_check_is_in_one_row_whether_it_was_planned_or_not(places: Places) -> None:
    key = dg.AssetCheckKey(dg.AssetKey("made"), "holds")
    with instance(places) as steady:
        # A run that writes its events itself, as turns do, plans no checks.
        runs = [dg.materialize([made, holds], instance=steady, tags=tags).run_id for tags in ({}, {OWN_EVENTS: "true"})]
        unplanned, planned = steady.event_log_storage.get_asset_check_execution_history(key, limit=5)
    assert [unplanned.run_id, planned.run_id] == runs[::-1]
    for check in (unplanned, planned):
        assert check.status.value == "SUCCEEDED"
        assert check.evaluation is not None
        assert check.evaluation.target_materialization_data is not None
        assert check.evaluation.target_materialization_data.run_id == runs[0]


def test_a_run_begins_with_a_copy_of_an_empty_file_that_dagster_laid_out(places: Places) -> None:
    with instance(places) as steady:
        runs = [dg.materialize([made, holds], instance=steady).run_id for _ in range(2)]
        assert set(steady.event_log_storage.get_all_run_ids()) == set(runs)
    folder = places.data / "dagster" / "history" / "runs"
    laid_out = []
    for name in [f"empty-{dg.__version__}", *(f"{run}.db" for run in runs)]:
        with closing(sqlite3.connect(folder / name)) as con:
            schema = con.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
            events, revision = (
                con.execute(f"SELECT {what}").fetchall()
                for what in ("count(*) FROM event_logs", "* FROM alembic_version")
            )
            laid_out.append((schema, revision))
        assert (events[0][0] > 0) == name.endswith(".db")
    assert laid_out[0] == laid_out[1] == laid_out[2]


def test_few_files_stay_open_and_none_after_it_is_closed(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady_log, "MOST_OPEN", 2)
    with instance(places) as steady:
        for _ in range(3):
            assert dg.materialize([made], instance=steady).success
        # Of each: the file, its log, and its index in shared memory, which SQLite may open twice.
        assert 0 < open_files(places.data / "dagster" / "history" / "runs") <= 2 * 4
    assert open_files(places.data / "dagster" / "history" / "runs") == 0


def test_threads_take_turns(places: Places) -> None:
    key = dg.AssetKey("noted")
    with instance(places) as steady:

        def note(number: int) -> None:
            steady.report_runless_asset_event(dg.AssetMaterialization(key, metadata={"number": number}))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(note, range(20)))
        records = steady.fetch_materializations(key, limit=100).records
    said = [record.asset_materialization.metadata["number"].value for record in records if record.asset_materialization]
    assert sorted(map(str, said), key=int) == [str(number) for number in range(20)]
