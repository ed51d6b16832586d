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

# Of an arm's own axes and classes of context; what all arms share is held a third as hard.
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
    # Of the requests it was fitted on, each predicted without itself: as new ones will be, which its own words are not.
    unseen: Reals

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
    plain = _with_constant(view.columns(feedback.asked))
    table, weight = _design(plain, feedback.arm, len(arms)), weights(feedback.propensity)
    shape = _Shape(len(arms), view.axes.shape[1], len(view.classes))
    folds = _Folds.of(table, feedback.outcome, weight)
    chosen = penalties or folds.penalties(shape)
    diagonal = shape.diagonal(chosen)
    inverse = np.linalg.inv(sum(folds.grams, start=np.diag(diagonal)))
    solved, covariance = inverse @ sum(folds.sides), np.asarray(inverse, dtype=np.float64)
    parts = solved.reshape(len(arms) + 1, -1)
    residual = feedback.outcome - table @ solved
    noise = float(np.average(residual**2, weights=weight)) if len(residual) else 0.25
    unseen = folds.unseen(plain, shape, diagonal)
    return Model(tuple(arms), view, parts[0], parts[1:], covariance, max(noise, 1e-3), chosen, unseen)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How many columns of which kind a design has, for all arms and again for each."""

    arms: int
    axes: int
    classes: int

    def diagonal(self, penalties: Penalties) -> Reals:
        """Ridge penalties. The shared constant is free; an arm's own costs like two observations."""
        words, context = penalties
        shared = np.concatenate([[1e-3], np.full(self.axes, words / 3), np.full(self.classes, context / 3)])
        own = np.concatenate([[2.0], np.full(self.axes, words), np.full(self.classes, context)])
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


@dataclass(frozen=True, slots=True)
class _Folds:
    """Sums over each fold, so that a model of all other folds costs one solution."""

    table: Reals
    outcome: Reals
    weight: Reals
    fold: Ints
    grams: tuple[Reals, ...]
    sides: tuple[Reals, ...]

    @classmethod
    def of(cls, table: Reals, outcome: Reals, weight: Reals) -> "_Folds":
        """Every FOLDS-th row is in the same one."""
        fold = np.arange(len(table)) % FOLDS
        scaled = table * weight[:, None]
        rows = [fold == one for one in range(FOLDS)]
        grams = tuple(scaled[one].T @ table[one] for one in rows)
        return cls(table, outcome, weight, fold, grams, tuple(scaled[one].T @ outcome[one] for one in rows))

    def without(self, fold: int, diagonal: Reals) -> Reals:
        """Coefficients from all rows but those of one fold."""
        others = [one for one in range(FOLDS) if one != fold]
        gram = sum((self.grams[one] for one in others), start=np.diag(diagonal))
        side = sum((self.sides[one] for one in others), start=np.zeros(len(diagonal)))
        return np.asarray(np.linalg.solve(gram, side), dtype=np.float64)

    def penalties(self, shape: _Shape) -> Penalties:
        """Those with the least error on rows left out; the strongest where there is little to choose by."""
        if len(self.table) < 20 * FOLDS:
            return PENALTIES[-1]
        return min(PENALTIES, key=lambda pair: self._missed(shape.diagonal(pair)))

    def _missed(self, diagonal: Reals) -> float:
        found = 0.0
        for one in range(FOLDS):
            here = self.fold == one
            missed = self.outcome[here] - self.table[here] @ self.without(one, diagonal)
            found += float((self.weight[here] * missed**2).sum())
        return found

    def unseen(self, plain: Reals, shape: _Shape, diagonal: Reals) -> Reals:
        """What is predicted of each request by a model that did not see it, requests × arms."""
        found = np.zeros((len(plain), shape.arms))
        for one in range(FOLDS):
            here = self.fold == one
            parts = self.without(one, diagonal).reshape(shape.arms + 1, -1)
            found[here] = plain[here] @ (parts[0] + parts[1:]).T
        return found
