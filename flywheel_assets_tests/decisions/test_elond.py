"""The error budget: what e-LOND allots, spends and keeps, against an independent implementation."""

import numpy as np
import pytest
from online_fdr.core.abstract.abstract_gamma_seq import AbstractGammaSequence
from online_fdr.e_values.sequential import ELond

from flywheel_assets.decisions.elond import allot, gamma, left


class Telescoping(AbstractGammaSequence):
    """Our sequence, for their procedure."""

    def calc_gamma(self, j: int, *_args: object, **_kwargs: object) -> float:
        return gamma(j)


@pytest.mark.parametrize("seed", range(5))
def test_levels_and_promotions_agree_with_the_reference_implementation(seed: int):
    e_values = np.exp(np.random.default_rng(seed).normal(3, 4, 60))
    reference, promotions = ELond(0.05, Telescoping()), 0
    for position, e in enumerate(e_values, start=1):
        alpha = allot(0.05, position, promotions)
        promoted = bool(e >= 1 / alpha)
        assert reference.test_one(float(e)) == promoted
        assert reference.current_level == pytest.approx(alpha, rel=1e-12)
        promotions += promoted


def test_shares_add_up_to_the_budget_and_what_is_left_is_what_later_trials_get():
    shares = [gamma(position) for position in range(1, 5001)]
    assert sum(shares) + left(1.0, 5000, 0) == pytest.approx(1)
    for registered in (0, 1, 10, 100):
        assert left(0.05, registered, 2) == pytest.approx(3 * 0.05 * (1 - sum(shares[:registered])))


def test_no_trial_gets_more_than_an_even_chance_of_error():
    assert allot(0.9, 1, 50) == 0.5


def test_false_promotions_stay_within_the_budget_over_streams_that_are_mostly_null():
    """e-values of nulls are exactly calibrated two-point variables, the worst case for Markov's inequality."""
    rng = np.random.default_rng(11)
    proportions = []
    for _ in range(2000):
        null = rng.random(50) < 0.8
        false = promotions = 0
        for position in range(1, 51):
            alpha = allot(0.05, position, promotions)
            promoted = rng.random() < (alpha if null[position - 1] else 0.5)
            promotions += promoted
            false += promoted and null[position - 1]
        proportions.append(false / max(promotions, 1))
    assert np.mean(proportions) <= 0.05 + 3 * np.std(proportions) / np.sqrt(2000)
