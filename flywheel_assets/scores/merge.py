"""Adds day statistics up to one row per skill and arm, once as they are and once with decay."""

from datetime import date, timedelta
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

# Whole figures, added up as they are.
COUNTS = ("runs", "admitted", "missing", "immature", "refused", "costed", "errors", "timed")
PLAIN = ("sum_w", "sum_wy", "sum_cost")
# Figures that decay multiplies once, and figures that it multiplies twice.
DECAYED = ("sum_w", "sum_wy", "sum_wyy")
DECAYED_TWICE = ("sum_ww", "sum_cluster_ww", "sum_cluster_wyw", "sum_cluster_wywy")

# Rows whose latency buckets are opened at a time: 120 numbers each.
AT_ONCE = 1 << 15

Numbers = npt.NDArray[Any]


def merge(stats: pa.Table, as_of: date, half_life: timedelta) -> tuple[pa.Table, dict[str, Numbers]]:
    """(skill, arm, model, prompt_version, first_day, last_day) per arm, and its sums in the same order.

    Sums are named as the columns they add up; 'decayed_' goes before those in which a day's weights
    count 2^(−age / half-life). Days are taken in order, so the rows' order makes no difference. A day
    after `as_of` counts like `as_of`. `latency_buckets` has a row of counts per arm.
    """
    numbered = stats.drop_columns(["latency_buckets"]).append_column("at", pa.array(np.arange(stats.num_rows)))
    rows = numbered.sort_by([(name, "ascending") for name in ("skill", "arm", "day", "segment")])
    starts = _starts(rows)
    ends = np.append(starts[1:], rows.num_rows)[: len(starts)]
    days = rows["day"].to_numpy()
    ages = np.maximum((np.datetime64(as_of) - days).astype(np.int64), 0)
    decay = 0.5 ** (ages / (half_life / timedelta(days=1)))
    sums = {name: _added(_column(rows, name), starts) for name in (*COUNTS, *PLAIN)}
    sums |= {f"decayed_{name}": _added(_column(rows, name) * decay, starts) for name in DECAYED}
    sums |= {f"decayed_{name}": _added(_column(rows, name) * decay**2, starts) for name in DECAYED_TWICE}
    arm = np.empty(rows.num_rows, np.int64)
    arm[rows["at"].to_numpy()] = np.repeat(np.arange(len(starts)), ends - starts)
    sums["latency_buckets"] = _buckets(stats["latency_buckets"], arm, len(starts))
    named = rows.select(["skill", "arm", "model", "prompt_version"]).take(pa.array(starts))
    for name, at in (("first_day", starts), ("last_day", ends - 1)):
        named = named.append_column(name, pa.array(days[at], pa.date32()))
    return named, sums


def _starts(rows: pa.Table) -> npt.NDArray[np.int64]:
    """Where each skill's arm begins, in rows sorted by both."""
    skill, arm = rows["skill"].to_numpy(), rows["arm"].to_numpy()
    first = np.ones(rows.num_rows, np.bool_)
    first[1:] = (skill[1:] != skill[:-1]) | (arm[1:] != arm[:-1])
    return np.flatnonzero(first)


def _column(rows: pa.Table, name: str) -> Numbers:
    return rows[name].to_numpy()


def _added(values: Numbers, starts: npt.NDArray[np.int64]) -> Numbers:
    return np.add.reduceat(values, starts, axis=0) if len(starts) else values[:0]


def _buckets(lists: pa.ChunkedArray, arm: npt.NDArray[np.int64], arms: int) -> npt.NDArray[np.int64]:
    """A row of counts per arm, `arm` being each row's; a list may be shorter than others."""
    parts = [cast("pa.ListArray", part) for part in lists.chunks]
    width = max((int(part.value_lengths().to_numpy().max(initial=0)) for part in parts), default=0)
    counts, done = np.zeros(arms * width), 0
    for part in (chunk.slice(first, AT_ONCE) for chunk in parts for first in range(0, len(chunk), AT_ONCE)):
        lengths = part.value_lengths().to_numpy()
        begins = arm[done : done + len(part)] * width - (np.cumsum(lengths) - lengths)
        places = np.repeat(begins, lengths) + np.arange(lengths.sum())
        counts += np.bincount(places, part.flatten().to_numpy(), arms * width)
        done += len(part)
    return counts.reshape(arms, width).astype(np.int64)
