"""The calendar: one partition per UTC day, up to and including today."""

import os
import warnings
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import dagster as dg
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._core.instance.types import DynamicPartitionsStore

from flywheel_assets.tables.steps import Read
from flywheel_assets.tables.table import Table

# Spans of earlier days are landed but not computed; a check on landed_batches says so.
START_DAY = os.environ.get("FLYWHEEL_START_DAY", "2025-01-01")


class _Days(dg.DailyPartitionsDefinition):
    """Days without summer time: Dagster asks a cron schedule for each of them, some thirty times a turn."""

    def get_partition_keys(
        self, current_time: datetime | None = None, dynamic_partitions_store: DynamicPartitionsStore | None = None
    ) -> Sequence[str]:
        """Every day from the first to the last."""
        with partition_loading_context(current_time, dynamic_partitions_store):
            last = self.get_last_partition_key()
        first = date.fromisoformat(START_DAY)
        count = (date.fromisoformat(str(last)) - first).days + 1 if last else 0
        return [(first + timedelta(days=number)).isoformat() for number in range(count)]


DAYS = _Days(start_date=START_DAY, timezone="UTC", end_offset=1)


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
