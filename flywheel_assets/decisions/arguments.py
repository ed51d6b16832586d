"""Arguments: each unit's part in the verdict that ended a trial or a promotion.

Only entries that changed what agents get have arguments: a look that held would repeat the ones
before it, and the next entry of its trial has them all.
"""

from collections.abc import Mapping
from math import log
from typing import Any

import pyarrow as pa

from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.stakes import Reals
from flywheel_assets.decisions.trial import Trial
from flywheel_assets.decisions.watch import Watched
from flywheel_assets.tables.decision_arguments import DECISION_ARGUMENTS


def of_trial(trial: Trial) -> Reals:
    """Log-growth of the primary e-process by each unit; they add up to the log of its e-value."""
    return trial.outcome.rise.growth(-trial.registration.margin)


def of_rollback(watched: list[Watched]) -> Reals:
    """Log-growth, negated, of the harm that went furthest past its bar: what argued for harm argued against the arm."""
    worst = max(watched, key=lambda one: one.log_e + log(one.alpha))
    return -worst.growth


def rows(entry: Mapping[str, Any], evidence: Evidence, weights: Reals) -> pa.Table:
    """DECISION_ARGUMENTS rows of one chained entry, by run id."""
    found = evidence.rows
    count = found.num_rows
    return DECISION_ARGUMENTS.conform(
        pa.table(
            {
                "entry_id": pa.array([entry["entry_id"]] * count, pa.string()),
                "experiment_id": pa.array([entry["experiment_id"]] * count, pa.string()),
                **{name: found.column(name) for name in ("run_id", "trace_id", "root_span_id", "unit_id", "outcome")},
                "side": pa.array(["candidate" if one else "incumbent" for one in evidence.candidate], pa.string()),
                "weight": pa.array(weights, pa.float64()),
            }
        )
    ).sort_by("run_id")
