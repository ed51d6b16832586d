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
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

from flywheel_assets.decisions.elond import gamma, left

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Differences that the bettors specialise on, in standard deviations of one observation: about what 3,500,
# 900, 220 and 60 of them can tell. The capital is the mean of the bettors', so none has to be right.
EFFECTS: Reals = np.array([0.05, 0.1, 0.2, 0.4])
# The same where few observations come and harm is looked for.
LARGE_EFFECTS: Reals = np.array([0.1, 0.2, 0.4, 0.8])
# Share of the capital that one observation may cost.
STAKE_CAP = 0.8
# Weight, in observations, of the guesses that stand in before data: outcome 0.5, variance 0.25.
GUESS_MEAN, GUESS_VARIANCE = 2.0, 10.0
# Share of the capital that a design's bettors have, and the power that they lay their horizon out for.
DESIGNED, AIM = 0.6, 0.82
# And the latest that they lay it out for, in units of a test that looks once with the power USUAL: beside a large α
# the horizon of a part of the capital is late, and a trial that is given half as many units again is to be decided.
PATIENCE, USUAL = 1.45, 0.8
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
        return self._together(self._logs(mean)[counts - 1])

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
        bar = -float(np.log(alpha))
        if self.log_capital(least) < bar:
            return least
        if self.log_capital(most) >= bar:
            return most
        # A tenth of a second to load, and most runs have nothing to solve.
        from scipy.optimize import brentq

        step = (most - least) / STEPS
        root = cast("float", brentq(lambda mean: self.log_capital(mean) - bar, least, most, xtol=step / 8))
        # On a grid, so that the last bits of the sums do not show.
        found = least + np.floor((root - least) / step) * step
        return float(found if self.log_capital(found) >= bar else found - step)

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
        stakes = np.minimum(self.bets, (STAKE_CAP / reach)[..., None])
        return np.log1p(stakes * (self.x - mean)[..., None])


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference of two means, seen from both sides: `rise` bets that it is larger, `fall` smaller."""

    rise: Process
    fall: Process

    @classmethod
    def of(cls, x: Reals, low: Reals, high: Reals, bets: Reals) -> Self:
        """From unbiased observations of the difference with predictable bounds and bets."""
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


@dataclass(frozen=True, slots=True)
class Design:
    """What a trial was laid out to find: differences of so much beyond `base`, at level `alpha`, in `most` units."""

    effects: tuple[float, ...]
    base: float
    alpha: float
    most: int


def randomised(candidate: Flags, y: Reals, share: float | Reals, design: Design | None = None) -> Comparison:
    """Candidate minus incumbent, from units assigned to the candidate with probability `share`.

    The share may differ from unit to unit, as long as it is fixed before the unit is assigned.

    With a design, part of the capital of `rise` goes to bettors who aim at its differences. Several comparisons
    of as many units are made at once from arrays whose columns they are.

    `y` in [0, 1]. x_t = (A_t − p) / (p (1 − p)) · (y_t − b_t) has the difference as its mean for any
    predictable b_t; b_t = (1 − p) ȳ_candidate + p ȳ_incumbent, means so far, has the least variance.
    """
    b = (1 - share) * _mean_before(y, candidate) + share * _mean_before(y, ~candidate)
    x = np.where(candidate, (y - b) / share, (b - y) / (1 - share))
    low = -np.maximum(b / share, (1 - b) / (1 - share))
    high = np.maximum((1 - b) / share, b / (1 - share))
    spread = _spread(x, 0.25 / (share * (1 - share)))
    found = Comparison.of(x, low, high, _stakes(spread, EFFECTS))
    if design is None or not design.effects:
        return found
    return Comparison(_designed(found.rise, design, spread), found.fall)


def differences(x: Reals, restart: int = 0) -> Comparison:
    """From differences in [−1, 1] that are unbiased in themselves, such as those of matched blocks.

    With `restart` the bets are on large differences: it is for watching. `rise` alone starts anew; it
    bounds the largest that the difference ever was, and `fall` what it always was.
    """
    one, effects = np.ones_like(x), LARGE_EFFECTS if restart else EFFECTS
    bets = _bets(x, 0.25, effects)
    return Comparison(Process(x, -one, bets, restart), Process(-x, -one, bets))


def non_negative(x: Reals) -> Process:
    """Bets on observations that are at least 0 and otherwise unbounded, such as weighted rewards."""
    return Process(x, np.zeros_like(x), _bets(x, 1.0))


def assignment(candidate: Flags, share: float | Reals) -> Comparison:
    """From whether each unit went to the candidate, less the probability `share` with which it should."""
    one = np.ones(candidate.shape)
    x = candidate.astype(float) - share
    return Comparison.of(x, -share * one, (1 - share) * one, _bets(x, share * (1 - share) * one))


def assigned_as_declared(candidate: Flags, share: float | Reals) -> float:
    """Log e-value against 'units went to the candidate with probability `share`', in either direction."""
    comparison = assignment(candidate, share)
    return float(np.logaddexp(comparison.log_e(0.0), comparison.log_e_harm(0.0)) - np.log(2))


def _bets(x: Reals, variance_guess: float | Reals, effects: Reals = EFFECTS) -> Reals:
    """λ_j(t) = δ_j / (s_t (1 + δ_j²)): Kelly's stake if the difference were δ_j standard deviations s_t."""
    return _stakes(_spread(x, variance_guess), effects)


def _stakes(spread: Reals, effects: Reals) -> Reals:
    return effects / (1 + effects**2) / spread[..., None]


def _designed(process: Process, design: Design, spread: Reals) -> Process:
    """The same process with a bettor for each effect of the design beside those it has."""
    x, weight = process.x, DESIGNED / len(design.effects)
    level, once = weight * design.alpha, PATIENCE * (ndtri(USUAL) - ndtri(design.alpha)) ** 2
    latest = min(float((ndtri(AIM) - ndtri(level)) ** 2), float(once))
    aimed = [
        _aimed(x - design.base, spread, effect, level, np.minimum(latest * (spread / effect) ** 2, design.most))
        for effect in design.effects
    ]
    others = process.bets.shape[-1]
    weights = np.array([(1 - DESIGNED) / others] * others + [weight] * len(aimed))
    bets = np.concatenate([process.bets, np.stack(aimed, axis=-1)], axis=-1)
    return Process(x, process.low, bets, process.restart, weights)


def _aimed(x: Reals, spread: Reals, effect: float, level: float, horizon: Reals) -> Reals:
    """Stakes of a bettor who wants 1/level when the sum of `x` is beyond z √N at its horizon N, and nothing else.

    The fair price of that after t units is Φ(d) / level, d = (S_t − z s √N) / (s √(N − t)); the stake is
    its relative change with S. Koning and van Meer, "Anytime validity is free: inducing sequential tests",
    2024. After N it bets on the effect.
    """
    z, before = float(ndtri(1 - level)), _before(x)
    left = np.maximum(horizon - before, 1.0) ** 0.5 * spread
    d = (np.cumsum(x, axis=0) - x - z * spread * np.sqrt(horizon)) / left
    hazard = np.exp(-(d**2) / 2 - log_ndtr(d)) / np.sqrt(2 * np.pi)
    return np.where(before < horizon, hazard / left, effect / (spread**2 + effect**2))


def _spread(x: Reals, variance_guess: float | Reals) -> Reals:
    """Root mean square of the observations before each, with a guess that stands in before data.

    Where the guess changes from one to the next, the observations before are taken to scale with it.
    """
    guess = variance_guess * np.ones(x.shape)
    scale = guess / guess[:1]
    squares = x * x / scale
    before = np.cumsum(squares, axis=0) - squares
    return np.sqrt((before + GUESS_VARIANCE * guess[:1]) / (_before(x) + GUESS_VARIANCE) * scale)


def _before(x: Reals) -> NDArray[np.int64]:
    """How many observations came before each."""
    return np.arange(len(x)).reshape(-1, *[1] * (x.ndim - 1))


def _mean_before(y: Reals, chosen: Flags) -> Reals:
    held = np.where(chosen, y, 0.0)
    total, count = np.cumsum(held, axis=0) - held, np.cumsum(chosen, axis=0) - chosen
    return (total + GUESS_MEAN / 2) / (count + GUESS_MEAN)
