"""Running a day step over the days of a run, or over those of them that are stale."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import dagster as dg

from flywheel_assets.defs.partitions import calendar
from flywheel_assets.defs.report import ONLY_STALE, Report, Results, materialised, of
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.rebuild import DayTransform, rebuild_day, stale_days
from flywheel_assets.tables.steps import Step

BuildDay = Callable[[Lake, date], Sequence[Report]]


def rebuild(context: dg.AssetExecutionContext, lake: Lake, step: Step, transform: DayTransform) -> Results:
    """Rebuild the run's days with a transform, and report each."""

    def build(lake: Lake, day: date) -> list[Report]:
        return [of(written) for written in rebuild_day(lake, step, day, transform)]

    yield from build_each(context, lake, step, build)


def build_each(context: dg.AssetExecutionContext, lake: Lake, step: Step, build: BuildDay) -> Results:
    """Build the run's days one by one, oldest first, and report each."""
    reports: list[Report] = []
    for day in days(context, lake, step):
        started = time.perf_counter()
        built = build(lake, day)
        seconds = round(time.perf_counter() - started, 3)
        reports += [replace(one, metadata={**one.metadata, "seconds": seconds}) for one in built]
        context.log.info("%s %s took %s s", step.name, day, seconds)
    yield from materialised(context, [table.name for table in step.writes], reports)


def days(context: dg.AssetExecutionContext, lake: Lake, step: Step) -> list[date]:
    """The run's days, or, in a run for stale days only, all of the calendar that are."""
    if context.run.tags.get(ONLY_STALE) != "true":
        return [date.fromisoformat(key) for key in context.partition_keys]
    first, last = calendar()
    stale = [day for day in stale_days(lake, step) if first <= day <= last]
    context.log.info("%s: %s days are stale, all others are fresh", step.name, len(stale))
    return stale
