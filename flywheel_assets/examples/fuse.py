"""Fuse votes: the highest tier that may decide, decides; the rest is kept and counted.

Within the tier the outcome is the mean of the votes weighted by evidence (2 × confidence − 1). Its
confidence multiplies the odds of the votes as if they were independent (naive Bayes), each for or
against by how near it is to the weighted median, so that a lone vote keeps its own confidence whatever
its value, and a tie ends at one half. It is capped, for voters are not independent.
"""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flywheel_assets.examples.statement import TIERS

Numbers = NDArray[np.float64]

# No number of votes makes a label surer than this; a single vote may be, if its labeler is.
CAP = 0.99
HERE = Path(__file__).parent


def fuse(con: duckdb.DuckDBPyConnection, votes: pa.Table) -> pa.Table:
    """One row per example that got votes: outcome, confidence, weight, tier, labelers, votes, dissent.

    `votes` has example_id, labeler, tier, value, confidence, decides. Outcome, confidence, weight and
    tier are NULL where no vote decides.
    """
    con.register("ballots", votes)
    con.register("tiers", pa.table({"tier": list(TIERS), "place": list(range(len(TIERS)))}))
    deciding = con.execute((HERE / "deciding.sql").read_text()).to_arrow_table()
    con.register("decided", _decide(deciding))
    fused = con.execute((HERE / "fused.sql").read_text()).to_arrow_table()
    for name in ("ballots", "tiers", "decided"):
        con.unregister(name)
    return fused


def _decide(deciding: pa.Table) -> pa.Table:
    """Outcome and confidence by example, from votes of one tier ordered by example and value."""
    value = deciding.column("value").to_numpy()
    confidence = np.clip(deciding.column("confidence").to_numpy(), 0.5, 1 - 1e-9)
    group = deciding.column("example").to_numpy()
    start = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(np.append(start, len(group)))
    weight = 2 * confidence - 1
    total = np.add.reduceat(weight, start) if len(start) else weight
    lowest, highest = value[start], value[start + size - 1] if len(start) else value
    mean = np.add.reduceat(weight * value, start) / total if len(start) else value
    # One opinion is that opinion exactly, not that opinion times its weight over its weight.
    outcome = np.where(lowest == highest, lowest, np.clip(mean, 0, 1))
    agreement = 1 - 2 * np.abs(value - np.repeat(_median(value, weight, start, size), size))
    logit = np.log(confidence / (1 - confidence)) * agreement
    odds = np.abs(np.add.reduceat(logit, start)) if len(start) else logit
    fused = 1 / (1 + np.exp(-odds))
    surest = np.maximum.reduceat(confidence, start) if len(start) else confidence
    return pa.table(
        {
            "example": group[start],
            "outcome": outcome,
            "confidence": np.round(np.minimum(fused, np.maximum(CAP, surest)), 12),
        }
    )


def _median(value: Numbers, weight: Numbers, start: NDArray[np.int64], size: NDArray[np.int64]) -> Numbers:
    """Weighted median by group: the mean of the lower and the upper one."""
    if not len(start):
        return value
    running = np.cumsum(weight)
    base = np.repeat(running[start] - weight[start], size)
    half = np.repeat(np.add.reduceat(weight, start) / 2, size)
    slack = 1e-9
    reached, passed = running - base >= half - slack, running - base > half + slack
    infinite = np.float64(np.inf)
    lower = np.minimum.reduceat(np.where(reached, value, infinite), start)
    upper = np.minimum.reduceat(np.where(passed, value, infinite), start)
    return (lower + np.where(np.isinf(upper), lower, upper)) / 2
