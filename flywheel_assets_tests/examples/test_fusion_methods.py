"""Methods of fusion against independent ones, and the choice among them: by what foretells votes, never at a loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from flywheel_assets.examples.fusion import glad as glad_of
from flywheel_assets.examples.fusion.choose import METHODS, choose
from flywheel_assets.examples.fusion.latent import fit
from flywheel_assets.examples.fusion.reliability import reliability
from flywheel_assets.examples.fusion.votes import Patterns, Votes, mean_accuracy, share_good


def simulated(  # noqa: PLR0913 - what a world depends on
    rng, examples, accuracy, coverage, *, sides=None, share=0.5, ease=None
) -> tuple[Votes, np.ndarray]:
    """Votes of voters with these accuracies; `sides`: the only answer that a voter ever gives.

    `ease`: standard deviation of log-ease, and accuracies are skills.
    """
    truth = rng.random(examples) < share
    scale = np.exp(ease * rng.standard_normal(examples)) if ease else None
    rows = []
    for voter, right in enumerate(accuracy):
        asked = np.flatnonzero(rng.random(examples) < coverage)
        chance = right if scale is None else 1 / (1 + np.exp(-right * scale[asked]))
        value = np.where(rng.random(len(asked)) < chance, truth[asked], ~truth[asked])
        if sides is not None:
            asked, value = asked[value == sides[voter]], value[value == sides[voter]]
        rows += [(example, voter, float(said)) for example, said in zip(asked, value, strict=True)]
    example, voter, value = map(np.array, zip(*rows, strict=True))
    return Votes(example, voter, value, examples, len(accuracy)), truth


def fitted(votes: Votes, name: str) -> np.ndarray:
    patterns = Patterns.count(votes)
    mean = mean_accuracy(patterns)
    return fit(patterns, METHODS[name](mean, share_good(patterns, mean)), mean).probability()[patterns.of]


def right(chance: np.ndarray, truth: np.ndarray, votes: Votes) -> float:
    some = votes.votes_each() > 0
    return float(np.where(np.isclose(chance, 0.5), 0.5, (chance > 0.5) == truth)[some].mean())


def majority_right(votes: Votes, truth: np.ndarray) -> float:
    net = np.bincount(votes.example, votes.value - 0.5, votes.examples)
    return right(0.5 + np.sign(net) / 4, truth, votes)


def test_examples_with_the_same_votes_are_one_pattern():
    votes = Votes(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 0, 0, 1]), np.array([1.0, 0, 0, 1, 1, 1]), 4, 2)
    patterns = Patterns.count(votes)
    assert sorted(patterns.times) == [1, 1, 2]
    assert patterns.of[0] == patterns.of[1]
    assert len(set(patterns.of[1:])) == 3
    assert (patterns.good.sum(), patterns.bad.sum()) == (3, 1)
    assert [list(side) for side in patterns.cast()] == [[3, 1], [0, 2]]


def likeliest(votes: Votes, share: float, parameters: int, says) -> np.ndarray:
    """By example the chance of good at the greatest likelihood that SciPy finds.

    `says`: from parameters, weights and by voter the chance to say good in each state; the first half is bad.
    """
    table = np.full((votes.examples, votes.voters), np.nan)
    table[votes.example, votes.voter] = votes.value
    sets, of, times = np.unique(table, axis=0, return_inverse=True, return_counts=True)

    def joint(x):
        weights, chances = says(x)
        prior = np.concatenate([(1 - share) * weights, share * weights])
        given = np.where(sets[:, :, None] > 0.5, chances, 1 - chances)
        return prior * given.prod(axis=1)

    best = minimize(lambda x: -times @ np.log(joint(x).sum(axis=1)), np.ones(parameters), method="BFGS")
    found = joint(best.x)[of]
    return found[:, found.shape[1] // 2 :].sum(axis=1) / found.sum(axis=1)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def one_coin_says(parameters):
    own = logistic(parameters)
    return np.ones(1), np.stack([1 - own, own], axis=1)


def dawid_skene_says(parameters):
    if_bad, if_good = logistic(parameters).reshape(2, -1)
    return np.ones(1), np.stack([1 - if_bad, if_good], axis=1)


def glad_says(parameters):
    """Ease by a plain sum over a fine grid, not by quadrature."""
    nodes = np.linspace(-3, 3, 25)
    weights = np.exp(-(nodes**2) / 2)
    ease = np.exp(glad_of.SPREAD * nodes)
    on_bad, on_good = (logistic(side[:, None] * ease) for side in parameters.reshape(2, -1))
    return weights / weights.sum(), np.concatenate([1 - on_bad, on_good], axis=1)


CASES = {
    "one_coin": (one_coin_says, 1, [0.9, 0.8, 0.65, 0.75, 0.85], None),
    "dawid_skene": (dawid_skene_says, 2, [0.9, 0.8, 0.65, 0.75, 0.85], None),
    "glad": (glad_says, 2, [2.5, 1.5, 0.7, 1.0, 2.0], glad_of.SPREAD),
}


@pytest.mark.parametrize("name", CASES)
def test_a_method_finds_the_greatest_likelihood_that_scipy_finds_where_votes_are_many(name, monkeypatch):
    says, sides, accuracy, ease = CASES[name]
    votes, _ = simulated(np.random.default_rng(4), 8000, accuracy, 1.0, ease=ease)
    # The posterior itself: without the discount for voters that err together, and whoever may be ever so sure.
    monkeypatch.setattr("flywheel_assets.examples.fusion.latent.LIMIT", 1e-9)
    for method in ("one_coin", "dawid_skene"):
        monkeypatch.setattr(f"flywheel_assets.examples.fusion.{method}.TRUST", 1.0)
    patterns = Patterns.count(votes)
    share = share_good(patterns, mean_accuracy(patterns))
    theirs = likeliest(votes, share, sides * votes.voters, says)
    assert fitted(votes, name) == pytest.approx(theirs, abs=0.02)


def test_the_majority_is_the_majority_and_a_tie_is_one():
    votes, truth = simulated(np.random.default_rng(4), 300, [0.9, 0.8, 0.65, 0.75], 1.0)
    assert right(fitted(votes, "majority"), truth, votes) == majority_right(votes, truth)


# Accuracies, coverage, share of good, spread of log-ease; the methods that may win.
WORLDS = {
    "all alike": ([0.8] * 6, 0.5, 0.5, None, {"majority"}),
    "some better, on both sides alike": ([0.95, 0.9, 0.6, 0.55, 0.55], 1.0, 0.6, None, {"one_coin", "dawid_skene"}),
    "examples differ": ([3.0, 2.0, 2.0, 1.0, 1.0, 1.5, 1.5, 2.5], 1.0, 0.5, 1.5, {"glad"}),
}


@pytest.mark.parametrize("world", WORLDS)
def test_the_method_that_a_set_bears_out_is_chosen(world):
    accuracy, coverage, share, ease, winners = WORLDS[world]
    votes, truth = simulated(np.random.default_rng(3), 1500, accuracy, coverage, share=share, ease=ease)
    chosen = choose(votes)
    assert chosen.method in winners
    assert chosen.scores.keys() == METHODS.keys()
    assert all(-1 < score < 0 for score in chosen.scores.values())
    assert right(chosen.fitted.probability()[chosen.patterns.of], truth, votes) >= majority_right(votes, truth) - 0.005


def test_voters_who_are_right_on_one_side_only_are_told_by_dawid_and_skene():
    rng = np.random.default_rng(1)
    truth = rng.random(1500) < 0.5
    said = [
        np.where(truth, rng.random(1500) < high, rng.random(1500) > low) for high, low in [(0.98, 0.6), (0.6, 0.98)] * 2
    ]
    votes = Votes(
        np.tile(np.arange(1500), 4), np.repeat(np.arange(4), 1500), np.concatenate(said).astype(float), 1500, 4
    )
    assert choose(votes).method in {"dawid_skene", "glad"}
    assert choose(votes).scores["dawid_skene"] > choose(votes).scores["one_coin"]


def test_a_voter_that_is_always_wrong_is_found_and_turned_round():
    votes, truth = simulated(np.random.default_rng(1), 300, [0.85, 0.8, 0.9, 0.85, 0.1], 0.8)
    chosen = choose(votes)
    known = reliability(chosen)
    assert known.accuracy[4] < 0.2
    assert known.accuracy[:4].min() > 0.75
    assert right(chosen.fitted.probability()[chosen.patterns.of], truth, votes) > majority_right(votes, truth) + 0.02


def test_the_interval_of_a_voter_holds_its_true_accuracy():
    accuracy = [0.95, 0.7, 0.8, 0.6, 0.9, 0.75]
    inside = 0
    for seed in range(20):
        known = reliability(choose(simulated(np.random.default_rng(seed), 400, accuracy, 0.6)[0]))
        inside += sum(np.logical_and(known.lower <= accuracy, accuracy <= known.upper))
    assert inside / (20 * len(accuracy)) >= 0.9


@pytest.mark.parametrize("seed", range(5))
def test_voters_that_mostly_abstain_and_know_one_answer_only_do_not_make_it_collapse(seed):
    """As labelers of video comments do: each knows a few words of one side, and three in four know the same side."""
    rng = np.random.default_rng(seed)
    only, _ = simulated(
        rng, 1500, rng.uniform(0.7, 0.95, 8), 0.3, sides=[voter % 4 == 0 for voter in range(8)], share=0.3
    )
    assert choose(only) is None
    some, truth = simulated(rng, 1500, rng.uniform(0.7, 0.95, 8), 0.3, share=0.3)
    kept = (some.voter < 4) | (some.value == 0)
    beside = some.only(kept)
    chosen = choose(beside)
    said = chosen.fitted.probability()[chosen.patterns.of]
    assert right(said, truth, beside) >= majority_right(beside, truth) - 0.005


def test_rare_answers_are_no_sign_of_one_sided_voters():
    rng = np.random.default_rng(1)
    votes, truth = simulated(rng, 2000, rng.uniform(0.85, 0.98, 30), 0.1, share=0.96)
    chosen = choose(votes)
    assert Patterns.count(votes).two_sided().all()
    assert right(chosen.fitted.probability()[chosen.patterns.of], truth, votes) > majority_right(votes, truth) + 0.01


@pytest.mark.parametrize(
    ("examples", "votes_each", "accuracy"),
    [(200, 1, 0.9), (20, 3, 0.9), (400, 3, 0.5)],
    ids=["one vote an example", "few examples", "coins"],
)
def test_nothing_is_learned_where_votes_cannot_tell(examples, votes_each, accuracy):
    rng = np.random.default_rng(3)
    truth = rng.random(examples) < 0.5
    example = np.repeat(np.arange(examples), votes_each)
    voter = np.tile(np.arange(votes_each), examples)
    value = np.where(rng.random(len(example)) < accuracy, truth[example], ~truth[example]).astype(float)
    assert choose(Votes(example, voter, value, examples, votes_each)) is None


@settings(deadline=None, max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_of_votes_does_not_matter(random):
    votes, _ = simulated(np.random.default_rng(5), 80, [0.9, 0.8, 0.7], 0.7)
    order = list(range(len(votes.example)))
    random.shuffle(order)
    again, first = choose(votes.only(np.array(order))), choose(votes)
    assert again.method == first.method
    assert np.allclose(again.fitted.probability(), first.fitted.probability(), atol=1e-9)
    assert again.scores == pytest.approx(first.scores)
