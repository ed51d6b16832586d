"""Which days of a step are stale, and rebuilding them: read, one pure call a day, write.

A day is stale when the fingerprints of what it reads differ from those it was last built from, so
a rebuild that changes nothing ripples no further, and a killed run is taken up where it stopped.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from flywheel_assets.lake.files import Part
from flywheel_assets.lake.fingerprint import NO_ROWS
from flywheel_assets.lake.installed import installed
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.overwrite import Fresh, Ready, Written
from flywheel_assets.lake.processes import side_by_side
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.steps import Read, Step
from flywheel_assets.tables.table import Table

# Given a DuckDB with the step's tables as views and the day, the rows of each table it writes.
DayTransform = Callable[[duckdb.DuckDBPyConnection, date], tuple[pa.Table, ...]]
# Given the rows of each table, what is to be told of them.
Tell = Callable[..., Mapping[str, Any]]
# So many bytes of files are committed together: each commit costs as much as hundreds of rows.
TOGETHER = 16 * 2**20
# What reads protobuf keeps the interpreter's lock, for a quarter of decoding's time, so two threads are one and a half.
# Processes take half a second to start, which pays for itself from about so many bytes on.
APART_BYTES = 512 * 2**20
# Depends on the rows, not on their order.
_SAID = "SELECT of, count(*), sum(hash(said)::HUGEINT) FROM ({}) GROUP BY of"
_NOTHING_SAID: list[tuple[int, int | None]] = [(0, None)]
# Days about which others are asked at once: a query for each would plan longer than it computes.
_ASKED = 31


@dataclass(frozen=True, slots=True)
class Job:
    """A day to compute from what is in the lake, which the stamp tells, with so many threads (None: all there are)."""

    lake: Lake
    day: date
    stamp: str
    threads: int | None

    def write(self, table: Table, rows: pa.Table | Iterator[Part], content: str | None = None) -> Ready:
        """The day's rows of that table, in files (see `Lake.prepare`)."""
        return self.lake.prepare(table, Fresh(self.day, rows, self.stamp, content, self.threads))


# The day's rows of each table that a step writes, in its order; and what is told of them.
Work = Callable[[Job], tuple[list[Ready], Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Computed:
    """A day's rows of each table that the step writes, in its order, in files; what else is told of it; the seconds."""

    day: date
    ready: list[Ready]
    notes: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Built:
    """A day that was rebuilt: what was written, in the step's order; what was told of it; the seconds spent on it."""

    day: date
    written: list[Written]
    notes: Mapping[str, Any]
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


def rebuild_days(
    lake: Lake, step: Step, days: Sequence[date], transform: DayTransform, tell: Tell | None = None
) -> Iterator[Built]:
    """`build_days` by a function that makes tables of tables; `tell` says more of what it gives."""
    return build_days(lake, step, days, partial(transformed, step, transform, tell))


def transformed(
    step: Step, transform: DayTransform, tell: Tell | None, job: Job
) -> tuple[list[Ready], Mapping[str, Any]]:
    """The work of a step that makes tables of tables: what it reads as views, what it gives in files."""
    with _connect(job.lake, step, [job.day], job.threads) as con:
        rows = transform(con, job.day)
    ready = [job.write(table, some) for table, some in zip(step.writes, rows, strict=True)]
    return ready, tell(*rows) if tell else {}


def build_days(lake: Lake, step: Step, days: Sequence[date], work: Work) -> Iterator[Built]:
    """Compute days and overwrite them in every table the step writes, in the order given.

    Days are computed and written to files side by side, no more at a time than there are processors: where a step
    that may be done `apart` reads much, in other processes. The caller's thread commits, several days at once. The
    last table is committed last and carries the stamp that makes the days count as built, so a process that dies in
    between leaves them stale.
    """
    # Taken before anything is read: what comes in meanwhile leaves the day stale.
    concern = concerns(lake, step, days)
    stamps = {day: stamp + concern.get(day, "") for day, stamp in inputs(lake, step, days).items()}
    lake.create(step.writes)
    # One thread each where several days are under way: dividing a query's work is not free.
    jobs = [Job(lake, day, stamp, 1 if len(days) > 1 else None) for day, stamp in stamps.items()]
    apart = step.apart and len(days) > 1 and _bytes(lake, step, days) >= APART_BYTES
    for batch in _batches(side_by_side(partial(_computed, work), jobs, apart=apart)):
        yield from _committed(lake, step, batch)


def _computed(work: Work, job: Job) -> Computed:
    started = time.perf_counter()
    ready, notes = work(job)
    return Computed(job.day, ready, notes, time.perf_counter() - started)


def _batches(computed: Iterator[Computed]) -> Iterator[list[Computed]]:
    """Days to commit together. Those before one that could not be computed come before what that raises."""
    batch: list[Computed] = []
    held = 0
    try:
        for one in computed:
            batch.append(one)
            held += sum(each.size for each in one.ready)
            if held >= TOGETHER:
                yield batch
                batch, held = [], 0
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _committed(lake: Lake, step: Step, batch: Sequence[Computed]) -> Iterator[Built]:
    started = time.perf_counter()
    written = [lake.commit(table, [one.ready[place] for one in batch]) for place, table in enumerate(step.writes)]
    each = (time.perf_counter() - started) / max(len(batch), 1)
    for one, tables in zip(batch, zip(*written, strict=True), strict=True):
        yield Built(one.day, list(tables), one.notes, one.seconds + each)


def _bytes(lake: Lake, step: Step, days: Sequence[date]) -> int:
    """About how many bytes are read for those days: of their files, or of a step that reads no days, as received."""
    by_day = [read for read in step.reads if read.table.by_day]
    if by_day:
        return sum(lake.size(read.table, {near for day in days for near in window(read, day)}) for read in by_day)
    con = lake.connect([LANDED_BATCHES], threads=1)
    asked = f"SELECT coalesce(sum(length), 0)::BIGINT FROM {LANDED_BATCHES.name} WHERE list_has_any(days, $days)"
    return con.execute(asked, {"days": list(days)}).fetchall()[0][0]


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
