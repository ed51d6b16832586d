"""Graded outcomes have a model of their own, equal to independent implementations."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats
from statsmodels.regression.linear_model import WLS

from flywheel_assets.scores.estimators.normal_normal import given, graded, shrink_means, variance_of_mean
from flywheel_assets.scores.score import score
from flywheel_assets_tests.scores.test_score import DAY, by_arm, runs

# Rubin's eight schools, on a scale of 0 to 1.
MEANS = np.array([28, 8, -3, 7, -1, 1, 18, 12]) / 100 + 0.4
VARIANCES = (np.array([15, 10, 16, 11, 9, 11, 10, 18]) / 100) ** 2


@pytest.mark.parametrize("tau", [0.01, 0.1, 0.4])
def test_the_mean_of_means_given_tau_is_weighted_least_squares(tau: float):
    fitted = WLS(MEANS, np.ones(8), weights=1 / (VARIANCES + tau**2)).fit()
    mu, about = float(fitted.params[0]), float(fitted.normalized_cov_params[0, 0])
    # Normal prior and likelihood, conjugate; μ's own uncertainty on top.
    precision = 1 / VARIANCES + 1 / tau**2
    means = (MEANS / VARIANCES + mu / tau**2) / precision
    variances = 1 / precision + (1 / tau**2 / precision) ** 2 * about
    found, spread, _ = given(np.array([tau]), MEANS, VARIANCES)
    np.testing.assert_allclose(found[0], means, rtol=0, atol=1e-9)
    np.testing.assert_allclose(spread[0], variances, rtol=0, atol=1e-9)


def test_the_density_of_tau_is_the_likelihood_with_the_mean_of_means_integrated_out():
    def log_density(tau: float) -> float:
        def likelihood(mu: float) -> float:
            return float(np.prod(stats.norm.pdf(MEANS, mu, np.sqrt(VARIANCES + tau**2))))

        return float(np.log(integrate.quad(likelihood, -2, 3, points=[0.48], epsabs=0, epsrel=1e-12)[0]))

    _, _, ours = given(np.array([0.05, 0.3]), MEANS, VARIANCES)
    assert ours[1] - ours[0] == pytest.approx(log_density(0.3) - log_density(0.05), abs=1e-9)


def test_shrinkage_agrees_with_integration_over_tau():
    def moment(tau: float, school: int) -> tuple[float, float]:
        means, _, log_density = given(np.array([tau]), MEANS, VARIANCES)
        return float(np.exp(log_density[0])), float(np.exp(log_density[0]) * means[0, school])

    total = integrate.quad(lambda tau: moment(tau, 0)[0], 0, 0.5)[0]
    for school in (0, 2):
        wanted = integrate.quad(lambda tau, at=school: moment(tau, at)[1], 0, 0.5)[0] / total
        assert shrink_means(MEANS, VARIANCES).mean[school] == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [("0 1 1 0", False), ("0.2 0.5 0.9 0.4", True), ("1 1 1 1", False), ("0.7 0.7 0.7", True)],
)
def test_outcomes_tell_whether_they_are_graded(outcomes: str, expected: bool):
    y = np.array([float(one) for one in outcomes.split()])
    assert graded(np.array([float(len(y))]), np.array([y.sum()]), np.array([(y**2).sum()])) == expected


def test_one_graded_outcome_among_a_thousand_changes_no_model():
    assert not graded(np.array([1000.0]), np.array([600.5]), np.array([600.25]))


def test_equal_outcomes_do_not_make_an_arm_certain():
    assert variance_of_mean(np.array([0.7]), np.array([0.49]), np.array([10.0]))[0] > 1e-4


def test_graded_outcomes_give_narrower_intervals_than_yes_and_no_with_the_same_mean(run: Callable, stats_of: Callable):
    def width(grades: list[float]) -> float:
        rows = [
            row | {"outcome": grade}
            for arm in ("a", "b")
            for row, grade in zip(runs(run, arm, "0" * 60), grades * 30, strict=True)
        ]
        found = by_arm(score(stats_of(rows), DAY))["a"]
        assert found["lower"] < 0.5 < found["upper"]
        return found["upper"] - found["lower"]

    assert width([0.4, 0.6]) < width([0.0, 1.0]) / 3
