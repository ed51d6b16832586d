"""The e-process: error at the null however often one looks, coverage, power, and one object for both."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from flywheel_assets.decisions.eprocess import STEPS, Comparison, Process, assignment, differences, randomised
from flywheel_assets.decisions.stakes import Design, Flags, Reals


def stream(seed: int, count: int, incumbent: float, candidate: float, share: float = 0.5) -> tuple[Flags, Reals]:
    rng = np.random.default_rng(seed)
    chosen = rng.random(count) < share
    return chosen, (rng.random(count) < np.where(chosen, candidate, incumbent)).astype(float)


def ever(comparison: Comparison, alpha: float, bound: float = 0.0) -> bool:
    """Whether a reader who looks after every single unit would ever have rejected."""
    return bool(np.cumsum(comparison.rise.growth(bound)).max() >= -np.log(alpha))


@pytest.mark.parametrize(
    ("rate", "share", "count"),
    [(0.5, 0.5, 1000), (0.95, 0.444, 1000), (0.02, 0.5, 1000), (0.5, 0.1, 500)],
)
def test_a_null_candidate_is_rarely_promoted_though_every_run_is_looked_at(rate: float, share: float, count: int):
    false = sum(ever(randomised(*stream(seed, count, rate, rate, share), share), 0.05) for seed in range(300))
    # Three standard errors above the nominal rate.
    assert false / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.parametrize(("rate", "share", "most"), [(0.5, 0.5, 1000), (0.9, 0.444, 400), (0.05, 0.3, 4000)])
def test_bets_that_aim_at_a_horizon_are_no_easier_to_win_by_chance(rate: float, share: float, most: int):
    design = Design((0.05, 0.1, 0.3), 0.0, 0.05, most)
    false = sum(ever(randomised(*stream(seed, 1000, rate, rate, share), share, design), 0.05) for seed in range(300))
    assert false / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_bets_that_aim_find_their_difference_by_the_horizon_as_often_as_laid_out():
    found = {}
    for effects in ((), (0.1,)):
        design = Design(effects, 0.0, 0.0125, 4000)
        paths = (randomised(*stream(seed, 1300, 0.5, 0.6), 0.5, design) for seed in range(100))
        found[effects] = sum(ever(one, 0.0125) for one in paths)
    assert found[0.1,] >= 78 > found[()] + 5


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 300), effect=st.floats(0.01, 0.5), most=st.integers(1, 400))
def test_what_later_units_bring_does_not_change_what_earlier_ones_added(
    seed: int, count: int, effect: float, most: int
):
    chosen, y = stream(seed, 400, 0.3, 0.6)
    design = Design((effect,), -0.02, 0.01, most)
    whole, part = randomised(chosen, y, 0.5, design), randomised(chosen[:count], y[:count], 0.5, design)
    np.testing.assert_allclose(whole.rise.growth(-0.02)[:count], part.rise.growth(-0.02), atol=1e-9)


def drifting(seed: int) -> tuple[Flags, Reals]:
    """Outcomes that get worse for everybody, as along one public stream."""
    rng = np.random.default_rng(seed)
    chosen = rng.random(1000) < 0.5
    return chosen, (rng.random(1000) < np.linspace(0.94, 0.3, 1000)).astype(float)


def chosen_by_an_adversary(seed: int) -> tuple[Flags, Reals]:
    """An outcome that depends on everything before it, though not on the assignment."""
    rng = np.random.default_rng(seed)
    chosen = rng.random(1000) < 0.5
    lead = np.cumsum(np.where(chosen, 1, -1)) - np.where(chosen, 1, -1)
    return chosen, (lead > 0).astype(float)


@pytest.mark.parametrize("make", [drifting, chosen_by_an_adversary])
def test_neither_drift_nor_dependence_makes_a_null_candidate_look_better(make: Callable[[int], tuple[Flags, Reals]]):
    false = sum(ever(randomised(*make(seed), 0.5), 0.05) for seed in range(300))
    assert false / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_outcomes_that_become_known_late_and_out_of_order_do_not_raise_false_promotions():
    false = 0
    for seed in range(200):
        chosen, y = stream(seed, 800, 0.5, 0.5)
        known_at = np.arange(800) + np.random.default_rng(seed + 1).exponential(150, 800)
        looks = (known_at <= now for now in range(100, 1000, 100))
        false += any(randomised(chosen[seen], y[seen], 0.5).log_e(0.0) >= -np.log(0.05) for seen in looks)
    assert false / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize(("incumbent", "candidate", "share"), [(0.5, 0.6, 0.5), (0.9, 0.85, 0.444), (0.1, 0.7, 0.3)])
def test_the_confidence_sequence_covers_the_difference_at_all_times(incumbent: float, candidate: float, share: float):
    truth, missed = candidate - incumbent, 0
    for seed in range(300):
        comparison = randomised(*stream(seed, 800, incumbent, candidate, share), share)
        low = ever(comparison, 0.05, truth)
        high = np.cumsum(comparison.fall.growth(-truth)).max() >= -np.log(0.05)
        missed += low or bool(high)
    assert missed / 300 <= 0.10 + 3 * np.sqrt(0.1 * 0.9 / 300)


@pytest.mark.parametrize(("incumbent", "gain"), [(0.5, 0.1), (0.5, 0.2), (0.85, 0.1), (0.3, 0.4)])
def test_a_better_candidate_is_found_about_as_fast_as_by_a_test_that_may_look_only_once(incumbent: float, gain: float):
    alpha, candidate = 0.0125, incumbent + gain
    variance = 2 * (incumbent * (1 - incumbent) + candidate * (1 - candidate))
    fixed = ((norm.ppf(1 - alpha) + norm.ppf(0.8)) / gain) ** 2 * variance
    needed = []
    for seed in range(100):
        path = np.cumsum(randomised(*stream(seed, int(5 * fixed), incumbent, candidate), 0.5).rise.growth(0.0))
        hit = np.flatnonzero(path >= -np.log(alpha))
        needed.append(hit[0] + 1 if len(hit) else np.inf)
    assert np.median(needed) <= 1.5 * fixed
    assert np.quantile(needed, 0.8) <= 2.3 * fixed


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000),
    drawn=st.tuples(st.integers(0, 300), st.floats(0, 1), st.floats(0, 1)),
    share=st.floats(0.05, 0.95),
    alpha=st.floats(0.001, 0.4),
    margin=st.floats(0, 0.5),
)
def test_the_decision_is_the_interval_inverted(
    seed: int, drawn: tuple[int, float, float], share: float, alpha: float, margin: float
):
    comparison = randomised(*stream(seed, *drawn, share), share)
    lower, upper = comparison.interval(alpha)
    assert -1 <= lower <= upper <= 1
    bar = -np.log(alpha)
    for bound in (-margin, 0.0):
        # Away from the boundary by more than an end is told to.
        if abs(lower - bound) > 1e-9:
            assert (comparison.log_e(bound) >= bar) == (lower > bound)
        if abs(upper - bound) > 1e-9:
            assert (comparison.log_e_harm(bound) >= bar) == (upper < bound)


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000), count=st.integers(1, 300), gain=st.floats(-0.3, 0.3), restart=st.sampled_from([0, 9])
)
def test_an_end_of_the_interval_is_the_last_difference_that_is_refuted(
    seed: int, count: int, gain: float, restart: int
):
    candidate, y = stream(seed, count, 0.5, 0.5 + gain)
    made = randomised(candidate, y, 0.5).rise
    process = Process(made.x, made.low, made.bets, restart)
    lower, step = process.lower(0.2), 2 / STEPS
    assert lower == -1 or process.log_capital(lower) >= -np.log(0.2)
    assert process.log_capital(lower + 2 * step) < -np.log(0.2)


@given(seed=st.integers(0, 10_000), count=st.integers(0, 200), mean=st.floats(-1, 1), restart=st.sampled_from([0, 7]))
def test_what_the_units_add_is_the_whole(seed: int, count: int, mean: float, restart: int):
    process = differences(np.random.default_rng(seed).uniform(-1, 1, count), restart).rise
    assert process.growth(mean).sum() == pytest.approx(process.log_capital(mean), abs=1e-9)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 200), share=st.floats(0.05, 0.95))
def test_capital_is_never_lost_whole_and_falls_as_the_bound_rises(seed: int, count: int, share: float):
    chosen, y = stream(seed, count, 0.0, 1.0, share)
    process = randomised(chosen, 1 - y, share).rise
    capital = [process.log_capital(mean) for mean in np.linspace(-1, 1, 41)]
    assert np.isfinite(capital).all()
    assert (np.diff(capital) <= 1e-9).all()


def one_unit_at_a_time(chosen: Flags, y: Reals, share: float, mean: float) -> float:
    """Log capital of `randomised` without a design, from its definition: one unit and one bettor at a time."""
    shares, logs = [0.05, 0.1, 0.2, 0.4], [0.0] * 4
    sums, counts = {True: 1.0, False: 1.0}, {True: 2.0, False: 2.0}
    squares, seen = 10 * 0.25 / (share * (1 - share)), 10.0
    for side, outcome in zip(chosen.tolist(), y.tolist(), strict=True):
        b = (1 - share) * sums[True] / counts[True] + share * sums[False] / counts[False]
        x = (outcome - b) / share if side else (b - outcome) / (1 - share)
        least = min((0 - b) / share, (b - 1) / (1 - share))
        spread = math.sqrt(squares / seen)
        for bettor, effect in enumerate(shares):
            stake = min(effect / (1 + effect**2) / spread, 0.8 / (mean - least))
            logs[bettor] += math.log1p(stake * (x - mean))
        sums[side], counts[side] = sums[side] + outcome, counts[side] + 1
        squares, seen = squares + x * x, seen + 1
    return math.log(sum(math.exp(one) for one in logs) / 4)


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000),
    drawn=st.tuples(st.integers(1, 300), st.floats(0, 1), st.floats(0, 1)),
    share=st.floats(0.1, 0.9),
    mean=st.floats(-0.9, 0.9),
)
def test_the_capital_agrees_with_a_computation_unit_by_unit(
    seed: int, drawn: tuple[int, float, float], share: float, mean: float
):
    chosen, y = stream(seed, *drawn, share)
    assert randomised(chosen, y, share).log_e(mean) == pytest.approx(
        one_unit_at_a_time(chosen, y, share, mean), abs=1e-9, rel=1e-9
    )


def test_the_aimed_bets_are_the_price_of_a_binary_option_on_the_sum():
    """Against differences of the price itself, taken numerically: Φ(d) as the sum moves by a millionth."""
    chosen, y = stream(5, 400, 0.4, 0.55)
    base, aimed = randomised(chosen, y, 0.5).rise, randomised(chosen, y, 0.5, Design((0.1,), 0.0, 0.0125, 4000)).rise
    assert aimed.weights is not None
    z = norm.ppf(1 - aimed.weights[-1] * 0.0125)
    for t in (0, 17, 399):
        past = aimed.x[:t]
        spread = math.sqrt((float(past @ past) + 10 * 1.0) / (t + 10))
        horizon = min(((z + norm.ppf(0.82)) * spread / 0.1) ** 2, 4000)

        def price(total: float, spread: float = spread, left: float = horizon - t, bar: float = horizon) -> float:
            return float(norm.cdf((total - z * spread * math.sqrt(bar)) / (spread * math.sqrt(left))))

        total, step = float(past.sum()), 1e-6
        slope = (price(total + step) - price(total - step)) / (2 * step)
        assert aimed.bets[t, -1] == pytest.approx(slope / price(total), rel=1e-5)
        assert (aimed.bets[t, :-1] == base.bets[t]).all()


def test_without_units_nothing_is_known():
    nothing = randomised(np.zeros(0, dtype=bool), np.zeros(0), 0.5)
    assert (nothing.log_e(0.0), nothing.log_e_harm(0.0), nothing.interval(0.05)) == (0.0, 0.0, (-1.0, 1.0))


def test_bets_that_restart_notice_harm_that_begins_late_and_stay_valid_without_it():
    rng = np.random.default_rng(3)
    good, bad = rng.uniform(-0.6, 0.2, 100), rng.uniform(-0.1, 0.7, 60)
    late = np.concatenate([good, bad])
    assert differences(late, restart=10).log_e(0.0) > -np.log(0.05) > differences(late).log_e(0.0)
    false = sum(
        ever(differences(np.random.default_rng(seed).choice([-0.5, 0.5], 400), restart=10), 0.05) for seed in range(300)
    )
    assert false / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.parametrize(("actual", "broken"), [(0.4, False), (0.55, True), (0.25, True)])
def test_a_split_other_than_declared_is_noticed(actual: float, broken: bool):
    chosen = np.random.default_rng(1).random(1500) < actual
    assert (assignment(chosen, 0.4).log_e_either(0.0) >= np.log(1000)) == broken
