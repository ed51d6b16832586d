"""What a replay is judged by: means over seeds with intervals, and the published routing measures.

APGR and CPT(x) are those of Ong et al., "RouteLLM: Learning to Route LLMs with Preference Data"
(2024): the performance gap recovered, averaged over shares of calls to the dearer arm, and the least
share at which x of the gap is recovered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

Curve = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over seeds and its 95 % interval (Student's t); no interval from one seed."""

    value: float
    lower: float | None
    upper: float | None
    n: int

    @property
    def said(self) -> str:
        """For people, to four places."""
        if self.lower is None or self.upper is None:
            return f"{self.value:.4f}"
        return f"{self.value:.4f} [{self.lower:.4f}, {self.upper:.4f}]"


def mean(values: Sequence[float]) -> Mean:
    """Mean over seeds."""
    found = np.asarray(values, dtype=np.float64)
    centre, n = float(found.mean()), len(found)
    if n < 2:
        return Mean(centre, None, None, n)
    width = float(stats.t.ppf(0.975, n - 1) * found.std(ddof=1) / np.sqrt(n))
    return Mean(centre, centre - width, centre + width, n)


def apgr(curve: Curve, weak: float, strong: float) -> float:
    """Average performance gap recovered; .5 is chance. `curve`: (share of calls to the dearer arm, value)."""
    shares, values = zip(*sorted(curve), strict=True)
    recovered = (np.array(values) - weak) / (strong - weak)
    return float(np.trapezoid(recovered, shares) / (shares[-1] - shares[0]))


def cpt(curve: Curve, weak: float, strong: float, part: float) -> float | None:
    """Call-performance threshold: least share of calls at which `part` of the gap is recovered; None if never."""
    points = sorted(curve)
    target = weak + part * (strong - weak)
    for (x0, y0), (x1, y1) in pairwise(points):
        if y0 >= target:
            return x0
        if y1 >= target:
            return x0 + (x1 - x0) * (target - y0) / (y1 - y0)
    return None


def largest_fall(values: Sequence[float]) -> float:
    """How far a curve ever falls below what it had reached."""
    found = np.asarray(values, dtype=np.float64)
    return float((np.maximum.accumulate(found) - found).max(initial=0.0))


def slope(values: Sequence[float]) -> float:
    """Least-squares slope per step of values minus the first of them; 0 from fewer than two."""
    found = np.asarray(values, dtype=np.float64)
    if len(found) < 2:
        return 0.0
    return float(np.polyfit(np.arange(len(found)), found - found[0], 1)[0])
