"""E-processes by betting: a test that may be looked at any time, and its confidence sequence.

A `Process` bets that the mean of bounded observations exceeds m. Its capital is a non-negative
supermartingale when it does not, so capital ≥ 1/α at any time, however chosen, has probability ≤ α
(Ville). The confidence sequence is the set of m that the same capital has not refuted: the interval
that is shown and the rule that decides are one object.

Sources: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS-B
2024; Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, "Anytime-valid off-policy inference for
contextual bandits", ACM/IMS J. Data Science 2024 (the importance-weighted observations).
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.decisions.elond import gamma, left
from flywheel_assets.decisions.falling import last_held
from flywheel_assets.decisions.stakes import (
    EFFECTS,
    LARGE_EFFECTS,
    Design,
    Flags,
    Reals,
    designed,
    kelly,
    mean_before,
    spread_before,
    stakes,
)

# The first observations, or one of several processes.
Part = slice | tuple[slice, int]

# Share of the capital that one observation may cost.
STAKE_CAP = 0.8
# Parts of its range that an end of a confidence sequence is told to.
STEPS = 2.0**40
# Nothing below m is possible where m is the least value itself; the stake is then unbounded.
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Process:
    """Bets that the mean of `x` exceeds m, for every m at once.

    `x`: observations in order; `low`: what each could at least have been; `bets`: stakes (n × bettors)
    before the cap; `weights`: the bettors' shares of the capital, by default even. All but `x` are
    predictable: they depend on earlier observations alone. With `restart` > 0 part of the capital is
    kept back and comes in every so many observations, so that a mean that starts to exceed m late is
    noticed (e-detector of Shin, Ramdas and Rinaldo, NEJSDS 2024, with weights that add up to 1 instead
    of an average run length).
    """

    x: Reals
    low: Reals
    bets: Reals
    restart: int = 0
    weights: Reals | None = None

    def __getitem__(self, part: Part) -> Self:
        """The bets on the first observations, or those of one of several processes in `x`."""
        return replace(self, x=self.x[part], low=self.low[part], bets=self.bets[part])

    def log_capital(self, mean: float) -> float:
        """Log of the e-value against 'the mean is at most `mean`, always'; 0 without observations.

        K(m) = Σ_k w_k Σ_j 1/J Π_{t ≥ start k} (1 + λ_tj (x_t − m)), λ_tj = min(λ_j(t), c / (m − low_t)),
        plus what is still kept back; it decreases in m.
        """
        if not len(self.x):
            return 0.0
        if not self.restart:
            return float(self._together(self._grown(mean).sum(axis=0, keepdims=True))[0])
        logs = self._logs(mean)
        starts, weights, kept = self._starts(len(self.x))
        before = np.where(starts[:, None] > 0, logs[starts - 1], 0.0)
        grown = self._together(logs[-1] - before) + np.log(weights)
        return float(np.logaddexp.reduce(np.append(grown, np.log(kept)) if kept else grown))

    def after(self, mean: float, counts: NDArray[np.int64]) -> Reals:
        """`log_capital(mean)` as it was after so many observations each, at least one, of each process in `x`."""
        if self.restart:
            return np.cumsum(self.growth(mean))[counts - 1]
        ends, place = np.unique(counts, return_inverse=True)
        # Sums between counts, then sums of these: to sum up every observation would take five times as long.
        between = np.add.reduceat(self._grown(mean)[: ends[-1]], np.append(0, ends[:-1]), axis=0)
        return self._together(np.cumsum(between, axis=0)[place])

    def growth(self, mean: float) -> Reals:
        """Each observation's part of `log_capital(mean)`: they add up to it."""
        count = len(self.x)
        if not count:
            return np.zeros(0)
        logs = self._logs(mean)
        starts, weights, kept = self._starts(count)
        # Capital of the starts not made yet, by observation, then that of each start from there on.
        path = np.full(count, kept)
        for start, weight in zip(starts, weights, strict=True):
            path[:start] += weight
        path = np.log(path, out=np.full(count, -np.inf), where=path > 0)
        for start, weight in zip(starts, weights, strict=True):
            before = logs[start - 1] if start else 0.0
            path[start:] = np.logaddexp(path[start:], np.log(weight) + self._together(logs[start:] - before))
        return np.diff(path, prepend=0.0)

    @property
    def variance(self) -> float:
        """Mean square of the observations."""
        return float(np.mean(self.x**2)) if len(self.x) else 0.0

    def onset(self, mean: float) -> int:
        """Where the bets begin that grew most against `mean`: since when it seems to be exceeded."""
        logs = self._logs(mean)
        starts, weights, _ = self._starts(len(self.x))
        before = np.where(starts[:, None] > 0, logs[starts - 1], 0.0)
        return int(starts[np.argmax(self._together(logs[-1] - before) + np.log(weights))])

    def lower(self, alpha: float, least: float = -1.0, most: float = 1.0) -> float:
        """Lower end of the confidence sequence: the smallest mean not refuted at `alpha`, in [least, most]."""
        bar, step = -float(np.log(alpha)), (most - least) / STEPS
        # On a grid, so that the last bits of the sums do not show.
        return least + step * last_held(lambda place: self.log_capital(least + step * place) - bar, STEPS)

    def _starts(self, count: int) -> tuple[NDArray[np.int64], Reals, float]:
        """Where capital comes in, how much, and how much is kept back for later starts."""
        if not self.restart:
            return np.zeros(1, dtype=np.int64), np.ones(1), 0.0
        starts = np.arange(0, count, self.restart)
        return starts, np.array([gamma(k) for k in range(1, len(starts) + 1)]), left(1.0, len(starts), 0)

    def _together(self, logs: Reals) -> Reals:
        """Log of all bettors' capital, row by row, from the log of each one's."""
        shares = np.full(logs.shape[-1], 1 / logs.shape[-1]) if self.weights is None else self.weights
        most = logs.max(axis=-1)
        return most + np.log(np.exp(logs - most[..., None]) @ shares)

    def _logs(self, mean: float) -> Reals:
        """Log of every bettor's capital after each observation."""
        return np.cumsum(self._grown(mean), axis=0)

    def _grown(self, mean: float) -> Reals:
        """What each observation adds to the log of every bettor's capital."""
        reach = np.maximum(mean - self.low, TINY)
        capped = np.minimum(self.bets, (STAKE_CAP / reach)[..., None])
        return np.log1p(capped * (self.x - mean)[..., None])


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference of two means, seen from both sides: `rise` bets that it is larger, `fall` smaller."""

    rise: Process
    fall: Process

    @classmethod
    def of(cls, x: Reals, low: Reals, high: Reals, bets: Reals) -> Self:
        """From unbiased observations of the difference with predictable bounds and bets."""
        return cls(Process(x, low, bets), Process(-x, -high, bets))

    def __getitem__(self, part: Part) -> Self:
        """The same of the first observations, or one of several comparisons that were made at once."""
        return replace(self, rise=self.rise[part], fall=self.fall[part])

    def log_e(self, difference: float) -> float:
        """Log e-value against 'the difference is at most `difference`'."""
        return self.rise.log_capital(difference)

    def log_e_harm(self, difference: float) -> float:
        """The same against 'the difference is at least `difference`'."""
        return self.fall.log_capital(-difference)

    def log_e_either(self, difference: float) -> float:
        """The same against 'the difference is `difference`': half of the capital bets on each side."""
        return float(np.logaddexp(self.log_e(difference), self.log_e_harm(difference)) - np.log(2))

    def interval(self, alpha: float) -> tuple[float, float]:
        """Confidence sequence; each end is missed with probability at most `alpha`, over all times together."""
        return self.rise.lower(alpha), -self.fall.lower(alpha)


def randomised(candidate: Flags, y: Reals, share: float | Reals, design: Design | None = None) -> Comparison:
    """Candidate minus incumbent, from units assigned to the candidate with probability `share`.

    The share may differ from unit to unit, as long as it is fixed before the unit is assigned.

    With a design, part of the capital of `rise` goes to bettors who aim at its differences. Several comparisons
    of as many units are made at once from arrays whose columns they are.

    `y` in [0, 1]. x_t = (A_t − p) / (p (1 − p)) · (y_t − b_t) has the difference as its mean for any
    predictable b_t; b_t = (1 − p) ȳ_candidate + p ȳ_incumbent, means so far, has the least variance.
    """
    b = (1 - share) * mean_before(y, candidate) + share * mean_before(y, ~candidate)
    x = np.where(candidate, (y - b) / share, (b - y) / (1 - share))
    low = -np.maximum(b / share, (1 - b) / (1 - share))
    high = np.maximum((1 - b) / share, b / (1 - share))
    spread = spread_before(x, 0.25 / (share * (1 - share)))
    found = Comparison.of(x, low, high, kelly(spread, EFFECTS))
    if design is None or not design.effects:
        return found
    bets, weights = designed(x, found.rise.bets, design, spread)
    return replace(found, rise=replace(found.rise, bets=bets, weights=weights))


def differences(x: Reals, restart: int = 0) -> Comparison:
    """From differences in [−1, 1] that are unbiased in themselves, such as those of matched blocks.

    With `restart` the bets are on large differences: it is for watching. `rise` alone starts anew; it
    bounds the largest that the difference ever was, and `fall` what it always was.
    """
    one, effects = np.ones_like(x), LARGE_EFFECTS if restart else EFFECTS
    bets = stakes(x, 0.25, effects)
    return Comparison(Process(x, -one, bets, restart), Process(-x, -one, bets))


def non_negative(x: Reals) -> Process:
    """Bets on observations that are at least 0 and otherwise unbounded, such as weighted rewards."""
    return Process(x, np.zeros_like(x), stakes(x, 1.0))


def assignment(candidate: Flags, share: float | Reals) -> Comparison:
    """From whether each unit went to the candidate, less the probability `share` with which it should."""
    one = np.ones(candidate.shape)
    x = candidate.astype(float) - share
    return Comparison.of(x, -share * one, (1 - share) * one, stakes(x, share * (1 - share) * one))
