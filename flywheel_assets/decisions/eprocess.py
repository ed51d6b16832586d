"""E-processes by betting: a test that may be looked at any time, and its confidence sequence.

A `Process` bets that the mean of bounded observations exceeds m. Its capital is a non-negative
supermartingale when it does not, so capital ≥ 1/α at any time, however chosen, has probability ≤ α
(Ville). The confidence sequence is the set of m that the same capital has not refuted: the interval
that is shown and the rule that decides are one object.

Sources: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS-B
2024; Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, "Anytime-valid off-policy inference for
contextual bandits", ACM/IMS J. Data Science 2024 (the importance-weighted observations).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Differences that the bettors specialise on; the capital is the mean of theirs, so none has to be right.
EFFECTS: Reals = np.array([0.05, 0.1, 0.2, 0.4])
# Share of the capital that one observation may cost.
STAKE_CAP = 0.8
# Weight, in observations, of the guesses that stand in before data: outcome 0.5, variance 0.25.
GUESS_MEAN, GUESS_VARIANCE = 2.0, 10.0
BISECTIONS = 40
# Nothing below m is possible where m is the least value itself; the stake is then unbounded.
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Process:
    """Bets that the mean of `x` exceeds m, for every m at once.

    `x`: observations in order; `low`: what each could at least have been; `bets`: stakes (n × bettors)
    before the cap. All but `x` are predictable: they depend on earlier observations alone.
    """

    x: Reals
    low: Reals
    bets: Reals

    def log_capital(self, mean: float) -> float:
        """Log of the e-value against 'the mean is at most `mean`'; 0 without observations.

        K(m) = Σ_j w_j Π_t (1 + λ_tj (x_t − m)), λ_tj = min(λ_j(t), c / (m − low_t)); it decreases in m.
        """
        return float(self._path(mean)[-1]) if len(self.x) else 0.0

    def growth(self, mean: float) -> Reals:
        """Each observation's part of `log_capital(mean)`: they add up to it."""
        return np.diff(self._path(mean), prepend=0.0)

    def lower(self, alpha: float, least: float = -1.0, most: float = 1.0) -> float:
        """Lower end of the confidence sequence: the smallest mean not refuted at `alpha`, in [least, most]."""
        bar = -np.log(alpha)
        if self.log_capital(least) < bar:
            return least
        for _ in range(BISECTIONS):
            middle = (least + most) / 2
            if self.log_capital(middle) >= bar:
                least = middle
            else:
                most = middle
        return least

    def _path(self, mean: float) -> Reals:
        reach = np.maximum(mean - self.low, TINY)
        stakes = np.minimum(self.bets, (STAKE_CAP / reach)[:, None])
        logs = np.cumsum(np.log1p(stakes * (self.x - mean)[:, None]), axis=0)
        top = logs.max(axis=1, initial=-np.inf)
        return top + np.log(np.exp(logs - top[:, None]).mean(axis=1))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference of two means, seen from both sides: `rise` bets that it is larger, `fall` smaller."""

    rise: Process
    fall: Process

    @classmethod
    def of(cls, x: Reals, low: Reals, high: Reals, variance_guess: float) -> Self:
        """From unbiased observations of the difference with predictable bounds."""
        bets = _bets(x, variance_guess)
        return cls(Process(x, low, bets), Process(-x, -high, bets))

    def log_e(self, difference: float) -> float:
        """Log e-value against 'the difference is at most `difference`'."""
        return self.rise.log_capital(difference)

    def log_e_harm(self, difference: float) -> float:
        """The same against 'the difference is at least `difference`'."""
        return self.fall.log_capital(-difference)

    def interval(self, alpha: float) -> tuple[float, float]:
        """Confidence sequence; each end is missed with probability at most `alpha`, over all times together."""
        return self.rise.lower(alpha), -self.fall.lower(alpha)


def randomised(candidate: Flags, y: Reals, share: float) -> Comparison:
    """Candidate minus incumbent, from units assigned to the candidate with probability `share`.

    `y` in [0, 1]. x_t = (A_t − p) / (p (1 − p)) · (y_t − b_t) has the difference as its mean for any
    predictable b_t; b_t = (1 − p) ȳ_candidate + p ȳ_incumbent, means so far, has the least variance.
    """
    b = (1 - share) * _mean_before(y, candidate) + share * _mean_before(y, ~candidate)
    x = np.where(candidate, (y - b) / share, (b - y) / (1 - share))
    low = -np.maximum(b / share, (1 - b) / (1 - share))
    high = np.maximum((1 - b) / share, b / (1 - share))
    return Comparison.of(x, low, high, 0.25 / (share * (1 - share)))


def differences(x: Reals) -> Comparison:
    """From differences in [−1, 1] that are unbiased in themselves, such as those of matched blocks."""
    one = np.ones_like(x)
    return Comparison.of(x, -one, one, 0.25)


def assigned_as_declared(candidate: Flags, share: float) -> float:
    """Log e-value against 'units went to the candidate with probability `share`', in either direction."""
    x = candidate.astype(float) - share
    comparison = Comparison.of(x, np.full_like(x, -share), np.full_like(x, 1 - share), share * (1 - share))
    return float(np.logaddexp(comparison.log_e(0.0), comparison.log_e_harm(0.0)) - np.log(2))


def _bets(x: Reals, variance_guess: float) -> Reals:
    """λ_j(t) = d_j / (v_t + d_j²): Kelly's stake if the difference were d_j and the variance v_t."""
    before = np.cumsum(x * x) - x * x
    variance = (before + GUESS_VARIANCE * variance_guess) / (np.arange(len(x)) + GUESS_VARIANCE)
    return EFFECTS / (variance[:, None] + EFFECTS**2)


def _mean_before(y: Reals, chosen: Flags) -> Reals:
    held = np.where(chosen, y, 0.0)
    total, count = np.cumsum(held) - held, np.cumsum(chosen) - chosen
    return (total + GUESS_MEAN / 2) / (count + GUESS_MEAN)
