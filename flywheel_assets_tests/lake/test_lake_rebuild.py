"""Which days are stale, and rebuilding them."""

import time
from datetime import UTC, date, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest

from flywheel_assets.lake import rebuild
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.rebuild import rebuild_days
from flywheel_assets.lake.stale import inputs, stale_days, window
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.steps import Read, Step
from flywheel_assets.tables.table import DAY, INT, TEXT, Column, Table

COLUMNS = (Column("day", DAY, "Day", required=True), Column("name", TEXT, "Name"), Column("amount", INT, "Amount"))


def by_day(name: str) -> Table:
    return Table(name=name, stage="tests", row="A row.", key=("day", "name"), columns=COLUMNS, by_day=True)


SOURCE, DOUBLED, COUNTED, SUMMED = by_day("source"), by_day("doubled"), by_day("counted"), by_day("summed")
DOUBLE = Step("double", (Read(SOURCE),), (DOUBLED, COUNTED))
SUM = Step("sum", (Read(DOUBLED, before=1, after=2),), (SUMMED,))
FIRST = date(2026, 1, 10)


def day(shift: int) -> date:
    return FIRST + timedelta(days=shift)


def put(lake: Lake, shift: int, *amounts: int) -> None:
    rows = [{"day": day(shift), "name": str(n), "amount": amount} for n, amount in enumerate(amounts)]
    lake.overwrite(SOURCE, SOURCE.rows(rows), day(shift))


def double(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table, pa.Table]:
    doubled = con.execute("SELECT day, name, amount * 2 AS amount FROM source").to_arrow_table()
    counted = con.execute(
        "SELECT ?::DATE AS day, 'n' AS name, count(*) AS amount FROM source HAVING count(*) > 0", [day]
    )
    return doubled, counted.to_arrow_table()


def add_up(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table]:
    summed = con.execute("SELECT ?::DATE AS day, 'sum' AS name, sum(amount)::BIGINT AS amount FROM doubled", [day])
    return (summed.to_arrow_table(),)


def build(lake: Lake, step: Step, transform) -> list[date]:
    """Rebuild every stale day; which they were."""
    stale = stale_days(lake, step)
    assert [built.day for built in rebuild_days(lake, step, stale, transform)] == stale
    return stale


def test_the_window_of_a_read_is_the_days_around():
    assert window(Read(SOURCE, before=1, after=2), FIRST) == [day(-1), day(0), day(1), day(2)]


def test_only_days_whose_inputs_changed_are_stale(lake: Lake):
    put(lake, 0, 1, 2)
    put(lake, 1, 3)
    assert build(lake, DOUBLE, double) == [day(0), day(1)]
    assert stale_days(lake, DOUBLE) == []
    put(lake, 1, 4)
    assert build(lake, DOUBLE, double) == [day(1)]
    assert lake.read(DOUBLED).column("amount").to_pylist() == [2, 4, 8]


def test_a_rewrite_with_the_same_rows_ripples_nowhere(lake: Lake):
    put(lake, 0, 1, 2)
    build(lake, DOUBLE, double)
    build(lake, SUM, add_up)
    put(lake, 0, 1, 2)
    assert (stale_days(lake, DOUBLE), stale_days(lake, SUM)) == ([], [])


def test_a_rebuild_that_changes_nothing_ripples_no_further(lake: Lake):
    put(lake, 0, 1, 2)
    build(lake, DOUBLE, double)
    build(lake, SUM, add_up)
    newer = Step(DOUBLE.name, DOUBLE.reads, DOUBLE.writes, version="2")
    assert build(lake, newer, double) == [day(0)]
    assert stale_days(lake, SUM) == []


def test_a_change_reaches_the_days_that_look_at_it_and_have_rows_of_their_own(lake: Lake):
    for shift in (-5, -2, -1, 0, 1, 2):
        put(lake, shift, 1)
    build(lake, DOUBLE, double)
    build(lake, SUM, add_up)
    put(lake, 0, 7)
    build(lake, DOUBLE, double)
    assert stale_days(lake, SUM) == [day(-2), day(-1), day(0), day(1)]


def test_a_day_that_is_first_written_without_rows_ripples_nowhere(lake: Lake):
    put(lake, 0, 1, 2)
    build(lake, DOUBLE, double)
    build(lake, SUM, add_up)
    lake.overwrite(DOUBLED, DOUBLED.empty(), day(1))
    assert stale_days(lake, SUM) == []


def test_a_day_that_lost_all_its_inputs_is_stale_until_its_rows_are_gone(lake: Lake):
    put(lake, 0, 1, 2)
    build(lake, DOUBLE, double)
    put(lake, 0)
    assert build(lake, DOUBLE, double) == [day(0)]
    assert lake.read(DOUBLED).num_rows == lake.read(COUNTED).num_rows == 0
    assert stale_days(lake, DOUBLE) == []


def test_a_day_is_stale_until_the_last_of_its_tables_is_written(lake: Lake):
    put(lake, 0, 1, 2)
    stamp = inputs(lake, DOUBLE, [FIRST])[FIRST]
    con = lake.connect([SOURCE])
    doubled, counted = double(con, FIRST)
    lake.overwrite(DOUBLED, doubled, FIRST, inputs=stamp)
    assert stale_days(lake, DOUBLE) == [FIRST]
    lake.overwrite(COUNTED, counted, FIRST, inputs=stamp)
    assert stale_days(lake, DOUBLE) == []


def test_a_transform_sees_only_the_days_it_declared(lake: Lake):
    for shift in (-2, -1, 0, 1, 2, 3):
        put(lake, shift, 10 ** (shift + 2))
    build(lake, DOUBLE, double)
    list(rebuild_days(lake, SUM, [FIRST], add_up))
    assert lake.read(SUMMED).column("amount").to_pylist() == [2 * 11110]


def test_a_transform_that_gives_too_few_tables_is_refused(lake: Lake):
    put(lake, 0, 1)
    with pytest.raises(ValueError, match="shorter"):
        list(rebuild_days(lake, DOUBLE, [FIRST], add_up_of_source))


def add_up_of_source(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table]:
    return (double(con, day)[0],)


def land(lake: Lake, batch: str, status: str, *shifts: int) -> None:
    row = {
        "batch_id": batch,
        "status": status,
        "signal": "traces",
        "format": "json",
        "source": "files",
        "file": batch + status,
        "ordinal": 0,
        "offset": 0,
        "length": 1,
        "landed_at": datetime(2026, 1, 1, tzinfo=UTC),
        "spans": 1,
        "spans_set_aside": 0,
        "days": [day(shift) for shift in shifts],
    }
    lake.append(LANDED_BATCHES, LANDED_BATCHES.rows([row]), key=batch + status)


def test_a_landed_batch_makes_its_days_stale_and_a_duplicate_makes_none(lake: Lake):
    decode = Step("decode", (Read(LANDED_BATCHES),), (SUMMED,))
    nothing = lambda _con, _day: (SUMMED.empty(),)  # noqa: E731
    land(lake, "a", "accepted", 0, 1)
    assert build(lake, decode, nothing) == [day(0), day(1)]
    land(lake, "a", "duplicate", 0, 1)
    assert stale_days(lake, decode) == []
    land(lake, "b", "accepted", 1, 2)
    assert build(lake, decode, nothing) == [day(1), day(2)]


def test_days_side_by_side_are_written_in_order_up_to_the_one_that_fails(lake: Lake):
    days = [day(shift) for shift in range(9)]
    for shift in range(9):
        put(lake, shift, shift)

    def fails(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table, pa.Table]:
        # The first are slower than the last.
        time.sleep(0.01 * (days[-1] - day).days)
        if day == days[5]:
            raise ValueError("no such day")
        return double(con, day)

    seen: list[date] = []
    with pytest.raises(ValueError, match="no such day"):
        seen += (built.day for built in rebuild_days(lake, DOUBLE, days, fails))
    assert (seen, lake.days(COUNTED)) == (days[:5], days[:5])
    assert stale_days(lake, DOUBLE) == days[5:]
    assert build(lake, DOUBLE, double) == days[5:]
    assert lake.read(DOUBLED).column("amount").to_pylist() == [2 * shift for shift in range(9)]


@pytest.mark.parametrize("commits", range(6))
def test_a_process_that_dies_between_two_commits_is_taken_up_where_it_stopped(
    lake: Lake, commits: int, monkeypatch: pytest.MonkeyPatch
):
    days = [day(shift) for shift in range(3)]
    for shift in range(3):
        put(lake, shift, shift + 1)
    # Every day is written by itself: two commits each.
    monkeypatch.setattr(rebuild, "TOGETHER", 1)
    write, left = Lake.commit, iter(range(commits))

    def until_it_dies(*given, **named):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return write(*given, **named)

    with monkeypatch.context() as dying:
        dying.setattr(Lake, "commit", until_it_dies)
        with pytest.raises(KeyboardInterrupt):
            list(rebuild_days(lake, DOUBLE, days, double))
    assert (lake.days(DOUBLED), lake.days(COUNTED)) == (days[: (commits + 1) // 2], days[: commits // 2])
    assert build(lake, DOUBLE, double) == days[commits // 2 :]
    assert lake.read(DOUBLED).column("amount").to_pylist() == [2, 4, 6]
    assert lake.read(COUNTED).column("amount").to_pylist() == [1, 1, 1]
