"""A judge's rate, put right by a random sample of runs that people answered too.

PPI++ for a mean (Angelopoulos, Duchi, Zrnic 2023, "PPI++: Efficient Prediction-Powered Inference",
section 2 and example 6.1): the judge's mean over the runs without an answer, times a weight, plus the
mean of what it got wrong on those with one. The weight is what makes the variance least: a judge that
says nothing of people's answers gets 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

Z = NormalDist().inv_cdf(0.975)
# Added to the variance: two imaginary answers that contradict the judge, one either way. Without them a
# judge whose few anchors all agree with it would be believed without limit.
CONTRADICTIONS = 2.0


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over sessions: of runs (n), judge's values (f), people's values (y), and of products of a session's sums.

    Where every session is one run, n = nn and ff is the sum of squares.
    """

    n: float
    nn: float
    f: float
    nf: float
    ff: float
    y: float = 0.0
    ny: float = 0.0
    fy: float = 0.0
    yy: float = 0.0

    @classmethod
    def of(cls, row: Mapping[str, float], prefix: str) -> Self:
        """The row's columns of that prefix."""
        names = [name for name in cls.__slots__ if f"{prefix}{name}" in row]
        return cls(**{name: float(row[f"{prefix}{name}"]) for name in names})

    def spread(self, left: str, right: str) -> float:
        """Σ over sessions of the products of both sums, each less what its runs would add at the mean."""
        a, b = (getattr(self, name) / self.n for name in (left, right))
        n_left, n_right = (getattr(self, f"n{name}") for name in (left, right))
        return getattr(self, left + right) - a * n_right - b * n_left + a * b * self.nn


@dataclass(frozen=True, slots=True)
class Corrected:
    """A rate with its 95 % interval, and the weight given to the judge."""

    rate: float
    lower: float
    upper: float
    trust: float


def corrected_mean(anchored: Sums, free: Sums, contradictions: float = CONTRADICTIONS) -> Corrected:
    """People's mean over all runs; `anchored` are those with an answer (at least one), `free` those without."""
    n, trust = anchored.n, _weight(anchored, free)
    left_over = anchored.spread("y", "y") - 2 * trust * anchored.spread("f", "y") + trust**2 * anchored.spread("f", "f")
    rate = (anchored.y - trust * anchored.f) / n
    variance = (max(left_over, 0.0) + contradictions) / (n + contradictions) ** 2
    if free.n:
        rate += trust * free.f / free.n
        variance += trust**2 * max(free.spread("f", "f"), 0.0) / free.n**2
    reach = Z * variance**0.5
    return Corrected(rate, rate - reach, rate + reach, trust)


def _weight(anchored: Sums, free: Sums) -> float:
    """Covariance of judge and people over the judge's variance, as PPI++ tunes it; cut to [0, 1]."""
    if not free.n:
        return 0.0
    both = Sums(*(getattr(anchored, name) + getattr(free, name) for name in ("n", "nn", "f", "nf", "ff")))
    of_judge = both.spread("f", "f") / (both.n - 1)
    if of_judge <= 1e-12:
        return 0.0
    together = anchored.spread("f", "y") / anchored.n
    return min(max(together / ((1 + anchored.n / free.n) * of_judge), 0.0), 1.0)
