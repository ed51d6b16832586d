"""A log of chosen actions with their probabilities, and what an estimate or a refusal holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.decisions.stakes import Flags, Reals

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Logged:
    """Runs in order: the action taken, its reward in [0, 1], the logger's probability of it (NaN: unknown).

    `target`: the target policy's probability of every action (n × actions). `keep`: probability with
    which the run's trace was kept. `features`: what was known before acting (n × d; d may be 0).
    `cluster`: runs that belong together. `supported`: whether the logger could have taken what the
    target takes.
    """

    action: Ints
    reward: Reals
    propensity: Reals
    target: Reals
    keep: Reals
    features: Reals
    cluster: Ints
    supported: Flags

    @property
    def weight(self) -> Reals:
        """Target's over logger's probability of the action taken."""
        return self.target[np.arange(len(self.action)), self.action] / self.propensity

    @property
    def scale(self) -> Reals:
        """How many runs each kept one stands for."""
        return 1 / self.keep

    def only(self, rows: Flags) -> "Logged":
        """Some of the runs."""
        return Logged(
            self.action[rows],
            self.reward[rows],
            self.propensity[rows],
            self.target[rows],
            self.keep[rows],
            self.features[rows],
            self.cluster[rows],
            self.supported[rows],
        )


@dataclass(frozen=True, slots=True)
class Value:
    """A point estimate and its standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far the log reaches: runs, runs the target agrees with, effective sample size, largest weight, support."""

    runs: int
    matched: int
    effective_n: float
    max_weight: float
    supported: float


@dataclass(frozen=True, slots=True)
class Estimated:
    """The target's value by four estimators, and a confidence sequence for it (None where traces were sampled)."""

    overlap: Overlap
    ips: Value
    snips: Value
    direct: Value
    doubly_robust: Value
    sequence: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not identifiable from this log, and why."""

    reason: str
    overlap: Overlap | None = None


def mean_of(values: Reals, weight: Reals, cluster: Ints) -> Value:
    """Σ w v / Σ w, with the linearised error of a ratio, robust to clusters.

    The error's denominator is Σ w, not n: with weights that do not average 1 the two differ.
    """
    total = float(weight.sum())
    value = float(weight @ values) / total
    sums = np.bincount(cluster, weight * (values - value))
    return Value(value, float(np.sqrt(sums @ sums)) / total)
