"""Runs as gates leave them, and a day's statistics of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from flywheel_assets.lake.session import connection
from flywheel_assets.scores.day_stats import day_stats
from flywheel_assets.scores.estimators.effective_n import Sums
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES

DAY = date(2026, 3, 2)

Row = dict[str, object]


@pytest.fixture(scope="session")
def run() -> Callable[..., Row]:
    """A labelled run at run grain, but for what is given."""

    def build(run_id: str, day: date = DAY, **given: object) -> Row:
        row: Row = {
            "day": day,
            "run_id": run_id,
            "example_id": run_id,
            "grain": "run",
            "trace_id": "t",
            "root_span_id": "s",
            "runtime": "gen_ai",
            "start_time": datetime.combine(day, datetime.min.time(), UTC),
            "skill": "triage",
            "arm": "small|v1|-",
            "status": "ok",
            "outcome": 1.0,
            "outcome_state": "labeled",
            "confidence": 1.0,
            "weight": 1.0,
            "labelers": [],
            "votes": 1,
            "dissent": 0,
        }
        return row | given

    return build


@pytest.fixture(scope="session")
def stats_of() -> Callable[..., pa.Table]:
    """Statistics of the rows' days; labelled rows are admitted unless their id is in `refused`."""

    def build(rows: Sequence[Row], refused: Sequence[str] = ()) -> pa.Table:
        gated = [
            row | {"redacted": False, "remarks": []}
            for row in rows
            if row["outcome_state"] == "labeled" and row["example_id"] not in refused
        ]
        con = connection()
        con.register("labeled_examples", LABELED_EXAMPLES.rows(rows))
        con.register("gated_observations", GATED_OBSERVATIONS.rows(gated))
        days = sorted({row["day"] for row in rows}, key=str)
        return pa.concat_tables([day_stats(con, day)[0] for day in days])

    return build


@pytest.fixture(scope="session")
def sums_of() -> Callable[..., Sums]:
    """`Sums` of one arm from outcomes, weights and session numbers."""

    def build(*arms: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Sums:
        columns = []
        for outcome, weight, session in arms:
            w, wy = np.bincount(session, weight), np.bincount(session, weight * outcome)
            columns.append(
                [
                    weight.sum(),
                    (weight**2).sum(),
                    (weight * outcome).sum(),
                    (weight * outcome**2).sum(),
                    (w**2).sum(),
                    (w * wy).sum(),
                    (wy**2).sum(),
                ]
            )
        return Sums(*np.array(columns).T)

    return build
