"""How much was learnt since the last decision."""

import dagster as dg

from flywheel_assets.defs.report import last_said
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS
from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS

# Metadata of a decision: how many runs were admitted when it was made.
ADMITTED = "admitted runs"


def admitted_runs(lake: Lake) -> int:
    """Runs with an admitted outcome, over all days."""
    total = lake.connect([SKILL_DAY_STATS]).sql("SELECT coalesce(sum(admitted), 0)::BIGINT FROM skill_day_stats")
    return int(total.fetchall()[0][0])


def admitted_at_last_decision(instance: dg.DagsterInstance) -> int:
    """The same, when decisions were last made; 0 before the first."""
    value = last_said(instance, PROMOTION_DECISIONS.name).get(ADMITTED)
    return int(str(value.value)) if value is not None else 0
