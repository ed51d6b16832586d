"""Stage 0 in Dagster: index what has arrived in the inbox."""

from datetime import datetime, timedelta

import dagster as dg

from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.conservation import conserves
from flywheel_assets.defs.graph import specs
from flywheel_assets.defs.partitions import calendar
from flywheel_assets.defs.pollers import (
    FRESH_WITHIN,
    asset_of,
    poll_configured,
    source_reports,
    source_specs,
    sources_answer,
)
from flywheel_assets.defs.report import Results, materialised, whole
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.support import newest_lag_in
from flywheel_assets.sources.land import land
from flywheel_assets.sources.per_source import SOURCES
from flywheel_assets.sources.statements import faults_of, write_statements
from flywheel_assets.tables.landed_batches import LANDED_BATCHES
from flywheel_assets.tables.span_rejections import SPAN_REJECTIONS
from flywheel_assets.tables.statements import PRICES
from flywheel_assets.tables.steps import LAND

RED = {
    "landed_batches": "read `reason` of the rejected rows; the bytes are kept under `data/landing`, so nothing is "
    "lost. For days outside the calendar set FLYWHEEL_START_DAY to an earlier day.",
    "span_rejections": "`reason` says what the emitting SDK got wrong; the spans' bytes are kept under `data/landing`.",
    "prices": "mend the field of `data/prices.yaml` that the fault names; until then the prices before it hold.",
    "skill_names": "mend the field of `data/skills.yaml` that the fault names; until then the names before it hold.",
    "label_settings": "mend the field of `data/skills.yaml` that the fault names; until then what held before holds.",
    "gate_settings": "mend the field of `data/skills.yaml` that the fault names; until then what held before holds.",
}

# A source that landed on so many days of late is a feed, and its silence is news.
FEED_DAYS = 3
# Files may be half uploaded or a mount away for a moment; landing is idempotent.
RETRY = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


# What comes from a source is indexed in the same step, so that one which does not answer holds up no other.
# Every source leads to the index of batches alone; what else the step writes follows from that, or is stated.
DEPS = {
    LANDED_BATCHES.name: [asset_of(source) for source in SOURCES],
    SPAN_REJECTIONS.name: [LANDED_BATCHES.name],
}
SPECS = [
    *source_specs(),
    *(
        spec.replace_attributes(deps=DEPS.get(spec.key.to_user_string(), []))
        for spec in specs(LAND, RED, fresh_within=timedelta(hours=36))
    ),
]


@dg.multi_asset(name=LAND.name, specs=SPECS, retry_policy=RETRY)
def landed(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Ask the sources that are to be asked, move what is complete in the inbox to landing, and index it."""
    places, lake, now = wheel.places(), wheel.lake(), wheel.now()
    asked = poll_configured(wheel)
    found = land(lake, places.inbox, places.landing, now)
    unfit = write_statements(lake, places.prices_file, places.skills_file)
    reports = [whole(lake, table, {"landed now": str(found), **unfit}) for table in LAND.writes]
    reports = [*source_reports(wheel, asked, now), *reports]
    yield from materialised(context, [report.asset for report in reports], reports)


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


def sources_are_fresh(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """Fails for a source that brought something on most days of its last weeks, and has been silent since."""
    stale = silent_sources(wheel.lake(), wheel.now())
    late = {
        f"{row['source']}, {row['day']}": f"{row['spans']} spans, half of them {row['median_seconds']:.0f} s after "
        f"their end, 95 % within {row['p95_seconds']:.0f} s, the last after {row['largest_seconds']:.0f} s"
        for row in newest_lag_in(wheel.lake())
    }
    return Verdict(passed=not stale, found={"silent": {name: str(last) for name, last in stale.items()}, "lag": late})


def silent_sources(lake: Lake, now: datetime) -> dict[str, datetime]:
    """When each silent source last brought something; one that was used once is no feed."""
    found = lake.connect([LANDED_BATCHES]).execute(
        """
        SELECT source, max(landed_at) FROM landed_batches WHERE status = 'accepted' GROUP BY source
        HAVING max(landed_at) < $now - $within
            AND count(DISTINCT landed_at::DATE) FILTER (landed_at > $now - 3 * $within - $weeks) >= $feed
        ORDER BY source
        """,
        {"now": now, "within": FRESH_WITHIN, "weeks": timedelta(days=7), "feed": FEED_DAYS},
    )
    return {str(source): last for source, last in found.fetchall()}


def statements_fit(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """Fails when `prices.yaml` or `skills.yaml` does not fit; what was stated before holds meanwhile."""
    unfit = faults_of(wheel.places().prices_file, wheel.places().skills_file)
    return Verdict(passed=not unfit, found={"faults": unfit})


sources_checks = stage_checks(
    "sources",
    [
        Check(PRICES.name, "statements_fit", "prices.yaml and skills.yaml can be read and fit.", statements_fit),
        Check(
            LANDED_BATCHES.name,
            "days_in_calendar",
            "Every span's day has a partition, so that it is computed.",
            days_in_calendar,
        ),
        Check(
            LANDED_BATCHES.name,
            "sources_are_fresh",
            f"No source that landed on {FEED_DAYS} of its last days has been silent for "
            f"{FRESH_WITHIN.total_seconds() / 3600:.0f} hours.",
            sources_are_fresh,
        ),
        conserves(SPAN_REJECTIONS, "rejections_to_batches", [LANDED_BATCHES, SPAN_REJECTIONS]),
        Check(
            LANDED_BATCHES.name,
            "sources_answer",
            "The last poll of every configured source ended without a fault.",
            sources_answer,
        ),
    ],
)
