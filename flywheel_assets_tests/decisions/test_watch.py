"""Watching a promoted arm: how units are matched, and how rarely a harmless promotion is undone."""

import numpy as np
import pytest

from flywheel_assets.decisions.watch import ROLLBACK_ALPHA, Watched, estimate, interval, matched

NAN = float("nan")


@pytest.mark.parametrize(
    ("production", "values", "differences", "block_of"),
    [
        # p: production, c: its predecessor; one character a unit.
        ("", [], [], []),
        ("ppp", [1, 1, 1], [], [-1, -1, -1]),
        ("ccc", [1, 1, 1], [], [-1, -1, -1]),
        ("cp", [1, 1], [], [-1, -1]),
        ("pc", [1, 0], [1], [0, 0]),
        ("ppc", [1, 0, 0], [0.5], [0, 0, 0]),
        ("pccpc", [1, 1, 0, 0, 1], [0, -1], [0, 0, -1, 1, 1]),
        ("pcpcp", [1, 0, 0, 1, 1], [1, -1], [0, 0, 1, 1, -1]),
        ("ppc", [NAN, 1, 0], [1], [-1, 0, 0]),
        ("pcpc", [1, NAN, 0, 0], [0.5], [0, -1, 0, 0]),
    ],
)
def test_each_predecessor_unit_is_matched_with_the_production_units_before_it(
    production: str, values: list[float], differences: list[float], block_of: list[int]
):
    found, blocks = matched(np.array([one == "p" for one in production], dtype=bool), np.array(values, dtype=float))
    assert found.rise.x.tolist() == differences
    assert blocks.tolist() == block_of


@pytest.mark.parametrize("gain", [0.0, 0.15, -0.1])
def test_the_interval_since_a_promotion_has_two_ends_and_holds_the_truth(gain: float):
    missed, widths = 0, []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        production = rng.random(3000) >= 0.1
        outcome = (rng.random(3000) < 0.6 + gain * production).astype(float)
        lower, upper = interval(Watched("outcome", 0.0, ROLLBACK_ALPHA / 2, *matched(production, 1 - outcome)))
        missed, widths = missed + (not lower <= gain <= upper), [*widths, upper - lower]
    assert missed / 60 <= ROLLBACK_ALPHA + 3 * np.sqrt(ROLLBACK_ALPHA * 0.9 / 60)
    assert np.median(widths) < 0.5


@pytest.mark.parametrize("turned", [500, 2000, 3500])
def test_where_the_difference_turned_to_harm_the_worst_stretch_counts(turned: int):
    rng = np.random.default_rng(1)
    production = np.arange(4000) % 5 > 0
    rate = np.where(production, np.where(np.arange(4000) < turned, 0.9, 0.1), 0.5)
    outcome = (rng.random(4000) < rate).astype(float)
    watched = Watched("outcome", 0.0, ROLLBACK_ALPHA / 2, *matched(production, 1 - outcome))
    lower, upper = interval(watched)
    assert lower <= (estimate(watched) or 0.0) <= upper < 0


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_a_harmless_promotion_is_rarely_undone_though_outcomes_drift_and_shares_change(share: float):
    undone = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rate, mix = np.linspace(0.9, 0.4, 4000), np.where(np.arange(4000) < 2000, share, share * 2)
        production = rng.random(4000) >= mix
        blocks, _ = matched(production, (rng.random(4000) < rate).astype(float))
        undone += bool(np.cumsum(blocks.rise.growth(0.0)).max(initial=0.0) >= -np.log(ROLLBACK_ALPHA / 2))
    assert undone / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
