"""Stage 0 in Dagster: index what has arrived in the inbox."""

from datetime import timedelta

import dagster as dg

from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.conservation import conserves
from flywheel_assets.defs.graph import specs
from flywheel_assets.defs.partitions import calendar
from flywheel_assets.defs.report import Results, materialised, whole
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.lake.lake import Lake
from flywheel_assets.sources.land import land
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.span_rejections import SPAN_REJECTIONS
from flywheel_assets.tables.steps import LAND

RED = {
    "landed_batches": "read `reason` of the rejected rows; the bytes are kept under `data/landing`, so nothing is "
    "lost. For days outside the calendar set FLYWHEEL_START_DAY to an earlier day.",
    "span_rejections": "`reason` says what the emitting SDK got wrong; the spans' bytes are kept under `data/landing`.",
}

# Files may be half uploaded or a mount away for a moment; landing is idempotent.
RETRY = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


@dg.multi_asset(name=LAND.name, specs=specs(LAND, RED, fresh_within=timedelta(hours=36)), retry_policy=RETRY)
def landed(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Move what is complete in the inbox to the landing folder and index it."""
    places, lake = wheel.places(), wheel.lake()
    found = land(lake, places.inbox, places.landing, wheel.now())
    reports = [whole(lake, table, {"landed now": str(found)}) for table in LAND.writes]
    yield from materialised(context, [table.name for table in LAND.writes], reports)


def days_outside(lake: Lake) -> dict[str, int]:
    """Batches per day that has no partition."""
    first, last = calendar()
    found = lake.connect([LANDED_BATCHES]).execute(
        "SELECT day, count(*) FROM (SELECT unnest(days) AS day FROM landed_batches WHERE status = 'accepted') "
        "WHERE day < $first OR day > $last GROUP BY day ORDER BY day",
        {"first": first, "last": last},
    )
    return {str(day): count for day, count in found.fetchall()}


def days_in_calendar(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """Fails when batches hold spans of days before FLYWHEEL_START_DAY or after today."""
    outside = days_outside(wheel.lake())
    return Verdict(passed=not outside, found={"days without a partition": outside})


sources_checks = stage_checks(
    "sources",
    [
        Check(
            LANDED_BATCHES.name,
            "days_in_calendar",
            "Every span's day has a partition, so that it is computed.",
            days_in_calendar,
        ),
        conserves(SPAN_REJECTIONS, "rejections_to_batches", [LANDED_BATCHES, SPAN_REJECTIONS]),
    ],
)
