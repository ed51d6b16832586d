"""Running a day step over the days of a run, or over those of them that are stale."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg

from flywheel_assets.defs.partitions import calendar
from flywheel_assets.defs.report import Report, Results, in_turn, materialised, of
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.rebuild import Built, DayTransform, inputs, rebuild_days, stale_days
from flywheel_assets.tables.steps import Step

# Given the day and the stamp of what it is built from.
BuildDay = Callable[[date, str], Sequence[Report]]
# What one day's tables became, and the seconds it took.
Day = tuple[date, Sequence[Report], float]


def rebuild(
    context: dg.AssetExecutionContext,
    lake: Lake,
    step: Step,
    transform: DayTransform,
    told: Mapping[date, Mapping[str, Any]] | None = None,
) -> Results:
    """Rebuild the run's days with a transform, side by side, and report each, with what the transform told of it."""
    built = _settled(context, lake, step, transform)
    # Filled while days are built: empty until then.
    notes = {} if told is None else told
    yield from _report(
        context, step, ((one.day, [of(each, notes.get(one.day)) for each in one.written], one.seconds) for one in built)
    )


def _settled(context: dg.AssetExecutionContext, lake: Lake, step: Step, transform: DayTransform) -> Iterator[Built]:
    """The run's days; then those of them, or of the calendar, that are stale by what these left for later days."""
    own = {table.name for table in step.writes} & {read.table.name for read in step.reads}
    first, moved = days(context, lake, step), False
    for one in rebuild_days(lake, step, first, transform):
        moved = moved or any(each.changed and each.table in own for each in one.written)
        yield one
    if moved:
        whole = in_turn(context)
        again = [day for day in _stale(lake, step) if whole or day in first]
        yield from rebuild_days(lake, step, again, transform)


def build_each(context: dg.AssetExecutionContext, lake: Lake, step: Step, build: BuildDay) -> Results:
    """Build the run's days, oldest first, and report each."""
    wanted = days(context, lake, step)
    stamps = inputs(lake, step, wanted)

    def timed(day: date) -> Day:
        started = time.perf_counter()
        return day, build(day, stamps[day]), time.perf_counter() - started

    # Two at a time, each with threads of its own: while one is begun or committed, the other computes.
    with ThreadPoolExecutor(2) as pool:
        yield from _report(context, step, pool.map(timed, wanted))


def _report(context: dg.AssetExecutionContext, step: Step, built: Iterable[Day]) -> Results:
    reports: list[Report] = []
    for _, found, seconds in built:
        reports += [replace(one, metadata={**one.metadata, "seconds": round(seconds, 3)}) for one in found]
    yield from materialised(context, [table.name for table in step.writes], reports)


def days(context: dg.AssetExecutionContext, lake: Lake, step: Step) -> list[date]:
    """The run's days, or, in a run for stale days only, all of the calendar that are."""
    if not in_turn(context):
        return [date.fromisoformat(key) for key in context.partition_keys]
    stale = _stale(lake, step)
    context.log.info("%s: %s days are stale, all others are fresh", step.name, len(stale))
    return stale


def _stale(lake: Lake, step: Step) -> list[date]:
    first, last = calendar()
    return [day for day in stale_days(lake, step, settle=True) if first <= day <= last]
