"""Drift of outcomes and votes, series by series. It says that time matters, never that an arm is worse."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.scores.estimators.cusum import FEWEST, LIMIT, change
from flywheel_assets.tables.drift import DRIFT

_DRIFT = (Path(__file__).parent / "drift.sql").read_text()
FOLLOWS = {
    "skill": "all arms of the skill together: only arms that ran at the same time can be compared",
    "arm": "compare it with arms that ran at the same time; before and after is no evidence",
    "source": "look at what changed in this runtime: its runs are not what they were",
    "labeler": "check it against people before its votes are believed: the judge or what it judges changed",
}


def drift(con: duckdb.DuckDBPyConnection, as_of: date) -> pa.Table:
    """DRIFT from `gated_observations` and `label_votes` on `con`, up to `as_of`."""
    rows = con.execute(_DRIFT, {"as_of": as_of}).to_arrow_table().to_pylist()
    found = [
        {"kind": kind, "skill": skill, "name": name, **_series(kind, list(days))}
        for (kind, skill, name), days in groupby(rows, key=lambda row: (row["kind"], row["skill"], row["name"]))
    ]
    return DRIFT.conform(DRIFT.rows(found))


def _series(kind: str, days: Sequence[dict[str, Any]]) -> dict[str, object]:
    """One series' standing."""
    n, mean = np.array([day["n"] for day in days], np.float64), np.array([day["mean"] for day in days], np.float64)
    pooled = float(n @ np.array([day["variance"] for day in days])) / float(n.sum())
    seen = change(mean, np.maximum(pooled, 0.01) / n)
    total = {"days": len(days), "values": int(n.sum()), "limit": LIMIT, "statistic": seen.statistic}
    if len(days) <= FEWEST:
        return {**total, "standing": "too_short", "reason": f"{len(days)} days with values, {FEWEST + 1} are needed"}
    if seen.start is None:
        average = float(n @ mean / n.sum())
        return {**total, "reference": average, "standing": "steady", "reason": "no change that chance does not explain"}
    before, after = slice(0, seen.start), slice(seen.start, None)
    old, new = (float(n[part] @ mean[part] / n[part].sum()) for part in (before, after))
    standing, since = "up" if seen.up else "down", days[seen.start]["day"]
    reason = f"{old:.3f} before {since}, {new:.3f} since: {FOLLOWS[kind]}"
    return {**total, "reference": old, "recent": new, "since": since, "standing": standing, "reason": reason}
