"""Stage 5 in Dagster: day statistics, merged into scores."""

from datetime import timedelta

import dagster as dg
import pyarrow.compute as pc

from flywheel_assets.defs.automation import when_content_changes
from flywheel_assets.defs.checks import stage_checks
from flywheel_assets.defs.conservation import conserves
from flywheel_assets.defs.day_steps import rebuild
from flywheel_assets.defs.graph import ASIDE, BACKFILL, specs
from flywheel_assets.defs.partitions import DAYS
from flywheel_assets.defs.plots import interval_plot
from flywheel_assets.defs.report import Results
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.defs.verdicts import Check, Verdict
from flywheel_assets.defs.whole_steps import Computed, compute
from flywheel_assets.scores.day_stats import day_stats
from flywheel_assets.scores.drift import drift
from flywheel_assets.scores.outlook import outlook
from flywheel_assets.scores.score import score
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.label_votes import LABEL_VOTES
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS
from flywheel_assets.tables.skill_outlook import SKILL_OUTLOOK
from flywheel_assets.tables.skill_scores import SKILL_SCORES
from flywheel_assets.tables.steps import DAY_STATS, LOOK_AHEAD, SCORE, WATCH_DRIFT

RED = {
    "skill_day_stats": "materialise the day again.",
    "drift": "materialise it again. A series that drifts is a finding, not a fault: `reason` says what follows.",
    "skill_outlook": "look at `advice`: the wheel turns, but half of the runs or more teach it nothing.",
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
    lake, today = wheel.lake(), wheel.now().date()

    def build() -> Computed:
        scores = score(lake.read(SKILL_DAY_STATS, ordered=False), today)
        return scores, {"scores": interval_plot(scores)}

    yield from compute(context, lake, SCORE, build, f"{today}")


@dg.multi_asset(name=WATCH_DRIFT.name, specs=specs(WATCH_DRIFT, RED, kinds=["duckdb"]), op_tags=ASIDE)
def watched(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """Which series of outcomes or votes has changed, and since when."""
    lake, today = wheel.lake(), wheel.now().date()

    def build() -> Computed:
        found = drift(lake.connect([GATED_OBSERVATIONS, LABEL_VOTES]), today)
        changed = found.filter(pc.field("since").is_valid()).select(["kind", "skill", "name", "reason"])
        return found, {"drifting": changed.to_pylist()}

    yield from compute(context, lake, WATCH_DRIFT, build, f"{today}")


@dg.multi_asset(name=LOOK_AHEAD.name, specs=specs(LOOK_AHEAD, RED, kinds=["duckdb"]), op_tags=ASIDE)
def looked_ahead(context: dg.AssetExecutionContext, wheel: WheelResource) -> Results:
    """What each skill's traffic can tell, how soon, and what its runs lack."""
    lake, today = wheel.lake(), wheel.now().date()

    def build() -> Computed:
        found = outlook(lake.connect([LABELED_EXAMPLES]), today)
        return found, {"advice": {row["skill"]: row["advice"] for row in found.to_pylist()}}

    yield from compute(context, lake, LOOK_AHEAD, build, f"{today}")


def runs_teach(wheel: WheelResource, _instance: dg.DagsterInstance) -> Verdict:
    """All runs together; without propensities they are scored at least, which `silent` says."""
    rows = wheel.lake().read(SKILL_OUTLOOK).to_pylist()
    silent = {row["skill"]: row["silent"] for row in rows if row["silent"]}
    mute = [row for row in rows if row["skill"] == "*" and max(row["without_skill"], row["without_outcome"]) >= 0.5]
    return Verdict(passed=not mute, found={"skills": len(rows), "silent": silent})


scores_checks = stage_checks(
    "scores",
    [
        Check(
            SKILL_OUTLOOK.name,
            "runs_teach",
            "More than half of all recent runs carry a skill and an outcome: else the wheel turns and learns nothing.",
            runs_teach,
        ),
        conserves(SKILL_DAY_STATS, "examples_to_stats", [LABELED_EXAMPLES, SKILL_DAY_STATS], 0),
        conserves(SKILL_SCORES, "stats_to_scores", [SKILL_DAY_STATS, SKILL_SCORES]),
    ],
)
