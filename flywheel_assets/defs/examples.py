"""Stage 3 in Dagster: feedback, votes, labels."""

from datetime import date, timedelta

import dagster as dg
import duckdb
import pyarrow as pa

from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.conservation import conserves
from flywheel_assets.defs.day_steps import rebuild
from flywheel_assets.defs.graph import BACKFILL, specs
from flywheel_assets.defs.partitions import DAYS
from flywheel_assets.defs.report import Results
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.examples.collect import collect_feedback
from flywheel_assets.examples.label import label
from flywheel_assets.examples.labelers.registry import find_labelers
from flywheel_assets.sources.batches import read_batches
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.steps import COLLECT_FEEDBACK, LABEL

RED = {
    "feedback": "materialise the day again; what was posted is kept under `data/landing`.",
    "label_votes": "materialise the day again.",
    "labeler_reliability": "materialise the day again.",
    "labeled_examples": "rebuild the days listed: their runs are newer than their labels.",
}


@dg.multi_asset(
    name=COLLECT_FEEDBACK.name, specs=specs(COLLECT_FEEDBACK, RED), partitions_def=DAYS, backfill_policy=BACKFILL
)
def collected(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """What was said on spans and what was posted, in one table."""
    lake, landing = wheel.lake(), wheel.places().landing

    def transform(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table, ...]:
        return collect_feedback(con, day, [batch.payload for batch in read_batches(lake, landing, day, "feedback")])

    yield from rebuild(context, lake, COLLECT_FEEDBACK, transform)


@dg.multi_asset(
    name=LABEL.name, specs=specs(LABEL, RED, kinds=["duckdb"]), partitions_def=DAYS, backfill_policy=BACKFILL
)
def labeled(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Every labeler votes; the highest tier that voted decides, and the votes are kept."""
    horizon, labelers = timedelta(hours=wheel.skills().outcome_horizon_hours), find_labelers()
    yield from rebuild(context, wheel.lake(), LABEL, lambda con, day: label(con, day, horizon, labelers))


examples_checks = stage_checks(
    "examples", [conserves(LABELED_EXAMPLES, "runs_to_examples", [AGENT_RUNS, LABELED_EXAMPLES])]
)
