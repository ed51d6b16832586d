"""Success rates of a skill's arms, each drawn towards the others as far as they turn out to be alike.

Hierarchical beta–binomial model: rateᵢ ~ Beta(μM, (1 − μ)M), successesᵢ ~ Binomial(nᵢ, rateᵢ), with
(μ, M^−½) uniform. Gelman et al., Bayesian Data Analysis, 3rd ed., § 5.3. Counts need not be whole: an
effective sample size and its mean stand for successes and failures. Graded outcomes
have a model of their own (`normal_normal.py`): this one would be conservative, since none varies more than 0/1
outcomes with the same mean.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, betaln

Real = npt.NDArray[np.float64]

_LOGIT = (-7.0, 7.0)
# A prior worth less than one run, or more than ten thousand, is not told from these.
_LOG_M = (0.0, float(np.log(1e4)))
_POINTS = 32


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Per arm: posterior mean and the ends of its central 95 % interval."""

    mean: Real
    lower: Real
    upper: Real


def shrink(successes: Real, trials: Real) -> Shrunk:
    """Posterior of each arm's rate; μ and M are integrated over, not plugged in.

    The posterior is a mixture of betas; its interval is that of the beta with the mixture's mean and
    variance. An arm without trials gets the skill's prior.
    """
    alpha, beta, log_density = _grid(successes, trials)
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    a, b = conjugate(alpha[:, None], beta[:, None], successes, trials)
    means = a / (a + b)
    mean = weight @ means
    variance = weight @ (means * (1 - means) / (a + b + 1)) + weight @ (means - mean) ** 2
    size = mean * (1 - mean) / variance - 1
    lower, upper = (betaincinv(mean * size, (1 - mean) * size, tail) for tail in (0.025, 0.975))
    return Shrunk(mean, lower, upper)


def conjugate(alpha: Real, beta: Real, successes: Real, trials: Real) -> tuple[Real, Real]:
    """The posterior Beta(a, b) of a rate whose prior is Beta(alpha, beta)."""
    return alpha + successes, beta + trials - successes


def log_marginal(alpha: Real, beta: Real, successes: Real, trials: Real) -> Real:
    """Log probability of one sequence with so many successes: ln B(α + s, β + n − s) − ln B(α, β)."""
    a, b = conjugate(alpha, beta, successes, trials)
    return betaln(a, b) - betaln(alpha, beta)


def _grid(successes: Real, trials: Real) -> tuple[Real, Real, Real]:
    """Points (α, β) and their log posterior density: a coarse grid, then a fine one where the mass is."""
    x, y = _points(_LOGIT, _LOG_M)
    near = _density(x, y, successes, trials)
    near = near > near.max() - 12
    x, y = _points(_widened(x[near], _LOGIT), _widened(y[near], _LOG_M))
    mu, size = _expit(x), np.exp(y)
    return mu * size, (1 - mu) * size, _density(x, y, successes, trials)


def _density(x: Real, y: Real, successes: Real, trials: Real) -> Real:
    """Log posterior density at x = logit μ, y = ln M. Uniform in (μ, M^−½) is M^−½ in ln M, μ(1 − μ) in logit μ."""
    mu, size = _expit(x)[:, None], np.exp(y)[:, None]
    likelihood = log_marginal(mu * size, (1 - mu) * size, successes, trials).sum(axis=1)
    return likelihood + np.log(mu * (1 - mu))[:, 0] - y / 2


def _points(logit: tuple[float, float], log_m: tuple[float, float]) -> tuple[Real, Real]:
    x, y = np.meshgrid(np.linspace(*logit, _POINTS), np.linspace(*log_m, _POINTS))
    return x.ravel(), y.ravel()


def _widened(points: Real, limits: tuple[float, float]) -> tuple[float, float]:
    """The span of the points and one step of the coarse grid to either side."""
    step = (limits[1] - limits[0]) / (_POINTS - 1)
    return max(float(points.min()) - step, limits[0]), min(float(points.max()) + step, limits[1])


def _expit(x: Real) -> Real:
    return 1 / (1 + np.exp(-x))
