"""How many independent, equally weighted runs a weighted, clustered sample is worth.

Kish (1965), Survey Sampling, §§ 8.2 and 11.7: unequal weights cost n·Σw²/(Σw)², and runs that share
a session, correlated by ρ, cost (1 − ρ)·Σw² + ρ·Σ_c(Σ_{i∈c} w)² in place of Σw².
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Real = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sums:
    """Per arm: Σw, Σw², Σwy, Σwy², and over clusters Σ(Σw)², Σ(Σwy)(Σw), Σ(Σwy)²."""

    w: Real
    ww: Real
    wy: Real
    wyy: Real
    cluster_ww: Real
    cluster_wyw: Real
    cluster_wywy: Real


def effective_n(sums: Sums) -> Real:
    """Effective sample size per arm, 0 where there is no weight.

    ρ is common to the arms given. Where few sessions hold the runs, n is cut further by the ratio of
    t quantiles that makes an interval computed from n as wide as one with (sessions − 1) degrees of
    freedom (Korn & Graubard 1998, Survey Methodology 24:193–201).
    """
    spread = (1 - correlation(sums)) * sums.ww + correlation(sums) * sums.cluster_ww
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(sums.w > 0, sums.w**2 / spread, 0.0)
        alone = np.where(sums.w > 0, sums.w**2 / sums.ww, 0.0)
        sessions = np.where(sums.w > 0, sums.w**2 / sums.cluster_ww, 0.0)
    return size * (_t(alone) / _t(sessions)) ** 2


def correlation(sums: Sums) -> float:
    """Correlation of outcomes within a session, pooled over arms, in [0, 1]; 1 where nothing tells.

    Moments: the squared session totals of deviations from an arm's mean have expectation
    σ²·(ρ·Σ_c(Σw)² + (1 − ρ)·Σw²), less what estimating the mean takes away, (1 − 1/sessions).
    """
    usable = (sums.w > 0) & (sums.w**2 > 1.5 * sums.cluster_ww)
    w, ww, clusters = sums.w[usable], sums.ww[usable], sums.cluster_ww[usable]
    mean = sums.wy[usable] / w
    between = sums.cluster_wywy[usable] - 2 * mean * sums.cluster_wyw[usable] + mean**2 * clusters
    between = np.maximum(between, 0) / (1 - clusters / w**2)
    variance = np.maximum(sums.wyy[usable] / w - mean**2, 0) + between / w**2
    room = float(np.sum(variance * (clusters - ww)))
    # Rounding leaves a trace where every session has one run, or every outcome is the same.
    if room <= 1e-9 * float(np.sum(clusters)):
        return 1.0
    return float(np.clip(np.sum(between - variance * ww) / room, 0, 1))


def _t(size: Real) -> Real:
    """97.5 % quantile of Student's t with size − 1 degrees of freedom."""
    return stdtrit(np.maximum(size - 1, 0.05), 0.975)
