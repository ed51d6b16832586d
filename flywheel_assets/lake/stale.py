"""Which days of a step are stale.

A day is stale when the fingerprints of what it reads differ from those it was last built from, so
a rebuild that changes nothing ripples no further, and a killed run is taken up where it stopped.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from flywheel_assets.lake.fingerprint import NO_ROWS
from flywheel_assets.lake.installed import installed
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.steps import Read, Step
from flywheel_assets.tables.table import Table

# Depends on the rows, not on their order.
_SAID = "SELECT of, count(*), sum(hash(said)::HUGEINT) FROM ({}) GROUP BY of"
_NOTHING_SAID: list[tuple[int, int | None]] = [(0, None)]
# Days about which others are asked at once: a query for each would plan longer than it computes.
_ASKED = 31


def window(read: Read, day: date) -> list[date]:
    """The days of `read.table` that a day step reads to compute `day`."""
    return [day + timedelta(days=shift) for shift in range(-read.before, read.after + 1)]


def stale_days(lake: Lake, step: Step) -> list[date]:
    """Days of a day step that were never built from what is in the lake now, ascending.

    A day around which others changed in nothing that concerns it is not stale.
    """
    changed, _, unconcerned = _changed(lake, step)
    return [day for day in changed if day not in unconcerned]


def stale(lake: Lake, step: Step) -> dict[date, str]:
    """`stale_days`, each with its stamp.

    Of other days around which something changed it is noted that it concerns them not, so nobody looks again.
    """
    changed, concern, unconcerned = _changed(lake, step)
    if unconcerned:
        lake.restamp(step.writes[-1], {day: changed[day] for day in unconcerned})
    left = [day for day in changed if day not in unconcerned]
    concern |= concerns(lake, step, [day for day in left if day not in concern])
    return {day: changed[day] + concern.get(day, "") for day in left}


def _changed(lake: Lake, step: Step) -> tuple[dict[date, str], dict[date, str], set[date]]:
    """Days with other `inputs` than they were built from, ascending, with those; `concerns` of such as had some before.

    Last, the days whose concerns are what they were: they are not stale.
    """
    wanted = inputs(lake, step, _reachable(lake, step))
    built = lake.stamps(step.writes[-1], wanted)
    changed = {day: wanted[day] for day in sorted(wanted) if built[day] != wanted[day]}
    known = lake.stamps(step.writes[-1], changed, "concern")
    concern = concerns(lake, step, [day for day in changed if known[day] is not None])
    return changed, concern, {day for day, found in concern.items() if found == known[day]}


def stamps(lake: Lake, step: Step, days: Sequence[date]) -> dict[date, str]:
    """Each day's stamp of what is in the lake now: its `inputs`, and where the step says what concerns it, those."""
    concern = concerns(lake, step, days)
    return {day: stamp + concern.get(day, "") for day, stamp in inputs(lake, step, days).items()}


def inputs(lake: Lake, step: Step, days: Iterable[date]) -> dict[date, str]:
    """For each day, fifteen hex digits over the step's version, installed rules, and all the content it reads."""
    return _inputs(lake, step, days, window)


def concerns(lake: Lake, step: Step, days: Iterable[date]) -> dict[date, str]:
    """As `inputs`, but of other days' rows only those that concern the day; no days where the step does not say."""
    looking, days = [read for read in step.reads if read.concern], list(days)
    if not (looking and days):
        return {}
    strict = _inputs(lake, step, days, _itself)
    found: dict[date, str] = {}
    for start in range(0, len(days), _ASKED):
        some = days[start : start + _ASKED]
        said = [_said(lake, step, read, some) for read in looking]
        found |= {day: digest(strict[day], repr([one.get(day, _NOTHING_SAID) for one in said])) for day in some}
    return found


def _itself(read: Read, day: date) -> list[date]:
    near = window(read, day)
    return [day] * (day in near) if read.concern else near


def _said(lake: Lake, step: Step, read: Read, days: Sequence[date]) -> dict[date, list[tuple[int, int | None]]]:
    """By day how many rows of other days concern it, and the sum of their hashes; no day that none concerns."""
    others = {near for day in days for near in window(read, day) if near != day}
    if others.isdisjoint(lake.days(read.table)):
        return {}
    with connect(lake, step, days, None, step.writes) as con:
        con.register("asked", pa.table({"day": pa.array(days, pa.date32())}))
        return {day: [(count, total)] for day, count, total in con.execute(_SAID.format(read.concern)).fetchall()}


def _inputs(lake: Lake, step: Step, days: Iterable[date], seen: Callable[[Read, date], list[date]]) -> dict[date, str]:
    days = list(days)
    contents = {
        read.table.name: _contents(lake, read.table, sorted({near for day in days for near in seen(read, day)}))
        for read in step.reads
    }
    return {
        day: digest(
            step.version,
            *installed(step.rules),
            *(contents[read.table.name][near] or "-" for read in step.reads for near in seen(read, day)),
        )
        for day in days
    }


def connect(
    lake: Lake, step: Step, days: Sequence[date], threads: int | None, also: Sequence[Table] = ()
) -> duckdb.DuckDBPyConnection:
    """A DuckDB with what the step reads for those days, and those days of other tables, as views."""
    windows = {table.name: list(days) for table in also}
    windows |= {
        read.table.name: sorted({near for day in days for near in window(read, day)})
        for read in step.reads
        if read.table.by_day
    }
    tables = {table.name: table for table in (*also, *(read.table for read in step.reads))}
    return lake.connect(tables.values(), windows, threads=threads)


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
    if "days" not in table.names:
        # Of no day, and read by all: it brings none about.
        return []
    con = lake.connect([table])
    return [day for (day,) in con.sql(f"SELECT DISTINCT unnest(days) FROM {table.name}").fetchall()]


def _contents(lake: Lake, table: Table, days: list[date]) -> dict[date, str | None]:
    if table.by_day:
        found = lake.fingerprints(table, days)
        # A day that was written without rows tells its readers no more than one that never was.
        return {day: None if found[day] == NO_ROWS else found[day] for day in days}
    if "days" not in table.names:
        return dict.fromkeys(days, lake.fingerprint(table))
    con = lake.connect([table])
    rows = con.sql(
        f"""
        SELECT day, string_agg(DISTINCT batch_id, ',' ORDER BY batch_id)
        FROM (SELECT unnest(days) AS day, batch_id FROM {table.name} WHERE status = 'accepted')
        GROUP BY day
        """
    ).fetchall()
    found = {day: digest(ids) for day, ids in rows}
    return {day: found.get(day) for day in days}


def digest(*parts: str) -> str:
    """Fifteen hex digits over the parts, as `Lake.overwrite` takes for a stamp."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:15]
