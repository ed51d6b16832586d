"""Which days of a step are stale, and rebuilding them: read, one pure call, write.

A day is stale when the fingerprints of what it reads differ from those it was last built from, so
a rebuild that changes nothing ripples no further, and a killed run is taken up where it stopped.
"""

import hashlib
from collections.abc import Callable, Iterable
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from flywheel_assets.lake.lake import Lake, Written
from flywheel_assets.tables.steps import Read, Step
from flywheel_assets.tables.table import Table

# Given a DuckDB with the step's tables as views and the day, the rows of each table it writes.
DayTransform = Callable[[duckdb.DuckDBPyConnection, date], tuple[pa.Table, ...]]


def window(read: Read, day: date) -> list[date]:
    """The days of `read.table` that a day step reads to compute `day`."""
    return [day + timedelta(days=shift) for shift in range(-read.before, read.after + 1)]


def stale_days(lake: Lake, step: Step) -> list[date]:
    """Days of a day step that were never built from what is in the lake now, ascending."""
    wanted = inputs(lake, step, _reachable(lake, step))
    built = lake.stamps(step.writes[-1], wanted)
    return sorted(day for day, stamp in wanted.items() if built[day] != stamp)


def inputs(lake: Lake, step: Step, days: Iterable[date]) -> dict[date, str]:
    """For each day, fifteen hex digits over the step's version and all the content it reads."""
    days = list(days)
    contents = {
        read.table.name: _contents(lake, read.table, sorted({near for day in days for near in window(read, day)}))
        for read in step.reads
    }
    return {
        day: _digest(
            step.version,
            *(contents[read.table.name][near] or "-" for read in step.reads for near in window(read, day)),
        )
        for day in days
    }


def rebuild_day(lake: Lake, step: Step, day: date, transform: DayTransform) -> list[Written]:
    """Compute and overwrite one day of every table the step writes.

    The last table is written last and carries the stamp that makes the day count as built, so a
    process that dies in between leaves the day stale.
    """
    stamp = inputs(lake, step, [day])[day]
    tables = [read.table for read in step.reads]
    con = lake.connect(tables, {read.table.name: window(read, day) for read in step.reads if read.table.by_day})
    outputs = transform(con, day)
    return [lake.overwrite(table, rows, day, inputs=stamp) for table, rows in zip(step.writes, outputs, strict=True)]


def _reachable(lake: Lake, step: Step) -> list[date]:
    days: set[date] = set()
    for read in step.reads:
        for day in _days(lake, read.table):
            # What `day` is read by: the reverse of `window`. Only the day itself, and days before it
            # that look ahead, can gain rows by it; days without any rows of their own are left out.
            days.update(day + timedelta(days=shift) for shift in range(-read.after, read.before + 1))
    written = {day for table in step.writes for day in lake.days(table)}
    # A written day stays reachable when all that it was computed from is gone: its rows have to go too.
    return sorted(days & set(_days(lake, step.reads[0].table)) | written)


def _days(lake: Lake, table: Table) -> list[date]:
    if table.by_day:
        return lake.days(table)
    con = lake.connect([table])
    return [day for (day,) in con.sql(f"SELECT DISTINCT unnest(days) FROM {table.name}").fetchall()]


def _contents(lake: Lake, table: Table, days: list[date]) -> dict[date, str | None]:
    if table.by_day:
        found = lake.fingerprints(table, days)
        return {day: found[day] for day in days}
    con = lake.connect([table])
    rows = con.sql(
        f"""
        SELECT day, string_agg(DISTINCT batch_id, ',' ORDER BY batch_id)
        FROM (SELECT unnest(days) AS day, batch_id FROM {table.name} WHERE status = 'accepted')
        GROUP BY day
        """
    ).fetchall()
    found = {day: _digest(ids) for day, ids in rows}
    return {day: found.get(day) for day in days}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:15]
