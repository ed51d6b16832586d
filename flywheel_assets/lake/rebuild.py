"""Which days of a step are stale, and rebuilding them: read, one pure call a day, write.

A day is stale when the fingerprints of what it reads differ from those it was last built from, so
a rebuild that changes nothing ripples no further, and a killed run is taken up where it stopped.
"""

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from flywheel_assets.lake.fingerprint import NO_ROWS
from flywheel_assets.lake.installed import installed
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.overwrite import Written
from flywheel_assets.tables.steps import Read, Step
from flywheel_assets.tables.table import Table

# Given a DuckDB with the step's tables as views and the day, the rows of each table it writes.
DayTransform = Callable[[duckdb.DuckDBPyConnection, date], tuple[pa.Table, ...]]
SIDE_BY_SIDE = min(4, os.cpu_count() or 1)
# So many bytes of rows are written together: each commit costs as much as hundreds of rows.
TOGETHER = 64 * 2**20
# Depends on the rows, not on their order.
_SAID = "SELECT of, count(*), sum(hash(said)::HUGEINT) FROM ({}) GROUP BY of"
_NOTHING_SAID: list[tuple[int, int | None]] = [(0, None)]
# Days about which others are asked at once: a query for each would plan longer than it computes.
_ASKED = 31


@dataclass(frozen=True, slots=True)
class Computed:
    """A day's rows of each table that the step writes, and the seconds it took."""

    day: date
    rows: dict[str, pa.Table]
    seconds: float


@dataclass(frozen=True, slots=True)
class Built:
    """A day that was rebuilt: what was written, in the step's order, and the seconds spent on it."""

    day: date
    written: list[Written]
    seconds: float


def window(read: Read, day: date) -> list[date]:
    """The days of `read.table` that a day step reads to compute `day`."""
    return [day + timedelta(days=shift) for shift in range(-read.before, read.after + 1)]


def stale_days(lake: Lake, step: Step, *, settle: bool = False) -> list[date]:
    """Days of a day step that were never built from what is in the lake now, ascending.

    A day around which others changed in nothing that concerns it is not stale; `settle` notes that, so
    that it is not looked into again.
    """
    wanted = inputs(lake, step, _reachable(lake, step))
    built = lake.stamps(step.writes[-1], wanted)
    changed = sorted(day for day, stamp in wanted.items() if built[day] != stamp)
    known = lake.stamps(step.writes[-1], changed, "concern")
    asked = [day for day in changed if known[day] is not None]
    unconcerned = [day for day, found in concerns(lake, step, asked).items() if found == known[day]]
    if settle and unconcerned:
        lake.restamp(step.writes[-1], {day: wanted[day] for day in unconcerned})
    return [day for day in changed if day not in unconcerned]


def inputs(lake: Lake, step: Step, days: Iterable[date]) -> dict[date, str]:
    """For each day, fifteen hex digits over the step's version, installed rules, and all the content it reads."""
    return _inputs(lake, step, days, window)


def concerns(lake: Lake, step: Step, days: Iterable[date]) -> dict[date, str]:
    """As `inputs`, but of other days' rows only those that concern the day; no days where the step does not say."""
    looking = [read for read in step.reads if read.concern]
    days = list(days) if looking else []
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
    with _connect(lake, step, days, None, step.writes) as con:
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


def rebuild_days(lake: Lake, step: Step, days: Sequence[date], transform: DayTransform) -> Iterator[Built]:
    """Compute days and overwrite them in every table the step writes, in the order given.

    Days are computed side by side, no more at a time than there are processors, and written by the
    caller's thread, several at once. The last table is written last and carries the stamp that makes
    the days count as built, so a process that dies in between leaves them stale.
    """
    # Taken before anything is read: what comes in meanwhile leaves the day stale.
    concern = concerns(lake, step, days)
    stamps = {day: stamp + concern.get(day, "") for day, stamp in inputs(lake, step, days).items()}
    for batch in _batches(_computed(lake, step, days, transform)):
        yield from _written(lake, step, batch, stamps)


def _computed(lake: Lake, step: Step, days: Sequence[date], transform: DayTransform) -> Iterator[Computed]:
    """Each day in the order given; one that cannot be computed raises when its turn comes."""
    # One thread each where several days are under way: dividing a query's work is not free.
    threads = 1 if len(days) > 1 else None
    coming: deque[Future[Computed]] = deque()
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        for day in days:
            coming.append(pool.submit(_compute, lake, step, day, threads, transform))
            if len(coming) > SIDE_BY_SIDE:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _compute(lake: Lake, step: Step, day: date, threads: int | None, transform: DayTransform) -> Computed:
    started = time.perf_counter()
    with _connect(lake, step, [day], threads) as con:
        found = zip(step.writes, transform(con, day), strict=True)
        return Computed(day, {table.name: rows for table, rows in found}, time.perf_counter() - started)


def _batches(computed: Iterator[Computed]) -> Iterator[list[Computed]]:
    """Days to write together. Those before one that could not be computed come before what that raises."""
    batch: list[Computed] = []
    held = 0
    try:
        for one in computed:
            batch.append(one)
            held += sum(rows.nbytes for rows in one.rows.values())
            if held >= TOGETHER:
                yield batch
                batch, held = [], 0
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _written(lake: Lake, step: Step, batch: Sequence[Computed], stamps: Mapping[date, str]) -> Iterator[Built]:
    started = time.perf_counter()
    inputs = {one.day: stamps[one.day] for one in batch}
    written = [
        lake.overwrite_days(table, {one.day: one.rows[table.name] for one in batch}, inputs) for table in step.writes
    ]
    each = (time.perf_counter() - started) / max(len(batch), 1)
    for one, tables in zip(batch, zip(*written, strict=True), strict=True):
        yield Built(one.day, list(tables), one.seconds + each)


def _connect(
    lake: Lake, step: Step, days: Sequence[date], threads: int | None, also: Sequence[Table] = ()
) -> duckdb.DuckDBPyConnection:
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
