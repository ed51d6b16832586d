"""The contextual learner: outcome by arm and request, from bandit feedback.

One ridge regression with a part that all arms share and, shrunk harder, a part of each arm's own
(multi-task ridge; Evgeniou and Pontil, "Regularized multi-task learning", KDD 2004): arms with
little evidence are taken to be like the others. Rows weigh by their inverse propensity, cut. The penalties
are chosen by cross-fitted error, so predictions on [0, 1] stay calibrated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.candidates.routing.features import Asked, Lens, Reals

# Of an arm's own axes, and of its single numbers and classes; what all arms share is held a third as hard.
Penalties = tuple[float, float]
PENALTIES: tuple[Penalties, ...] = tuple(
    (words, context) for words in (30.0, 100.0, 1000.0) for context in (10.0, 30.0, 100.0)
)
FOLDS = 4
# An inverse propensity above so many times their mean is cut: beyond it, variance costs more than bias.
MOST_WEIGHT = 4.0
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Feedback:
    """One row per run: the arm it had, its propensity, its outcome in [0, 1]."""

    asked: Asked
    arm: Ints
    outcome: Reals
    propensity: Reals


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted learner. `own` is arms × (1 + columns): what each arm adds; `shared` goes for all."""

    arms: tuple[str, ...]
    lens: Lens
    shared: Reals
    own: Reals
    covariance: Reals
    noise: float
    penalties: Penalties

    def predict(self, asked: Asked) -> Reals:
        """Expected outcome, requests × arms."""
        table = _with_constant(self.lens.columns(asked))
        return table @ (self.shared + self.own).T

    def drawn(self, asked: Asked, draws: int, seed: int) -> Reals:
        """Mean outcome of each arm over the requests in draws from the posterior, draws × arms."""
        centre = _with_constant(self.lens.columns(asked)).mean(axis=0)
        width, count = len(centre), len(self.arms)
        picked = np.zeros((count, width * (count + 1)))
        for arm in range(count):
            picked[arm, :width] = centre
            picked[arm, width * (arm + 1) : width * (arm + 2)] = centre
        mean = picked @ np.concatenate([self.shared, self.own.ravel()])
        spread = self.noise * picked @ self.covariance @ picked.T
        return np.random.default_rng(seed).multivariate_normal(mean, spread, draws, method="eigh")


def fit(feedback: Feedback, arms: Sequence[str], view: Lens, penalties: Penalties | None = None) -> Model:
    """The model of so many arms, seen through a lens; penalties are chosen here where none are given."""
    table = _design(_with_constant(view.columns(feedback.asked)), feedback.arm, len(arms))
    weight = weights(feedback.propensity)
    shape = _Shape(len(arms), view.along, view.apart)
    chosen = penalties or _penalties(table, feedback, weight, shape)
    solved, covariance = _solve(table, feedback.outcome, weight, shape.diagonal(chosen))
    parts = solved.reshape(len(arms) + 1, -1)
    residual = feedback.outcome - table @ solved
    noise = float(np.average(residual**2, weights=weight)) if len(residual) else 0.25
    return Model(tuple(arms), view, parts[0], parts[1:], covariance, max(noise, 1e-3), chosen)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How many columns of which kind a design has, for all arms and again for each (see `Lens`)."""

    arms: int
    along: int
    apart: int

    def diagonal(self, penalties: Penalties) -> Reals:
        """Ridge penalties. The shared constant is free; an arm's own costs like two observations."""
        words, context = penalties
        shared = np.concatenate([[1e-3], np.full(self.along, words / 3), np.full(self.apart, context / 3)])
        own = np.concatenate([[2.0], np.full(self.along, words), np.full(self.apart, context)])
        return np.concatenate([shared, np.tile(own, self.arms)])


def weights(propensity: Reals) -> Reals:
    """Inverse propensities, cut at MOST_WEIGHT times their mean and then scaled to a mean of 1."""
    if not len(propensity):
        return np.ones(0)
    inverse = 1 / np.clip(propensity, 1e-3, 1.0)
    cut = np.minimum(inverse / inverse.mean(), MOST_WEIGHT)
    return cut / cut.mean()


def _with_constant(columns: Reals) -> Reals:
    return np.hstack([np.ones((len(columns), 1)), columns])


def _design(table: Reals, arm: Ints, arms: int) -> Reals:
    """The shared columns, then a copy for each arm which is zero on the rows of the others."""
    return np.hstack([table, *(table * (arm == one)[:, None] for one in range(arms))])


def _solve(table: Reals, outcome: Reals, weight: Reals, diagonal: Reals) -> tuple[Reals, Reals]:
    gram = (table * weight[:, None]).T @ table + np.diag(diagonal)
    inverse = np.linalg.inv(gram)
    return inverse @ (table.T @ (weight * outcome)), np.asarray(inverse, dtype=np.float64)


def _penalties(table: Reals, feedback: Feedback, weight: Reals, shape: _Shape) -> Penalties:
    """Those with the least error on rows left out; the strongest where there is little to choose by."""
    rows = len(table)
    if rows < 20 * FOLDS:
        return PENALTIES[-1]
    fold = np.arange(rows) % FOLDS
    scaled = table * weight[:, None]
    grams = [scaled[fold == one].T @ table[fold == one] for one in range(FOLDS)]
    sides = [scaled[fold == one].T @ feedback.outcome[fold == one] for one in range(FOLDS)]
    errors: list[float] = []
    for pair in PENALTIES:
        diagonal = np.diag(shape.diagonal(pair))
        error = 0.0
        for left_out in range(FOLDS):
            gram = sum((grams[one] for one in range(FOLDS) if one != left_out), start=diagonal)
            side = sum((sides[one] for one in range(FOLDS) if one != left_out), start=np.zeros(table.shape[1]))
            here = fold == left_out
            missed = feedback.outcome[here] - table[here] @ np.linalg.solve(gram, side)
            error += float((weight[here] * missed**2).sum())
        errors.append(error)
    return PENALTIES[int(np.argmin(errors))]
