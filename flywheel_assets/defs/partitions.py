"""The calendar: one partition per UTC day, up to and including today."""

import os
import warnings
from datetime import date

import dagster as dg

from flywheel_assets.tables.steps import Read
from flywheel_assets.tables.table import Table

# Spans of earlier days are landed but not computed; a check on landed_batches says so.
START_DAY = os.environ.get("FLYWHEEL_START_DAY", "2025-01-01")

DAYS = dg.DailyPartitionsDefinition(start_date=START_DAY, timezone="UTC", end_offset=1)


def calendar() -> tuple[date, date]:
    """First and last day that have a partition."""
    return date.fromisoformat(START_DAY), date.fromisoformat(str(DAYS.get_last_partition_key()))


def mapping(read: Read, *, by_day: bool) -> dg.PartitionMapping | None:
    """Which days of `read.table` a day (or, not `by_day`, the whole) depends on; None: not partitioned."""
    if not read.table.by_day or not by_day:
        return whole_of(read.table)
    with warnings.catch_warnings():
        # The calendar's edges look past it. The parameter is marked beta in the pinned version.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.TimeWindowPartitionMapping(
            start_offset=-read.before,
            end_offset=read.after,
            allow_nonexistent_upstream_partitions=True,
        )


def whole_of(table: Table) -> dg.PartitionMapping | None:
    """All of a table's days; None where it has none."""
    return dg.AllPartitionMapping() if table.by_day else None
