"""Credit assignment: from "the run failed" to how likely each of its spans is where.

Given that a run failed, it failed in one of its spans or in none that was recorded. The odds between
them are a product of what is known of each: where in the run it is, whether an error began there and
was got over, what was said of the span itself. They are scaled so that a run's rows add up to the
probability that it failed: one failure is handed out once, however many spans show signs of it.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flywheel_assets.tables.span_credit import SPAN_CREDIT

Numbers = NDArray[np.float64]
HERE = Path(__file__).parent
# The first mistake is the one that later ones follow from: where people marked it in recorded failures
# of several agents, it lay in the first fifth of the steps in more than a third of the cases. What a run
# does first of all is to look at its task: people marked that far less often than what it does next.
EARLIER, FIRST = 0.5, 0.2
# Tools do what they are told: people marked the model's call that told them more often.
TOOL = 0.4
ERROR, RECOVERED = 6.0, 0.5
# What no span shows, as odds against a model's call without any sign, were it not the first.
ELSEWHERE = 1.0
# Runs of thousands of spans would make thousands of rows that say nothing.
LEAST = 0.005


@dataclass(frozen=True, slots=True)
class Signs:
    """Of every span, ordered by run: its run from 0 and its place in it from 1, and what is known of it.

    `said` is the fused label of the span and `sure` its confidence; NaN where nobody spoke of it.
    """

    run: NDArray[np.int64]
    place: Numbers
    tool: NDArray[np.bool_]
    began_here: NDArray[np.bool_]
    recovered: NDArray[np.bool_]
    said: Numbers
    sure: Numbers


def shares(signs: Signs, runs: int) -> tuple[Numbers, Numbers]:
    """How the blame divides, for one failure a run: by span, and by run what is left to no span."""
    odds = signs.place**-EARLIER * np.where(signs.place > 1, 1.0, FIRST) * np.where(signs.tool, TOOL, 1.0)
    odds = odds * np.where(signs.began_here, ERROR, 1.0) * np.where(signs.recovered, RECOVERED, 1.0)
    known = ~np.isnan(signs.said)
    sure = np.clip(np.where(known, signs.sure, 0.5), 0.5, 0.999)
    # A label between good and bad tells as much as it is far from the middle.
    lean = np.where(known, 1 - 2 * np.where(known, signs.said, 0.5), 0.0)
    odds = odds * (sure / (1 - sure)) ** lean
    total = (np.bincount(signs.run, odds, runs) + ELSEWHERE).astype(np.float64)
    return odds / total[signs.run], ELSEWHERE / total


def credit(con: duckdb.DuckDBPyConnection, day: date) -> pa.Table:
    """`span_credit` from the views `examples` (of the day) and `work` (its runs' spans)."""
    spans = con.execute((HERE / "credit.sql").read_text()).to_arrow_table()
    names = spans.column("run_id").to_pylist()
    first = {name: number for number, name in enumerate(dict.fromkeys(names))}
    run = np.array([first[name] for name in names], np.int64)
    said, sure = (spans.column(name).to_numpy().astype(np.float64) for name in ("outcome", "confidence"))
    began_here, recovered = (spans.column(name).to_numpy().astype(np.bool_) for name in ("began_here", "recovered"))
    place, role = (spans.column(name).to_numpy() for name in ("place", "role"))
    signs = Signs(run, place.astype(np.float64), role == "tool", began_here, recovered, said, sure)
    by_span, nowhere = shares(signs, len(first))
    con.register("credited", spans.append_column("share", pa.array(by_span)))
    con.register("nowhere", pa.table({"run_id": pa.array(list(first), pa.string()), "share": nowhere}))
    found = con.execute((HERE / "credited.sql").read_text(), {"day": day, "least": LEAST}).to_arrow_table()
    return SPAN_CREDIT.conform(found)
