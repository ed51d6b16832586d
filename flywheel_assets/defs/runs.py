"""Stage 2 in Dagster: fold spans into runs."""

import os
from datetime import timedelta
from functools import partial

import dagster as dg

from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.conservation import conserves
from flywheel_assets.defs.day_steps import rebuild
from flywheel_assets.defs.graph import BACKFILL, specs
from flywheel_assets.defs.partitions import DAYS
from flywheel_assets.defs.report import Results
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.runs.fold import ABANDONED_AFTER, fold_runs
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.run_spans import RUN_SPANS
from flywheel_assets.tables.steps import FOLD_RUNS, RUN_REACH_DAYS

RED = {
    "agent_runs": "materialise the day again; a run without a skill is not an error, `skill_source` says why.",
    "run_spans": "rebuild the days listed: their spans are newer than their runs.",
}


def horizon(hours: str | None) -> timedelta:
    """FLYWHEEL_ABANDONED_HOURS: how long an open run may be silent; counts for days that are rebuilt from now on.

    Raises ValueError where it is not above 0 and at most a day: a fold looks no further ahead.
    """
    after = timedelta(hours=float(hours)) if hours else ABANDONED_AFTER
    if not timedelta(0) < after <= timedelta(days=1):
        raise ValueError(f"FLYWHEEL_ABANDONED_HOURS is {hours}: give hours above 0 and at most 24")
    return after


@dg.multi_asset(
    name=FOLD_RUNS.name, specs=specs(FOLD_RUNS, RED, kinds=["duckdb"]), partitions_def=DAYS, backfill_policy=BACKFILL
)
def folded(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Attempts, replays and fallbacks become one unit with one outcome."""
    fold = partial(fold_runs, abandoned_after=horizon(os.environ.get("FLYWHEEL_ABANDONED_HOURS")))
    yield from rebuild(context, wheel.lake(), FOLD_RUNS, fold)


runs_checks = stage_checks("runs", [conserves(RUN_SPANS, "spans_to_run_spans", [RAW_SPANS, RUN_SPANS], RUN_REACH_DAYS)])
