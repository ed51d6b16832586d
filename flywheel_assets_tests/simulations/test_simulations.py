"""The study measures the code that decides, gives the same figures for the same seed, and says when a promise broke."""

import numpy as np
import pytest

from flywheel_assets.simulations.intervals import SHOWN, covered
from flywheel_assets.simulations.report import chance, share
from flywheel_assets.simulations.trials import ALL, Setting, fixed_sample, registered, trials
from flywheel_assets.simulations.worlds import WORLDS


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_has_the_units_and_the_gain_that_were_asked_for(name: str) -> None:
    world = WORLDS[name](np.random.default_rng(1), 4000, 0.5, 0.4, 0.2)
    told = ~np.isnan(world.outcome)
    assert told.sum() == 4000
    if name in ("steady", "clustered", "drifting", "late", "adversarial"):
        gain = world.outcome[world.candidate].mean() - world.outcome[~world.candidate].mean()
        assert gain == pytest.approx(0.2, abs=0.05)


def test_the_same_seed_gives_the_same_trials_and_another_gives_others() -> None:
    setting = Setting("steady", 0.1, units=1500)
    assert trials(setting, 2, (1, 2)) == trials(setting, 2, (1, 2))
    assert trials(setting, 2, (1, 2)) != trials(setting, 2, (1, 3))


@pytest.mark.parametrize(("gain", "kinds"), [(0.3, {"promoted"}), (-0.3, {"abandoned"}), (0.0, {"abandoned"})])
def test_every_criterion_takes_part_and_the_verdict_follows_the_truth(gain: float, kinds: set[str]) -> None:
    setting = Setting("steady", gain, alpha=0.0125, criteria=ALL, units=2000)
    assert registered(setting).criteria == ALL
    found = trials(setting, 3, (4,))
    assert {one.kind for one in found} == kinds


def test_the_fixed_sample_is_the_textbook_one() -> None:
    setting = Setting("steady", 0.1, alpha=0.05, canary=0.4, explore=0.2)
    assert fixed_sample(setting) == pytest.approx((1.644854 + 0.841621) ** 2 * 2 * (0.25 + 0.24) / 0.01, rel=1e-4)


@pytest.mark.parametrize("name", SHOWN)
def test_every_interval_that_is_shown_can_be_checked(name: str) -> None:
    found = covered(name, 1, (3,))
    assert 0 <= found.missed <= found.of
    assert found.nominal == 0.05


@pytest.mark.parametrize(("count", "of", "marked"), [(5, 100, False), (9, 100, False), (30, 100, True), (0, 10, False)])
def test_a_broken_promise_is_marked_only_when_chance_does_not_explain_it(count: int, of: int, marked: bool) -> None:
    low, high = chance(count, of)
    assert low <= count / of <= high
    assert ("exceeds" in share(count, of, 0.05)) == marked
