"""A bad reporter among five is held with its reason where its word is out of line; honest ones never are."""

import pytest

from flywheel_assets_tests.benchmarks.gate_throughput import judged
from flywheel_assets_tests.benchmarks.poisoning import CASES, Damage, damage


@pytest.fixture(scope="module")
def damages() -> dict[str, Damage]:
    return {case: damage(case, seed=2) for case in CASES}


@pytest.mark.parametrize(
    ("case", "reasons"),
    [
        ("nothing", set()),
        ("10 % flipped", {"out_of_line"}),
        ("20 % flipped", {"out_of_line"}),
        ("10 % of runs sent twice, successes only", {"exact_duplicate"}),
        ("two arms' costs swapped", {"costs_out_of_line"}),
        ("an arm's rows from a broken harness", {"constant_outcomes"}),
    ],
)
def test_poison_is_refused_for_its_reason_and_moves_nothing(damages: dict[str, Damage], case: str, reasons: set[str]):
    assert set(damages[case].reasons) == reasons
    assert damages[case].beyond <= 0.5
    assert damages[case].cost_moved <= 0.05


@pytest.mark.parametrize(
    ("case", "most"), [("5 % of the best arm's outcomes flipped", 5.0), ("5 % of runs backdated by 30 days", 1.0)]
)
def test_what_passes_for_chance_moves_scores_by_no_more_than_its_share(
    damages: dict[str, Damage], case: str, most: float
):
    assert damages[case].moved <= most


def test_nobody_honest_is_held_nor_one_whose_tasks_are_harder_and_the_best_arm_stays_the_best(
    damages: dict[str, Damage],
):
    assert [(one.honest_refused, one.best) for one in damages.values()] == [(0, "large")] * len(CASES)


def test_examples_that_are_counted_by_the_second_are_judged():
    seconds, cpu = judged(50)
    assert seconds > 0
    assert cpu > 0
