"""Stage 5 in Dagster: day statistics, merged into scores."""

from datetime import timedelta

import dagster as dg

from flywheel_assets.defs.automation import when_content_changes
from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.conservation import conserves
from flywheel_assets.defs.day_steps import rebuild
from flywheel_assets.defs.graph import BACKFILL, specs
from flywheel_assets.defs.partitions import DAYS
from flywheel_assets.defs.plots import interval_plot
from flywheel_assets.defs.report import Results, materialised, of
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.scores.day_stats import day_stats
from flywheel_assets.scores.score import score
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS
from flywheel_assets.tables.skill_scores import SKILL_SCORES
from flywheel_assets.tables.steps import DAY_STATS, SCORE

RED = {
    "skill_day_stats": "materialise the day again.",
    "skill_scores": "materialise it again: it merges `skill_day_stats`, which takes a second.",
}


@dg.multi_asset(
    name=DAY_STATS.name, specs=specs(DAY_STATS, RED, kinds=["duckdb"]), partitions_def=DAYS, backfill_policy=BACKFILL
)
def counted(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Sums that add up over days."""
    yield from rebuild(context, wheel.lake(), DAY_STATS, day_stats)


@dg.multi_asset(
    name=SCORE.name,
    specs=specs(SCORE, RED, automation_condition=when_content_changes(), fresh_within=timedelta(hours=36)),
)
def scored(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Shrunken means with intervals, per skill and arm."""
    lake = wheel.lake()
    scores = score(lake.read(SKILL_DAY_STATS), wheel.now().date())
    written = lake.overwrite(SKILL_SCORES, scores)
    yield from materialised(context, [SKILL_SCORES.name], [of(written, {"scores": interval_plot(scores)})])


scores_checks = stage_checks(
    "scores",
    [
        conserves(SKILL_DAY_STATS, "examples_to_stats", [LABELED_EXAMPLES, SKILL_DAY_STATS]),
        conserves(SKILL_SCORES, "stats_to_scores", [SKILL_DAY_STATS, SKILL_SCORES]),
    ],
)
