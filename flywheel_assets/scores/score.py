"""Scores of every arm at every skill: merged over days, decayed, shrunk, bounded, and ranked if at all."""

from datetime import date, timedelta
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from flywheel_assets.scores.estimators.beta_binomial import Shrunk, shrink
from flywheel_assets.scores.estimators.effective_n import Sums, effective_n
from flywheel_assets.scores.estimators.latency import quantile_seconds
from flywheel_assets.scores.estimators.manski import worst_and_best
from flywheel_assets.scores.estimators.normal_normal import graded, shrink_means, variance_of_mean
from flywheel_assets.scores.merge import COUNTS, Numbers, merge
from flywheel_assets.scores.standing import Interval, standings
from flywheel_assets.tables.skill_scores import SKILL_SCORES

HALF_LIFE = timedelta(days=30)
DECAYED_SUMS = ("decayed_sum_w", "decayed_sum_wy", "decayed_sum_wyy")
_COUNTED = ("runs", "admitted", "missing", "immature", "refused")


def score(stats: pa.Table, as_of: date, half_life: timedelta = HALF_LIFE) -> pa.Table:
    """SKILL_SCORES from SKILL_DAY_STATS rows of any days in any order.

    `mean` is the weighted mean of all admitted runs, without decay and without shrinkage, and the
    Manski bounds go with it. `score` and its interval weigh a day's runs by 2^(−age / half_life) at
    `as_of` and draw the skill's arms together: 0/1 outcomes by a beta–binomial model, graded ones by a
    normal–normal. What was not measured is NULL.
    """
    arms, sums = merge(stats, as_of, half_life)
    skills = arms["skill"].to_pylist()
    rows: list[dict[str, object]] = []
    for _, group in groupby(range(arms.num_rows), key=skills.__getitem__):
        chosen = list(group)
        rows += _scored(arms.take(pa.array(chosen)).to_pylist(), {name: sums[name][chosen] for name in sums})
    return SKILL_SCORES.conform(SKILL_SCORES.rows(rows))


def _scored(arms: list[dict[str, object]], sums: dict[str, Numbers]) -> list[dict[str, object]]:
    """The rows of one skill's arms."""
    size = _effective(sums)
    evident = sums["decayed_sum_w"] > 0
    found = _shrunk(size[evident], {name: sums[name][evident] for name in DECAYED_SUMS}) if evident.any() else None
    shrunk = dict(zip(np.flatnonzero(evident).tolist(), _intervals(found), strict=True))
    names = [str(arm["arm"]) for arm in arms]
    places = standings(names, [shrunk[row][1] if row in shrunk else None for row in range(len(arms))])
    return [
        {**arm, "effective_n": float(size[row])}
        | {name: int(sums[name][row]) for name in _COUNTED}
        | _evidence({name: sums[name][row] for name in ("sum_w", "sum_wy", *_COUNTED)}, shrunk.get(row))
        | _running({name: sums[name][row] for name in ("sum_cost", "latency_buckets", *COUNTS)})
        | places[row]._asdict()
        for row, arm in enumerate(arms)
    ]


def _shrunk(size: npt.NDArray[np.float64], sums: dict[str, Numbers]) -> Shrunk:
    """The arms' means by the model that fits the skill's outcomes: 0/1, or graded."""
    weight, wy, wyy = (sums[name] for name in DECAYED_SUMS)
    if graded(weight, wy, wyy):
        return shrink_means(wy / weight, variance_of_mean(wy / weight, wyy / weight, size))
    return shrink(size * wy / weight, size)


def _effective(sums: dict[str, Numbers]) -> npt.NDArray[np.float64]:
    return effective_n(
        Sums(
            w=sums["decayed_sum_w"],
            ww=sums["decayed_sum_ww"],
            wy=sums["decayed_sum_wy"],
            wyy=sums["decayed_sum_wyy"],
            cluster_ww=sums["decayed_sum_cluster_ww"],
            cluster_wyw=sums["decayed_sum_cluster_wyw"],
            cluster_wywy=sums["decayed_sum_cluster_wywy"],
        )
    )


def _intervals(found: Shrunk | None) -> list[tuple[float, Interval]]:
    if found is None:
        return []
    ends = (Interval(*pair) for pair in zip(found.lower.tolist(), found.upper.tolist(), strict=True))
    return list(zip(found.mean.tolist(), ends, strict=True))


def _evidence(sums: dict[str, float], shrunk: tuple[float, Interval] | None) -> dict[str, object]:
    """Point estimates, NULL where nothing was admitted."""
    if shrunk is None:
        names: tuple[str, ...] = ("mean", "score", "lower", "upper", "worst_case", "best_case")
        return {name: None for name in names}  # noqa: C420 - fromkeys would fix the values' type to None
    mean = float(sums["sum_wy"] / sums["sum_w"])
    worst, best = worst_and_best(mean, float(sums["admitted"]), float(sums["missing"] + sums["immature"]))
    return {
        "mean": mean,
        "score": shrunk[0],
        "lower": shrunk[1].lower,
        "upper": shrunk[1].upper,
        "worst_case": worst,
        "best_case": best,
    }


def _running(sums: dict[str, npt.NDArray[np.int64]]) -> dict[str, object]:
    """What the runs cost and how they went, over all runs, admitted or not."""
    return {
        "cost_usd": float(sums["sum_cost"] / sums["costed"]) if sums["costed"] else None,
        "error_rate": float(sums["errors"] / sums["runs"]) if sums["runs"] else None,
        "p50_seconds": quantile_seconds(sums["latency_buckets"].tolist(), 0.5),
        "p95_seconds": quantile_seconds(sums["latency_buckets"].tolist(), 0.95),
    }
