"""Running a day step over the days of a run, or over those of them that are stale."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

import dagster as dg

from flywheel_assets.defs.partitions import calendar
from flywheel_assets.defs.report import Report, Results, in_turn, materialised, of
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.rebuild import Built, DayTransform, Tell, Work, build_days, transformed
from flywheel_assets.lake.stale import stale, stamps
from flywheel_assets.tables.steps import Step


def rebuild(
    context: dg.AssetExecutionContext, lake: Lake, step: Step, transform: DayTransform, tell: Tell | None = None
) -> Results:
    """Rebuild the run's days by a function that makes tables of tables; reports also say what `tell` says of them."""
    yield from build(context, lake, step, partial(transformed, step, transform, tell), alike)


def alike(built: Built) -> list[Report]:
    """A report of each table, with all that was told of the day."""
    return [of(written, built.notes) for written in built.written]


def build(
    context: dg.AssetExecutionContext, lake: Lake, step: Step, work: Work, reports: Callable[[Built], Sequence[Report]]
) -> Results:
    """Build the run's days side by side (see `build_days`), and report each."""
    found: list[Report] = []
    for one in _settled(context, lake, step, work):
        found += [replace(each, metadata={**each.metadata, "seconds": round(one.seconds, 3)}) for each in reports(one)]
    yield from materialised(context, [table.name for table in step.writes], found)


def _settled(context: dg.AssetExecutionContext, lake: Lake, step: Step, work: Work) -> Iterator[Built]:
    """The run's days; then those of them, or of the calendar, that are stale by what these left for later days."""
    own = {table.name for table in step.writes} & {read.table.name for read in step.reads}
    first, moved = days(context, lake, step), False
    for one in build_days(lake, step, first, work):
        moved = moved or any(each.changed and each.table in own for each in one.written)
        yield one
    if moved:
        whole = in_turn(context)
        again = {day: stamp for day, stamp in _stale(lake, step).items() if whole or day in first}
        yield from build_days(lake, step, again, work)


def days(context: dg.AssetExecutionContext, lake: Lake, step: Step) -> dict[date, str]:
    """The run's days, or, in a run for stale days only, all of the calendar that are, with what they are built from."""
    if not in_turn(context):
        return stamps(lake, step, [date.fromisoformat(key) for key in context.partition_keys])
    found = _stale(lake, step)
    context.log.info("%s: %s days are stale, all others are fresh", step.name, len(found))
    return found


def _stale(lake: Lake, step: Step) -> dict[date, str]:
    first, last = calendar()
    return {day: stamp for day, stamp in stale(lake, step).items() if first <= day <= last}
