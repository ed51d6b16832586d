"""Adds day statistics up to one row per skill and arm, once as they are and once with decay."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

# Whole figures, added up as they are.
COUNTS = ("runs", "admitted", "missing", "immature", "refused", "costed", "errors", "timed")
PLAIN = ("sum_w", "sum_wy", "sum_cost")
# Figures that decay multiplies once, and figures that it multiplies twice.
DECAYED = ("sum_w", "sum_wy", "sum_wyy")
DECAYED_TWICE = ("sum_ww", "sum_cluster_ww", "sum_cluster_wyw", "sum_cluster_wywy")

Numbers = npt.NDArray[Any]


def merge(stats: pa.Table, as_of: date, half_life: timedelta) -> tuple[pa.Table, dict[str, Numbers]]:
    """(skill, arm, model, prompt_version, first_day, last_day) per arm, and its sums in the same order.

    Sums are named as the columns they add up; 'decayed_' goes before those in which a day's weights
    count 2^(−age / half-life). Days are taken in order, so the rows' order makes no difference. A day
    after `as_of` counts like `as_of`. `latency_buckets` has a row of counts per arm.
    """
    rows = stats.sort_by([(name, "ascending") for name in ("skill", "arm", "day", "segment")])
    skills, arms, days = (rows[name].to_pylist() for name in ("skill", "arm", "day"))
    keys = list(zip(skills, arms, strict=True))
    starts = [row for row, key in enumerate(keys) if row == 0 or key != keys[row - 1]]
    ends = [*starts[1:], len(keys)][: len(starts)]
    ages = np.array([max((as_of - day).days, 0) for day in days], dtype=np.float64)
    decay = 0.5 ** (ages / (half_life / timedelta(days=1)))
    sums = {name: _added(_column(rows, name), starts) for name in (*COUNTS, *PLAIN)}
    sums |= {f"decayed_{name}": _added(_column(rows, name) * decay, starts) for name in DECAYED}
    sums |= {f"decayed_{name}": _added(_column(rows, name) * decay**2, starts) for name in DECAYED_TWICE}
    sums["latency_buckets"] = _added(_buckets(rows), starts)
    named = rows.select(["skill", "arm", "model", "prompt_version"]).take(pa.array(starts, pa.int64()))
    for name, at in (("first_day", starts), ("last_day", [end - 1 for end in ends])):
        named = named.append_column(name, pa.array([days[row] for row in at], pa.date32()))
    return named, sums


def _column(rows: pa.Table, name: str) -> Numbers:
    return rows[name].to_numpy()


def _added(values: Numbers, starts: list[int]) -> Numbers:
    return np.add.reduceat(values, starts, axis=0) if starts else values[:0]


def _buckets(rows: pa.Table) -> npt.NDArray[np.int64]:
    """A row of counts per row; days that were written with fewer buckets are filled up with none."""
    lists = rows["latency_buckets"].to_pylist()
    counts = np.zeros((len(lists), max((len(each) for each in lists), default=0)), np.int64)
    for row, each in enumerate(lists):
        counts[row, : len(each)] = each
    return counts
