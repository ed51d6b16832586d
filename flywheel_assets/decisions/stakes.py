"""What bettors stake on the next observation, from those before it alone.

Some specialise on differences of so many standard deviations, as Kelly would stake if they were true; those of a
design aim at having refuted the null at its horizon.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Differences that the bettors specialise on, in standard deviations of one observation: about what 3,500,
# 900, 220 and 60 of them can tell. The capital is the mean of the bettors', so none has to be right.
EFFECTS: Reals = np.array([0.05, 0.1, 0.2, 0.4])
# The same where few observations come and harm is looked for.
LARGE_EFFECTS: Reals = np.array([0.1, 0.2, 0.4, 0.8])
# Weight, in observations, of the guesses that stand in before data: outcome 0.5, variance 0.25.
GUESS_MEAN, GUESS_VARIANCE = 2.0, 10.0
# Share of the capital that a design's bettors have, and the power that they lay their horizon out for.
DESIGNED, AIM = 0.6, 0.82
# And the latest that they lay it out for, in units of a test that looks once with the power USUAL: beside a large α
# the horizon of a part of the capital is late, and a trial that is given half as many units again is to be decided.
PATIENCE, USUAL = 1.45, 0.8


@dataclass(frozen=True, slots=True)
class Design:
    """What a trial was laid out to find: differences of so much beyond `base`, at level `alpha`, in `most` units."""

    effects: tuple[float, ...]
    base: float
    alpha: float
    most: int


def stakes(x: Reals, variance_guess: float | Reals, effects: Reals = EFFECTS) -> Reals:
    """Kelly's stakes on these effects."""
    return kelly(spread_before(x, variance_guess), effects)


def kelly(spread: Reals, effects: Reals) -> Reals:
    """λ_j(t) = δ_j / (s_t (1 + δ_j²)): Kelly's stake if the difference were δ_j standard deviations s_t."""
    return effects / (1 + effects**2) / spread[..., None]


def designed(x: Reals, bets: Reals, design: Design, spread: Reals) -> tuple[Reals, Reals]:
    """Stakes with a bettor for each effect of the design beside those that there are, and all bettors' weights."""
    weight = DESIGNED / len(design.effects)
    level, once = weight * design.alpha, PATIENCE * (ndtri(USUAL) - ndtri(design.alpha)) ** 2
    latest = min(float((ndtri(AIM) - ndtri(level)) ** 2), float(once))
    aimed = [
        _aimed(x - design.base, spread, effect, level, np.minimum(latest * (spread / effect) ** 2, design.most))
        for effect in design.effects
    ]
    others = bets.shape[-1]
    weights = np.array([(1 - DESIGNED) / others] * others + [weight] * len(aimed))
    return np.concatenate([bets, np.stack(aimed, axis=-1)], axis=-1), weights


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


def spread_before(x: Reals, variance_guess: float | Reals) -> Reals:
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


def mean_before(y: Reals, chosen: Flags) -> Reals:
    """Mean of the chosen ones before each, with a guess that stands in before data."""
    held = np.where(chosen, y, 0.0)
    total, count = np.cumsum(held, axis=0) - held, np.cumsum(chosen, axis=0) - chosen
    return (total + GUESS_MEAN / 2) / (count + GUESS_MEAN)
