"""A day's sufficient statistics per skill, arm and segment: what scores need, and all they need."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from flywheel_assets.tables.skill_day_stats import SKILL_DAY_STATS

_DAY_STATS = (Path(__file__).parent / "day_stats.sql").read_text()
_KEY = ("skill", "arm", "segment")
_BUCKETS = 120

Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Groups:
    """The number of each run's group, in the order of the runs; and how many groups there are."""

    of: NDArray[np.int64]
    size: int

    def count(self, which: Numbers) -> Numbers:
        """How many runs of each group these are."""
        return np.bincount(self.of[which], minlength=self.size)

    def total(self, values: Numbers) -> Numbers:
        """The sum over each group, in order; what is not known (NaN) adds nothing."""
        return np.bincount(self.of, weights=np.nan_to_num(values), minlength=self.size)


def day_stats(con: duckdb.DuckDBPyConnection, day: date) -> tuple[pa.Table]:
    """(SKILL_DAY_STATS,) of the day: runs = admitted + missing + immature + refused in every row.

    Runs without a skill or an arm are in no row; they are in `rejections`, with that reason. Sums are taken in
    the order of the runs' ids, so that the same rows give the same bits however they were stored.
    """
    runs = _each_once(con.execute(_DAY_STATS, {"day": day}).to_arrow_table())
    first, groups = _grouped(runs)
    named = runs.select([*_KEY, "model", "prompt_version"]).take(pa.array(first))
    columns = {
        "day": pa.repeat(pa.scalar(day), len(first)),
        **{name: named[name] for name in named.column_names},
        **_counts(runs, groups),
        **_sums(runs, groups),
        **_clustered(runs, groups),
        "latency_buckets": _latencies(runs, groups),
    }
    return (SKILL_DAY_STATS.conform(pa.table(columns)),)


def _counts(runs: pa.Table, groups: _Groups) -> dict[str, Numbers]:
    flags = {name: _numbers(runs, name) for name in ("admitted", "missing", "immature", "refused", "errors")}
    known = {"costed": runs["cost"].is_valid().to_numpy(), "timed": runs["seconds"].is_valid().to_numpy()}
    everyone = np.ones(len(runs), np.bool_)
    return {name: groups.count(which) for name, which in ({"runs": everyone} | flags | known).items()}


def _sums(runs: pa.Table, groups: _Groups) -> dict[str, Numbers]:
    w, y, cost, seconds = (_numbers(runs, name) for name in ("weight", "outcome", "cost", "seconds"))
    return {
        "sum_w": groups.total(w),
        "sum_ww": groups.total(w * w),
        "sum_wy": groups.total(w * y),
        "sum_wyy": groups.total(w * y * y),
        "sum_cost": groups.total(cost),
        "sum_cost_sq": groups.total(cost * cost),
        "sum_seconds": groups.total(seconds),
    }


def _clustered(runs: pa.Table, groups: _Groups) -> dict[str, Numbers]:
    """Sums over the sessions of the admitted runs, in order of their names."""
    admitted = np.flatnonzero(_numbers(runs, "admitted"))
    w, y = _numbers(runs, "weight")[admitted], _numbers(runs, "outcome")[admitted]
    cluster = _ranks(runs["cluster"])[admitted]
    clusters, of = np.unique(groups.of[admitted] * (len(runs) + 1) + cluster, return_inverse=True)
    within = _Groups(of, len(clusters))
    cw, cwy = within.total(w), within.total(w * y)
    over = _Groups(clusters // (len(runs) + 1), groups.size)
    return {
        "clusters": over.count(np.ones(len(clusters), np.bool_)),
        "sum_cluster_ww": over.total(cw * cw),
        "sum_cluster_wyw": over.total(cwy * cw),
        "sum_cluster_wywy": over.total(cwy * cwy),
    }


def _latencies(runs: pa.Table, groups: _Groups) -> pa.ListArray:
    timed = np.flatnonzero(runs["bucket"].is_valid().to_numpy())
    bucket = runs["bucket"].fill_null(0).to_numpy()
    counts = np.bincount(groups.of[timed] * _BUCKETS + bucket[timed], minlength=groups.size * _BUCKETS)
    return pa.ListArray.from_arrays(np.arange(groups.size + 1) * _BUCKETS, counts)


def _each_once(runs: pa.Table) -> pa.Table:
    """Rows in order of their ids, without those that repeat the id before."""
    ids = runs["example_id"].combine_chunks()
    repeated = pc.equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    return runs.filter(pa.array(np.append([True] * (len(ids) > 0), ~repeated))) if repeated.any() else runs


def _grouped(runs: pa.Table) -> tuple[NDArray[np.int64], _Groups]:
    """The first run of each group, in order of skill, arm and segment; and the groups."""
    number = np.zeros(len(runs), np.int64)
    first = number[:0]
    for name in _KEY:
        # Numbered anew with each: so the numbers stay below the square of how many runs there are.
        number = number * (len(runs) + 1) + _ranks(runs[name])
        _, first, number = np.unique(number, return_index=True, return_inverse=True)
    return first, _Groups(number, len(first))


def _ranks(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """The place of each text among those that there are, in their order."""
    encoded = column.combine_chunks().dictionary_encode()
    rank = pc.rank(encoded.dictionary, tiebreaker="first").to_numpy().astype(np.int64)
    return rank[encoded.indices.to_numpy()]


def _numbers(runs: pa.Table, name: str) -> Numbers:
    return runs[name].to_numpy()
