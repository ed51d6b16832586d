"""Thompson sampling over an arm's outcome: posteriors from shrunken scores, and draws from them.

A beta posterior has the score as its mean and the interval's width as its spread. Source: Thompson,
"On the likelihood that one unknown probability exceeds another", Biometrika 1933; Chapelle and Li,
"An empirical evaluation of Thompson sampling", NeurIPS 2011.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 4000
# Observations that the skill's own mean stands for where an arm has none.
PRIOR_WEIGHT = 2.0
NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Belief:
    """A beta distribution over an arm's mean outcome."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Its mean."""
        return self.a / (self.a + self.b)


def belief(score: float, lower: float, upper: float) -> Belief:
    """The beta distribution with mean `score` and the spread of a 95 % interval [lower, upper]."""
    mean = float(np.clip(score, 1e-3, 1 - 1e-3))
    spread = max((upper - lower) / (2 * NORMAL_95), 1e-4)
    # A beta variable of this mean cannot vary more than a coin; κ = mean (1 − mean) / variance − 1.
    weight = max(mean * (1 - mean) / spread**2 - 1, PRIOR_WEIGHT)
    return Belief(mean * weight, (1 - mean) * weight)


def guess(scores: Sequence[tuple[float, float]]) -> Belief:
    """For an arm without evidence: the mean of (score, effective n) over the skill's arms, weighing little."""
    total = sum(n for _, n in scores)
    mean = sum(score * n for score, n in scores) / total if total > 0 else 0.5
    mean = float(np.clip(mean, 0.05, 0.95))
    return Belief(mean * PRIOR_WEIGHT, (1 - mean) * PRIOR_WEIGHT)


def draws(beliefs: Sequence[Belief], skill: str, seed: int) -> NDArray[np.float64]:
    """Mean outcomes drawn from the beliefs, arms × DRAWS; they depend on the skill's arms alone."""
    named = int.from_bytes(hashlib.sha256(skill.encode()).digest()[:8], "big")
    rng = np.random.default_rng([seed, named])
    return np.stack([rng.beta(one.a, one.b, DRAWS) for one in beliefs])


def best_shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the draws in which each arm has the highest value (the first of equals)."""
    return np.bincount(values.argmax(axis=0), minlength=len(values)) / values.shape[1]
