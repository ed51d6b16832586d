"""Stage 3 in Dagster: feedback, votes, labels."""

from datetime import date
from functools import partial

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flywheel_assets.defs.automation import when_content_changes
from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.conservation import conserves
from flywheel_assets.defs.day_steps import rebuild
from flywheel_assets.defs.graph import ASIDE, BACKFILL, specs
from flywheel_assets.defs.partitions import DAYS
from flywheel_assets.defs.report import Results, materialised, of
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.examples.collect import collect_feedback
from flywheel_assets.examples.correct import compare_judges, correct_judges
from flywheel_assets.examples.label import label
from flywheel_assets.examples.labelers.registry import find_labelers
from flywheel_assets.examples.questions import READS, Asked, questions
from flywheel_assets.examples.sets import told
from flywheel_assets.observations.personal import find_personal
from flywheel_assets.observations.secret_patterns import find_secrets
from flywheel_assets.sources.batches import read_batches
from flywheel_assets.sources.queues import write_queue
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.documents.queue import ANCHORS
from flywheel_assets.tables.judge_corrections import JUDGE_CORRECTIONS
from flywheel_assets.tables.judge_day_stats import JUDGE_DAY_STATS
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.steps import COLLECT_FEEDBACK, COMPARE_JUDGES, CORRECT_JUDGES, LABEL

RED = {
    "feedback": "materialise the day again; what was posted is kept under `data/landing`.",
    "corrections": "materialise the day again; what was posted is kept under `data/landing`.",
    "anchored_opinions": "materialise the day again.",
    "label_votes": "materialise the day again.",
    "labeler_reliability": "materialise the day again.",
    "span_credit": "materialise the day again.",
    "span_findings": "materialise the day again.",
    "judge_day_stats": "materialise the day again.",
    "judge_corrections": "materialise it again. A correction that is missing is no fault: `reason` says what it takes.",
    "labeled_examples": "rebuild the days listed: their runs are newer than their labels.",
}


@dg.multi_asset(
    name=COLLECT_FEEDBACK.name, specs=specs(COLLECT_FEEDBACK, RED), partitions_def=DAYS, backfill_policy=BACKFILL
)
def collected(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """What was said on spans and what was posted, in one table; and what was shown to be right."""
    lake, landing = wheel.lake(), wheel.places().landing

    def transform(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table, ...]:
        return collect_feedback(con, day, [batch.payload for batch in read_batches(lake, landing, day, "feedback")])

    yield from rebuild(context, lake, COLLECT_FEEDBACK, transform)


@dg.multi_asset(
    name=LABEL.name, specs=specs(LABEL, RED, kinds=["duckdb"]), partitions_def=DAYS, backfill_policy=BACKFILL
)
def labeled(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Every labeler votes; the highest tier that voted decides, and the votes are kept."""
    yield from rebuild(context, wheel.lake(), LABEL, partial(label, labelers=find_labelers()), told)


@dg.multi_asset(
    name=COMPARE_JUDGES.name,
    specs=specs(COMPARE_JUDGES, RED, kinds=["duckdb"]),
    op_tags=ASIDE,
    partitions_def=DAYS,
    backfill_policy=BACKFILL,
)
def compared(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """What judges said beside what people answered about the random sample."""
    yield from rebuild(context, wheel.lake(), COMPARE_JUDGES, compare_judges)


@dg.multi_asset(
    name=CORRECT_JUDGES.name,
    specs=specs(CORRECT_JUDGES, RED, automation_condition=when_content_changes(), kinds=["duckdb"]),
    op_tags=ASIDE,
)
def corrected(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Judges' rates per skill and arm, corrected by people's answers, or why they cannot be."""
    lake, asked = wheel.lake(), write_anchors(wheel)
    found = correct_judges(lake.connect([JUDGE_DAY_STATS]))
    missing = found.filter(pc.field("state") == "missing").select(["skill", "arm", "author_id", "reason"]).to_pylist()
    written = lake.overwrite(JUDGE_CORRECTIONS, found)
    yield from materialised(context, [JUDGE_CORRECTIONS.name], [of(written, {"missing": missing, "questions": asked})])


def write_anchors(wheel: WheelResource) -> int | None:
    """Write the standing sample's open questions to `queues/anchors.csv`; None: without judges nobody is asked."""
    lake = wheel.lake()
    if not lake.days(JUDGE_DAY_STATS):
        return None
    asked = Asked(ANCHORS, wheel.now().date(), share=wheel.skills().anchor_share)
    rows = questions(lake.connect(READS[ANCHORS]), asked, (find_secrets, find_personal))
    return write_queue(wheel.places().queues / f"{ANCHORS}.csv", rows)


examples_checks = stage_checks(
    "examples", [conserves(LABELED_EXAMPLES, "runs_to_examples", [AGENT_RUNS, LABELED_EXAMPLES], 0)]
)
