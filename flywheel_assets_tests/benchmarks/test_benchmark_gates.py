"""A bad reporter among five is held with its reason where its word is out of line; honest ones never are."""

import pytest

from flywheel_assets_tests.benchmarks.gate_throughput import judged
from flywheel_assets_tests.benchmarks.poisoning import CASES, Damage, damage
from flywheel_assets_tests.benchmarks.poisoning_days import WORLDS, stream


@pytest.fixture(scope="module")
def damages() -> dict[str, Damage]:
    return {case: damage(case, seed=2) for case in CASES}


@pytest.mark.parametrize(
    ("case", "reasons"),
    [
        ("nothing", set()),
        ("10 % flipped", {"out_of_line", "in_doubt"}),
        ("20 % flipped", {"out_of_line", "in_doubt"}),
        ("10 % of runs sent twice, successes only", {"exact_duplicate"}),
        ("5 % of runs backdated by 30 days", {"backdated"}),
        ("two arms' costs swapped", {"costs_out_of_line", "in_doubt"}),
        ("an arm's rows from a broken harness", {"constant_outcomes", "in_doubt"}),
    ],
)
def test_poison_is_refused_for_its_reason_and_moves_nothing(damages: dict[str, Damage], case: str, reasons: set[str]):
    assert set(damages[case].reasons) == reasons
    assert damages[case].beyond <= 0.5
    assert damages[case].cost_moved <= 0.05


def test_flips_that_pass_for_chance_on_one_day_move_scores_by_no_more_than_their_share(damages: dict[str, Damage]):
    assert damages["5 % of the best arm's outcomes flipped"].moved <= 5.0


def test_no_case_moves_the_quality_of_the_arm_that_scores_best(damages: dict[str, Damage]):
    assert [one.quality for one in damages.values()] == [0.0] * len(CASES)


@pytest.mark.parametrize("case", ["10 % flipped", "20 % flipped", "an arm's rows from a broken harness"])
def test_leaving_a_reporter_out_moves_all_arms_alike(damages: dict[str, Damage], case: str):
    assert damages[case].between <= 0.2


def test_small_flips_are_found_within_days_and_the_honest_are_left_alone():
    poisoned = [stream(WORLDS["5 % of the best arm's outcomes flipped"], seed) for seed in range(4)]
    assert [one.honest for one in poisoned] == [0] * 4
    assert sum(one.found is not None and one.found <= 14 for one in poisoned) >= 3
    assert stream(WORLDS["all honest"], 9).honest == 0


def test_nobody_honest_is_held_nor_one_whose_tasks_are_harder_and_the_best_arm_stays_the_best(
    damages: dict[str, Damage],
):
    assert [(one.honest_refused, one.best) for one in damages.values()] == [(0, "large")] * len(CASES)


def test_examples_that_are_counted_by_the_second_are_judged():
    seconds, cpu = judged(50)
    assert seconds > 0
    assert cpu > 0
