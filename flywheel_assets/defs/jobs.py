"""What is run in one go: the landing and every stale day; everything after the runs; the whole turn."""

import dagster as dg

from flywheel_assets.defs.partitions import calendar
from flywheel_assets.defs.pollers import asset_of
from flywheel_assets.defs.report import ONLY_STALE, OWN_EVENTS
from flywheel_assets.sources.per_source import SOURCES
from flywheel_assets.tables.steps import DAY_STEPS, LAND, WHOLE_STEPS

SNAPSHOT = "duckdb_snapshot"
BY_DAY = [table.name for step in DAY_STEPS for table in step.writes]
ARRIVAL = [*(asset_of(source) for source in SOURCES), *(table.name for table in LAND.writes), *BY_DAY]
LEARNING = [*(table.name for step in WHOLE_STEPS for table in step.writes), SNAPSHOT]


def turn_tags() -> dict[str, str]:
    """Tags of a run that rebuilds whatever days are stale, and reports those alone.

    Dagster wants a range of every run with partitions. It is given today, because what it does for
    each day of a range costs more than the turn itself; `day_steps.days` looks at the whole calendar.
    """
    today = calendar()[1].isoformat()
    return {
        "dagster/asset_partition_range_start": today,
        "dagster/asset_partition_range_end": today,
        ONLY_STALE: "true",
        OWN_EVENTS: "true",
    }


def chosen(assets: list[str]) -> dg.AssetSelection:
    """Those assets and their checks."""
    selection = dg.AssetSelection.assets(*assets)
    return selection | dg.AssetSelection.checks_for_assets(*[dg.AssetKey(name) for name in assets])


arrival = dg.define_asset_job(
    "arrival",
    chosen(ARRIVAL),
    description="Land what is in the inbox, then rebuild every stale day from spans to day statistics.",
)
learning = dg.define_asset_job(
    "learning",
    chosen(LEARNING),
    description="Everything after the runs: scores, candidates, decisions, artifacts, momentum, snapshot.",
)
# Of assets that are picked one by one, Dagster would take more days the further down they are, and then refuse.
days_again = dg.define_asset_job(
    "days_again", chosen(BY_DAY), description="Any days again, whether or not anything changed, from spans on."
)
turn = dg.define_asset_job(
    "turn", chosen([*ARRIVAL, *LEARNING]), description="One whole turn of the wheel, as `flywheel run` does it."
)
