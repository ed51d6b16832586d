"""Building days: what each reads as views, one pure call, what it gives in files; then a commit for several."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from flywheel_assets.lake.files import Part
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.overwrite import Fresh, Ready, Written
from flywheel_assets.lake.processes import side_by_side
from flywheel_assets.lake.stale import connect, stamps, window
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.steps import Step
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


def rebuild_days(lake: Lake, step: Step, days: Sequence[date], transform: DayTransform) -> Iterator[Built]:
    """`build_days` by a function that makes tables of tables, from what is in the lake now."""
    return build_days(lake, step, stamps(lake, step, days), partial(transformed, step, transform, None))


def transformed(
    step: Step, transform: DayTransform, tell: Tell | None, job: Job
) -> tuple[list[Ready], Mapping[str, Any]]:
    """The work of a step that makes tables of tables: what it reads as views, what it gives in files."""
    with connect(job.lake, step, [job.day], job.threads) as con:
        rows = transform(con, job.day)
    ready = [job.write(table, some) for table, some in zip(step.writes, rows, strict=True)]
    return ready, tell(*rows) if tell else {}


def build_days(lake: Lake, step: Step, stamped: Mapping[date, str], work: Work) -> Iterator[Built]:
    """Compute days and overwrite them in every table the step writes, in the order given, each with its stamp.

    Days are computed and written to files side by side, no more at a time than there are processors: where a step
    that may be done `apart` reads much, in other processes. The caller's thread commits, several days at once. The
    last table is committed last and carries the stamp that makes the days count as built, so a process that dies in
    between leaves them stale, and so does what came in after the stamp was taken.
    """
    lake.create(step.writes)
    # One thread each where several days are under way: dividing a query's work is not free.
    jobs = [Job(lake, day, stamp, 1 if len(stamped) > 1 else None) for day, stamp in stamped.items()]
    apart = step.apart and len(stamped) > 1 and _bytes(lake, step, list(stamped)) >= APART_BYTES
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
