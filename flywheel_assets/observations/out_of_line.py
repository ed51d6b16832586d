"""Evidence, over days, that one source's word of its arms is out of line with all others'.

A source whose tasks are harder succeeds less with every arm: taken against its own other arms that cancels. What is
left, the interaction of source and arm, is near nothing for the honest and far from it where one arm's outcomes are
made up, turned round or mixed up. It is told from chance, and from what honest sources differ by, with a likelihood
ratio that may be looked at every day.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
# Slope of the logistic function about the middle: brings log-odds to the scale of outcomes.
SLOPE = 0.2


@dataclass(frozen=True, slots=True)
class Tallies:
    """Of each day × source × arm: runs, the sum of their outcomes, and the squared deviations of clusters' sums."""

    runs: Reals
    good: Reals
    spread: Reals

    def since(self, day: int) -> "Tallies":
        """The same from that day on."""
        return Tallies(self.runs[day:], self.good[day:], self.spread[day:])

    def without(self, source: int) -> "Tallies":
        """The same, that source having said nothing."""
        kept = np.ones((1, self.runs.shape[1], 1))
        kept[:, source] = 0
        return Tallies(self.runs * kept, self.good * kept, self.spread * kept)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is taken for honest, and what is looked for, both in outcomes (0 to 1).

    `honest`: standard deviation of honest interactions, as sure as `sure` comparisons of other sources would make it.
    `poison`: standard deviation of those that are looked for. `least`: runs that a source × arm needs to count.
    """

    honest: float = 0.02
    sure: float = 8.0
    poison: float = 0.15
    least: int = 30


@dataclass(frozen=True, slots=True)
class Interactions:
    """Of each source × arm: how far out of line (NaN: nothing to compare), its standard error, and the log e-value."""

    apart: Reals
    error: Reals
    log_e: Reals


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Of source × other source × arm, NaN where not comparable.

    The difference, its squared error by either side, and, once arms are set against each other, how many cells'
    natural interactions each side's contrast holds.
    """

    apart: Reals
    own: Reals
    theirs: Reals
    cells: Reals


def interactions(tallies: Tallies, expected: Expected) -> Interactions:
    """Every source against every other on the days and arms that both have; arrays of sources × arms.

    Differences are Mantel-Haenszel risk differences stratified by day, so that what an arm does on a day cancels as
    well; the e-value is the ratio of two normal marginal likelihoods of the same estimate (Robbins 1970), a
    martingale as data come in. Harder tasks may cost the same points at every arm or the same odds: what is in line
    on one of the two scales is in line, so the smaller e-value counts.
    """
    outcomes, odds = (_against(_contrasts(pairs, expected), expected) for pairs in _pairs(tallies, expected))
    return Interactions(outcomes.apart, outcomes.error, np.minimum(outcomes.log_e, odds.log_e))


def _pairs(tallies: Tallies, expected: Expected) -> tuple[_Pairs, _Pairs]:
    """Differences of outcomes, and of log-odds brought to their scale."""
    runs, whole = tallies.runs, tallies.runs.sum(axis=0)
    mean = np.divide(tallies.good, runs, out=np.zeros_like(runs), where=runs > 0)
    # Add-one smoothing: thirty successes in a row are not known without error.
    smooth = (tallies.good.sum(axis=0) + 1) / (whole + 2)
    variance = np.maximum(smooth * (1 - smooth), tallies.spread.sum(axis=0) / np.maximum(whole, 1))
    known = whole >= expected.least
    found: list[list[Reals]] = []
    for source in range(len(whole)):
        mine = runs[:, source : source + 1]
        total = np.where(mine + runs > 0, mine + runs, 1)
        shares = np.where(known & known[source], mine * runs / total, 0)
        sums = shares.sum(axis=0)
        # Below, a day or two of a few runs would speak for the pair.
        sums[sums < expected.least / 4] = np.nan
        sums[source] = np.nan
        rates = [(shares * side).sum(axis=0) / sums for side in (mean[:, source : source + 1], mean)]
        errors = [
            (shares * part).sum(axis=0) / sums**2 * spread
            for part, spread in ((runs / total, variance[source]), (mine / total, variance))
        ]
        found.append([*rates, *errors])
    mine, theirs, own, other = (np.array(each) for each in zip(*found, strict=True))
    inside = [np.clip(rate, 0.5 / (whole + 1), 1 - 0.5 / (whole + 1)) for rate in (mine, theirs)]
    slopes = [SLOPE / (rate * (1 - rate)) for rate in inside]
    logits = [SLOPE * np.log(rate / (1 - rate)) for rate in inside]
    plain = _Pairs(mine - theirs, own, other, np.ones_like(own))
    return plain, _Pairs(logits[0] - logits[1], own * slopes[0] ** 2, other * slopes[1] ** 2, plain.cells)


def _contrasts(pairs: _Pairs, expected: Expected) -> _Pairs:
    """Each arm's difference less the mean difference of the pair's other arms."""
    weights = np.nan_to_num(1 / (pairs.own + pairs.theirs + 2 * expected.honest**2))
    rest = weights.sum(axis=2, keepdims=True) - weights
    rest = np.where(rest > 1e-9, rest, np.nan)

    def others(values: Reals, power: int) -> Reals:
        weighted = weights**power * np.nan_to_num(values)
        return (weighted.sum(axis=2, keepdims=True) - weighted) / rest**power

    apart = pairs.apart - others(pairs.apart, 1)
    return _Pairs(apart, *(each + others(each, 2) for each in (pairs.own, pairs.theirs, pairs.cells)))


def _against(pairs: _Pairs, expected: Expected) -> Interactions:
    """Each source's interactions against the mean of all others'; of which there have to be two."""
    honest = np.array([_honest(pairs, source, expected) for source in range(len(pairs.apart))])[:, None]
    weights = np.nan_to_num(1 / (pairs.theirs + honest[:, None] * pairs.cells))
    sums = np.where((weights > 0).sum(axis=1) >= 2, weights.sum(axis=1), np.nan)
    weights = weights / sums[:, None]

    def mean(values: Reals, power: int = 1) -> Reals:
        return (weights**power * np.nan_to_num(values)).sum(axis=1)

    apart = mean(pairs.apart)
    # A source's own noise is the same against all others; theirs is not.
    noise = mean(np.sqrt(pairs.own)) ** 2 + mean(pairs.theirs, 2)
    null = noise + honest * mean(pairs.cells) * (1 + (weights**2).sum(axis=1))
    other = null + expected.poison**2
    log_e = 0.5 * (np.log(null / other) + apart**2 * (1 / null - 1 / other))
    return Interactions(apart, np.sqrt(noise), log_e)


def _honest(pairs: _Pairs, source: int, expected: Expected) -> float:
    """Variance of honest interactions: what is expected, corrected by what all other sources show of each other."""
    rest = np.arange(len(pairs.apart)) != source
    apart, noise, cells = (each[rest][:, rest] for each in (pairs.apart, pairs.own + pairs.theirs, pairs.cells))
    found = ~np.isnan(apart)
    if not found.any():
        return expected.honest**2
    # The median of a squared standard normal is .455: one more bad source among the others does not move it far.
    seen = max(0.0, float(np.median((apart[found] ** 2 / 0.455 - noise[found]) / (2 * cells[found]))))
    degrees = (found.any(axis=(1, 2)).sum() - 1) * max(found.any(axis=(0, 1)).sum() - 1, 1)
    return float((expected.sure * expected.honest**2 + degrees * seen) / (expected.sure + degrees))
