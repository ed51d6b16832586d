"""Anchors put probabilities right: as far as they tell, and hardly where they are few."""

import numpy as np
import pytest
from scipy.optimize import minimize

from flywheel_assets.examples.fusion.calibrate import CLAIMED, LEARNED, LEAST_ANCHORS, correction


def answered(rng, count: int, slope: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and answers that come as often as their log-odds, stretched and shifted, say."""
    said = rng.uniform(0.05, 0.95, count)
    true = 1 / (1 + np.exp(-(slope * np.log(said / (1 - said)) + shift)))
    return said, (rng.random(count) < true).astype(float)


@pytest.mark.parametrize("varies", [CLAIMED, LEARNED])
@pytest.mark.parametrize("count", [20, 60, 400])
def test_the_correction_is_the_likeliest_under_its_prior(varies, count):
    said, right = answered(np.random.default_rng(count), count, 0.5, 0.4)
    found = correction(said, right, varies)
    odds = np.log(said / (1 - said))

    def loss(x):
        shown = 1 / (1 + np.exp(-(x[0] * odds + x[1])))
        likelihood = right * np.log(shown) + (1 - right) * np.log(1 - shown)
        return -likelihood.sum() + (x[0] - 1) ** 2 / varies[0] ** 2 / 2 + x[1] ** 2 / varies[1] ** 2 / 2

    assert (found.slope, found.shift) == pytest.approx(tuple(minimize(loss, [1.0, 0.0]).x), abs=1e-3)


def test_many_anchors_find_what_is_wrong_and_few_correct_nothing():
    said, right = answered(np.random.default_rng(1), 5000, 0.5, 0.4)
    found = correction(said, right, LEARNED)
    assert (found.slope, found.shift) == (pytest.approx(0.5, abs=0.06), pytest.approx(0.4, abs=0.1))
    assert correction(said[: LEAST_ANCHORS - 1], right[: LEAST_ANCHORS - 1], LEARNED) is None


def test_who_is_calibrated_is_hardly_touched_and_good_and_bad_are_mirror_images():
    moved = []
    for seed in range(20):
        said, right = answered(np.random.default_rng(seed), LEAST_ANCHORS, 1.0, 0.0)
        found, mirrored = correction(said, right, LEARNED), correction(1 - said, 1 - right, LEARNED)
        assert (mirrored.slope, mirrored.shift) == pytest.approx((found.slope, -found.shift))
        moved.append(np.abs(found(said) - said).mean())
    assert np.mean(moved) < 0.06
