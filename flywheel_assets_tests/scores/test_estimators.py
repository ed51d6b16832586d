"""Estimators equal independent implementations, and their intervals cover what they promise."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import betaln
from statsmodels.stats.weightstats import DescrStatsW

from flywheel_assets.scores.estimators.beta_binomial import conjugate, log_marginal, shrink
from flywheel_assets.scores.estimators.effective_n import correlation, effective_n
from flywheel_assets.scores.estimators.latency import quantile_seconds
from flywheel_assets.scores.estimators.manski import worst_and_best


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(("alpha", "beta", "successes", "trials"), [(1, 1, 3, 10), (0.4, 2.5, 0, 7), (30, 12, 70, 70)])
def test_the_marginal_likelihood_is_that_of_the_beta_binomial(
    alpha: float, beta: float, successes: int, trials: int
) -> None:
    ways = -betaln(trials - successes + 1, successes + 1) - np.log(trials + 1)
    ours = float(log_marginal(array(alpha), array(beta), array(successes), array(trials))[0]) + ways
    assert ours == pytest.approx(stats.betabinom.logpmf(successes, trials, alpha, beta), abs=1e-9)


@pytest.mark.parametrize(("alpha", "beta", "successes", "trials"), [(1, 1, 3, 10), (2.5, 0.5, 4.2, 9.9)])
def test_the_posterior_given_the_prior_is_bayes_theorem(
    alpha: float, beta: float, successes: float, trials: float
) -> None:
    def likelihood(rate: float) -> float:
        return rate**successes * (1 - rate) ** (trials - successes) * float(stats.beta.pdf(rate, alpha, beta))

    total = integrate.quad(likelihood, 0, 1, epsabs=1e-14, epsrel=1e-13)[0]
    mean = integrate.quad(lambda rate: rate * likelihood(rate), 0, 1, epsabs=1e-14, epsrel=1e-13)[0] / total
    a, b = conjugate(array(alpha), array(beta), array(successes), array(trials))
    assert float((a / (a + b))[0]) == pytest.approx(mean, abs=1e-9)


def test_shrinkage_agrees_with_brute_force_over_the_prior() -> None:
    successes, trials = array(18, 30, 9), array(20, 60, 30)
    mu, root = (axis.ravel() for axis in np.meshgrid(np.linspace(0.0005, 0.9995, 1000), np.linspace(0.01, 1, 1000)))
    a, b = mu / root**2, (1 - mu) / root**2
    density = sum(betaln(a + s, b + n - s) - betaln(a, b) for s, n in zip(successes, trials, strict=True))
    weight = np.exp(density - density.max())
    means = [np.average((a + s) / (a + b + n), weights=weight) for s, n in zip(successes, trials, strict=True)]
    np.testing.assert_allclose(shrink(successes, trials).mean, means, atol=2e-3)


@pytest.mark.parametrize(
    ("successes", "trials"),
    [((9, 50), (10, 100)), ((0, 40), (3, 60)), ((5, 5, 5), (5, 5, 5)), ((1e5, 4e4), (2e5, 1e5))],
)
def test_arms_are_drawn_together_and_stay_within_their_intervals(successes: tuple, trials: tuple) -> None:
    s, n = array(*successes), array(*trials)
    shrunk = shrink(s, n)
    assert np.all((shrunk.lower < shrunk.mean) & (shrunk.mean < shrunk.upper))
    assert np.all((shrunk.lower >= 0) & (shrunk.upper <= 1))
    assert np.ptp(shrunk.mean) <= np.ptp(s / n) + 1e-9


def test_more_evidence_narrows_the_interval_and_none_leaves_the_prior() -> None:
    shrunk = shrink(array(0, 6, 60, 600), array(0, 10, 100, 1000))
    assert np.all(np.diff(shrunk.upper - shrunk.lower) < 0)


def test_with_equal_weights_and_no_sessions_effective_n_is_n(sums_of: Callable) -> None:
    outcome = np.arange(50) % 3 / 2
    assert effective_n(sums_of((outcome, np.ones(50), np.arange(50))))[0] == pytest.approx(50, abs=1e-9)


def test_without_sessions_effective_n_gives_the_variance_of_the_weighted_mean(sums_of: Callable) -> None:
    rng = np.random.default_rng(3)
    outcome, weight = rng.random(80), rng.uniform(0.1, 1, 80)
    kish = weight.sum() ** 2 / (weight**2).sum()
    assert effective_n(sums_of((outcome, weight, np.arange(80))))[0] == pytest.approx(kish, rel=1e-9)
    assert DescrStatsW(outcome, weight).mean == pytest.approx((weight @ outcome) / weight.sum(), abs=1e-12)


@pytest.mark.parametrize(("rho", "most"), [(0.0, 0.1), (0.3, 0.45), (0.9, 1.0)])
def test_the_correlation_within_sessions_is_recovered(sums_of: Callable, rho: float, most: float) -> None:
    rng = np.random.default_rng(5)
    found = correlation(sums_of(*(clustered(rng, 0.6, 300, 6, rho) for _ in range(3))))
    assert max(rho - 0.12, 0) <= found <= most


def test_one_session_is_worth_little_and_no_weight_nothing(sums_of: Callable) -> None:
    same = np.zeros(100, np.int64)
    one = sums_of((np.ones(100), np.ones(100), same), (np.ones(1), np.zeros(1), np.zeros(1, np.int64)))
    assert effective_n(one)[0] < 1
    assert effective_n(one)[1] == 0


def clustered(
    rng: np.random.Generator, rate: float, sessions: int, longest: int, rho: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes of sessions whose own rates vary so that two runs of one correlate by rho."""
    sizes = rng.integers(1, longest + 1, sessions)
    own = rng.beta(rate * (1 / rho - 1), (1 - rate) * (1 / rho - 1), sessions) if rho else np.full(sessions, rate)
    outcome = (rng.random(sizes.sum()) < np.repeat(own, sizes)).astype(float)
    return outcome, rng.uniform(0.4, 1, sizes.sum()), np.repeat(np.arange(sessions), sizes)


@pytest.mark.parametrize(
    ("sessions", "longest", "rho"), [(80, 1, 0.0), (400, 1, 0.0), (40, 8, 0.3), (15, 8, 0.3), (100, 6, 0.05)]
)
def test_intervals_cover_the_truth_as_often_as_they_say(
    sums_of: Callable, sessions: int, longest: int, rho: float
) -> None:
    rng = np.random.default_rng(11)
    covered: list[bool] = []
    for _ in range(400):
        rates = rng.beta(6, 4, 3)
        sums = sums_of(*(clustered(rng, rate, sessions, longest, rho) for rate in rates))
        size = effective_n(sums)
        shrunk = shrink(size * sums.wy / sums.w, size)
        covered += ((shrunk.lower <= rates) & (rates <= shrunk.upper)).tolist()
    error = np.sqrt(0.95 * 0.05 / len(covered))
    assert np.mean(covered) >= 0.95 - 3 * error


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_a_quantile_is_within_a_bucket_of_the_exact_one(q: float) -> None:
    seconds = np.random.default_rng(1).lognormal(0.3, 0.8, 5000)
    buckets = np.bincount(np.floor(4 * np.log2(seconds * 1000)).astype(int), minlength=120)
    assert quantile_seconds(buckets.tolist(), q) == pytest.approx(np.quantile(seconds, q), rel=0.19)


def test_a_quantile_of_nothing_is_not_known() -> None:
    assert quantile_seconds([0] * 120, 0.5) is None
    assert quantile_seconds([], 0.5) is None


@pytest.mark.parametrize(
    ("mean", "known", "unknown", "expected"),
    [(0.5, 10, 0, (0.5, 0.5)), (0.5, 10, 10, (0.25, 0.75)), (1.0, 1, 3, (0.25, 1.0))],
)
def test_missing_outcomes_bound_the_mean(mean: float, known: float, unknown: float, expected: tuple) -> None:
    assert worst_and_best(mean, known, unknown) == pytest.approx(expected)
