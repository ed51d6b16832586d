"""The files that a write leaves: what the log says of them, who reads them, what a failed write leaves."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from pyarrow import parquet

from flywheel_assets.lake import files
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.session import connection, reading, session
from flywheel_assets.tables.table import DAY, FLAG, INT, REAL, TEXT, TIME, Column, Table

WHEN = date(2026, 1, 1)
LONG = "z" * 40
KINDS = Table(
    name="kinds",
    stage="lake",
    row="One row with a column of every kind.",
    key=("name",),
    by_day=True,
    columns=(
        Column("day", DAY, "Day"),
        Column("name", TEXT, "Name"),
        Column("text", TEXT, "Text"),
        Column("whole", INT, "Whole number"),
        Column("real", REAL, "Number"),
        Column("flag", FLAG, "Flag"),
        Column("time", TIME, "Time"),
        Column("born", DAY, "Date"),
        Column("map", pa.map_(pa.string(), pa.string()), "Map"),
        Column("list", pa.list_(pa.struct([("one", pa.string())])), "List"),
    ),
)


def kind(name: str, **values: object) -> dict[str, object]:
    return {"day": WHEN, "name": name, **values}


def rows() -> pa.Table:
    at = datetime(2026, 1, 1, 1, 2, 3, 4, tzinfo=UTC)
    return KINDS.rows(
        [
            kind("a", text=LONG, whole=-3, real=0.5, flag=True, time=at, born=date(2020, 5, 6), map=[("k", "v")]),
            kind("b", text="ä", whole=2**62, real=math.inf, list=[{"one": "x"}]),
            kind("c"),
        ]
    )


def bounds(lake: Lake, what: str) -> dict[str, object]:
    opened = lake.open(KINDS)
    assert opened is not None
    (found,) = pa.table(opened.get_add_actions(flatten=False)).column(what).to_pylist()
    return {name: value for name, value in found.items() if value is not None}


def test_the_log_bounds_every_flat_column_and_counts_its_nulls(lake: Lake):
    lake.overwrite(KINDS, rows(), WHEN)
    at = datetime(2026, 1, 1, 1, 2, 3, 4, tzinfo=UTC)
    common = {"time": at, "born": date(2020, 5, 6)}
    assert bounds(lake, "min") == {"name": "a", "text": LONG[:32], "whole": -3, "real": 0.5, **common}
    assert bounds(lake, "max") == {"name": "c", "text": "ä", "whole": 2**62, **common}
    nulls = {"name": 0, "text": 1, "whole": 1, "real": 1, "flag": 2, "time": 2, "born": 2}
    assert bounds(lake, "null_count") == nulls


def test_bounds_hold_over_several_row_groups_of_which_some_have_no_values(lake: Lake, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(files, "GROUP_ROWS", 1)
    monkeypatch.setattr(files, "WRITERS", 1)
    given = [("b", {"whole": 5}), ("a", {}), ("c", {"whole": 4})]
    parts = (partial(KINDS.rows, [kind(name, **value)]) for name, value in given)
    lake.overwrite(KINDS, parts, WHEN, content="1")
    found = (bounds(lake, "min"), bounds(lake, "max"), bounds(lake, "null_count"))
    assert [(one["name"], one["whole"]) for one in found] == [("a", 4), ("c", 5), (0, 1)]


def test_rows_come_back_the_same_through_the_lake_the_engine_and_duckdb(tmp_path: Path):
    lake = Lake(str(tmp_path))
    lake.overwrite(KINDS, rows(), WHEN)
    engine = DeltaTable(lake.uri(KINDS)).to_pyarrow_table().select(KINDS.names).cast(KINDS.schema)
    plain = duckdb.sql(
        f"FROM read_parquet({lake.files(KINDS)}, hive_partitioning = true, hive_types = {{'day': DATE}}) ORDER BY name"
    )
    assert rows() == lake.read(KINDS) == engine.sort_by("name")
    assert plain.select(*KINDS.names).to_arrow_table().to_pylist() == rows().to_pylist()


def test_many_parts_become_a_file_per_thread_and_lose_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(files, "GROUP_ROWS", 10)
    monkeypatch.setattr(files, "WRITERS", 3)
    names = [f"{number:04}" for number in range(500)]
    lake = Lake(str(tmp_path))
    parts = (partial(KINDS.rows, [kind(name)]) for name in names)
    assert lake.overwrite(KINDS, parts, WHEN, content="1").rows == 500
    assert lake.read(KINDS).column("name").to_pylist() == names
    written = [parquet.read_metadata(path) for path in lake.files(KINDS)]
    assert 1 <= len(written) <= 3
    assert max(one.row_group(0).num_rows for one in written) == 10


@pytest.mark.parametrize("before", [0, 25])
@pytest.mark.parametrize("where", ["in a part", "between parts"])
def test_parts_that_break_leave_the_day_as_it_was_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, where: str
):
    monkeypatch.setattr(files, "GROUP_ROWS", 10)
    lake = Lake(str(tmp_path))
    lake.overwrite(KINDS, rows(), WHEN)
    version, there = lake.version(KINDS), sorted(tmp_path.rglob("*.parquet"))

    def cut() -> pa.Table:
        message = "cut"
        raise OSError(message)

    def parts() -> Iterator[files.Part]:
        for number in range(before):
            yield partial(KINDS.rows, [kind(str(number))])
        yield cut if where == "in a part" else cut().slice

    with pytest.raises(OSError, match="cut"):
        lake.overwrite(KINDS, parts(), WHEN, content="1")
    assert (lake.version(KINDS), sorted(tmp_path.rglob("*.parquet"))) == (version, there)
    assert lake.read(KINDS) == rows()


def test_a_day_that_another_writes_meanwhile_is_not_written_over(lake: Lake):
    lake.overwrite(KINDS, rows(), WHEN)

    def slow(meanwhile: Lake) -> pa.Table:
        meanwhile.overwrite(KINDS, KINDS.rows([kind("theirs")]), WHEN)
        return KINDS.rows([kind("mine")])

    # Through another lake object, as another process; then through the same, as another thread.
    for meanwhile in (Lake(lake.root, lake.storage_options), lake):
        with pytest.raises(CommitFailedError, match="same time"):
            lake.overwrite(KINDS, iter([partial(slow, meanwhile)]), WHEN, content="1")
        assert lake.read(KINDS).column("name").to_pylist() == ["theirs"]


def test_days_written_by_several_threads_of_one_lake_are_all_kept(lake: Lake):
    days = [WHEN + timedelta(days=shift) for shift in range(8)]

    def write(day: date) -> None:
        for turn in range(4):
            lake.overwrite(KINDS, KINDS.rows([{"day": day, "name": f"{turn}/{day}"}]), day, inputs=f"{turn}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, days))
    assert lake.read(KINDS).column("name").to_pylist() == [f"3/{day}" for day in days]
    assert set(lake.stamps(KINDS, days).values()) == {f"{3:015x}"}


def test_no_connection_draws_on_standard_output(tmp_path: Path):
    with duckdb.connect(str(tmp_path / "file.duckdb")) as con:
        con.execute("CREATE TABLE t (n INTEGER)")
    for con in (connection(), session(), session(1), reading(tmp_path / "file.duckdb")):
        assert con.sql("SELECT current_setting('enable_progress_bar')").fetchall() == [(False,)]


def test_what_was_read_of_files_that_will_be_replaced_is_not_kept(lake: Lake):
    day = date(2026, 5, 1)
    lake.overwrite(KINDS, KINDS.rows([{"day": day, "name": str(number)} for number in range(9)]), day)
    con = lake.connect([KINDS])
    assert con.sql(f"FROM {KINDS.name}").to_arrow_table().num_rows == 9
    held = "SELECT sum(memory_usage_bytes) FROM duckdb_memory() WHERE tag = 'EXTERNAL_FILE_CACHE'"
    assert con.sql(held).fetchall() == [(0,)]
