"""Means of a skill's arms where outcomes are not 0/1, each drawn towards the others as far as they are alike.

Hierarchical normal–normal model: meanᵢ ~ N(μ, τ²), what was observed of it ~ N(meanᵢ, vᵢ), with (μ, τ) uniform,
τ up to the largest spread that values in [0, 1] can have. Gelman et al., Bayesian Data Analysis, 3rd ed., § 5.4:
μ is integrated over exactly, τ on a grid. Graded outcomes vary less than 0/1 outcomes with the same mean, so the
intervals are narrower than the beta–binomial's, which would be conservative.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from flywheel_assets.scores.estimators.beta_binomial import Shrunk

Real = npt.NDArray[np.float64]

# How much less than 0/1 outcomes with their mean they must vary, as a share, to be taken for graded. Below it both
# models say the same but near 0 and 1, where the beta–binomial is right.
GRADED = 0.05
# Half of [0, 1]: no spread of means is larger.
MOST_TAU = 0.5
# Weight, in runs, of all arms' variance in an arm's own.
POOLED = 5.0
_POINTS = 400
_TAIL = 0.975


def graded(weight: Real, wy: Real, wyy: Real) -> bool:
    """Whether the arms' outcomes are not 0/1, from Σw, Σwy and Σwy²: y² = y for these alone."""
    mean = wy / weight
    bernoulli = float(np.sum(weight * mean * (1 - mean)))
    return float(np.sum(wy - wyy)) > GRADED * bernoulli


def variance_of_mean(mean: Real, square: Real, size: Real) -> Real:
    """vᵢ from each arm's mean outcome, mean squared outcome and effective sample size.

    An arm's variance is drawn towards that of all arms, so that few outcomes that happen to be alike do not make it
    certain, and all arms' towards the largest possible by one run. It is estimated, so vᵢ is stretched by the ratio
    of the quantiles of Student's t with n − 1 degrees of freedom and the normal, squared.
    """
    biased = np.maximum(square - mean**2, 0.0)
    pooled = (float(biased @ size) + 0.25) / (float(size.sum()) + 1)
    own = biased * size / np.maximum(size - 1, 0.5)
    spread = (own * size + POOLED * pooled) / (size + POOLED)
    stretch = stdtrit(np.maximum(size - 1, 0.05), _TAIL) / ndtri(_TAIL)
    return spread / size * stretch**2


def shrink_means(mean: Real, variance: Real) -> Shrunk:
    """Posterior of each arm's mean, in [0, 1]; μ and τ are integrated over, not plugged in.

    The posterior is a mixture of normals; its interval is that of the normal with the mixture's mean and variance.
    """
    tau = np.linspace(0.0, MOST_TAU, _POINTS + 1)[1:] - MOST_TAU / _POINTS / 2
    means, variances, log_density = given(tau, mean, variance)
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    middle = weight @ means
    width = float(ndtri(_TAIL)) * np.sqrt(weight @ variances + weight @ (means - middle) ** 2)
    middle = np.clip(middle, 0.0, 1.0)
    return Shrunk(middle, np.clip(middle - width, 0.0, 1.0), np.clip(middle + width, 0.0, 1.0))


def given(tau: Real, mean: Real, variance: Real) -> tuple[Real, Real, Real]:
    """For each τ > 0: every arm's posterior mean and variance (τ × arms), and τ's log posterior density."""
    total = variance + (tau**2)[:, None]
    about_mu = 1 / np.sum(1 / total, axis=1)
    mu = about_mu * np.sum(mean / total, axis=1)
    pull = variance / total
    means = (1 - pull) * mean + pull * mu[:, None]
    variances = (1 - pull) * variance + pull**2 * about_mu[:, None]
    log_density = np.log(about_mu) - np.sum(np.log(total) + (mean - mu[:, None]) ** 2 / total, axis=1)
    return means, variances, log_density / 2
