"""Who is right is learned from who agrees with whom, and never at the price of the majority's answer."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_assets.examples.reliability import Votes, held_out_agreement, learn, mean_accuracy


def of(frame: pd.DataFrame) -> Votes:
    example, examples = pd.factorize(frame.task)
    voter, voters = pd.factorize(frame.worker)
    return Votes(example, voter, frame.label.to_numpy(float), len(examples), len(voters))


def simulated(rng, examples, accuracy, coverage, sides=None) -> tuple[Votes, np.ndarray]:
    """Votes of voters with these accuracies; `sides`: the only answer that a voter ever gives."""
    truth = rng.random(examples) < 0.5
    rows = []
    for voter, right in enumerate(accuracy):
        asked = np.flatnonzero(rng.random(examples) < coverage)
        value = np.where(rng.random(len(asked)) < right, truth[asked], ~truth[asked])
        if sides is not None:
            asked, value = asked[value == sides[voter]], value[value == sides[voter]]
        rows += [(example, voter, float(said)) for example, said in zip(asked, value, strict=True)]
    example, voter, value = map(np.array, zip(*rows, strict=True))
    return Votes(example, voter, value, examples, len(accuracy)), truth


def majority_right(votes: Votes, truth: np.ndarray) -> float:
    net = np.bincount(votes.example, votes.value - 0.5, votes.examples)
    return float(np.where(net == 0, 0.5, (net > 0) == truth).mean())


def test_a_voter_that_is_always_wrong_is_found_and_turned_round():
    votes, truth = simulated(np.random.default_rng(1), 300, [0.85, 0.8, 0.9, 0.85, 0.1], 0.8)
    learned = learn(votes)
    assert learned.accuracy[4] < 0.2
    assert learned.accuracy[:4].min() > 0.75
    assert ((learned.probability > 0.5) == truth).mean() > majority_right(votes, truth) + 0.02


def test_the_interval_of_a_voter_holds_its_true_accuracy():
    accuracy = [0.95, 0.7, 0.8, 0.6, 0.9, 0.75]
    inside = 0
    for seed in range(20):
        learned = learn(simulated(np.random.default_rng(seed), 400, accuracy, 0.6)[0])
        inside += sum(np.logical_and(learned.lower <= accuracy, accuracy <= learned.upper))
    assert inside / (20 * len(accuracy)) >= 0.9


@pytest.mark.parametrize("seed", range(5))
def test_voters_that_mostly_abstain_and_know_one_answer_only_do_not_make_it_collapse(seed):
    rng = np.random.default_rng(seed)
    votes, truth = simulated(rng, 1500, rng.uniform(0.7, 0.95, 10), 0.3, [voter % 2 == 0 for voter in range(10)])
    learned = learn(votes)
    assert ((learned.probability > 0.5) == truth).mean() >= majority_right(votes, truth) - 0.015


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
    votes = Votes(example, voter, value, examples, votes_each)
    assert (mean_accuracy(votes), learn(votes), held_out_agreement(votes)) == (None, None, None)


@settings(deadline=None, max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_order_of_votes_does_not_matter(random):
    votes, _ = simulated(np.random.default_rng(5), 80, [0.9, 0.8, 0.7], 0.7)
    order = list(range(len(votes.example)))
    random.shuffle(order)
    again = Votes(votes.example[order], votes.voter[order], votes.value[order], votes.examples, votes.voters)
    assert np.allclose(learn(again).probability, learn(votes).probability, atol=1e-9)
    assert held_out_agreement(again) == held_out_agreement(votes)


def dawid_skene(votes: Votes, rounds: int = 100) -> np.ndarray:
    """As published in 1979, example by example, for two answers."""
    table = [
        [(v, int(y)) for e, v, y in zip(votes.example, votes.voter, votes.value, strict=True) if e == one]
        for one in range(votes.examples)
    ]
    belief = [sum(y for _, y in said) / len(said) if said else 0.5 for said in table]
    for _ in range(rounds):
        counts = np.full((votes.voters, 2, 2), 1e-9)
        for chance, said in zip(belief, table, strict=True):
            for voter, answer in said:
                counts[voter, 1, answer] += chance
                counts[voter, 0, answer] += 1 - chance
        confusion = counts / counts.sum(axis=2, keepdims=True)
        share = sum(belief) / len(belief)
        for number, said in enumerate(table):
            good, bad = share, 1 - share
            for voter, answer in said:
                good, bad = good * confusion[voter, 1, answer], bad * confusion[voter, 0, answer]
            belief[number] = good / (good + bad)
    return np.array(belief)


def test_dawid_and_skene_as_published_says_the_same_where_votes_are_many():
    votes, truth = simulated(np.random.default_rng(7), 300, [0.9, 0.8, 0.7, 0.85, 0.6, 0.75, 0.9, 0.65], 1.0)
    theirs, ours = dawid_skene(votes) > 0.5, learn(votes).probability > 0.5
    assert (ours == theirs).mean() > 0.98
    assert (ours == truth).mean() >= (theirs == truth).mean() - 0.01


# Accuracy (majority, Dawid–Skene) on RTE by answers an example, as published with the data.
RTE = {3: (0.800, 0.833), 5: (0.838, 0.898), 10: (0.875, 0.9275)}


@pytest.mark.parametrize("answers", sorted(RTE))
def test_on_recorded_answers_it_is_within_half_a_point_of_the_better_of_both_and_calibrated(shared_data: Path, answers):
    said = pd.read_csv(shared_data / "crowd" / "answers.csv.gz").query("dataset == 'snow_rte'")
    gold = pd.read_csv(shared_data / "crowd" / "gold.csv").query("dataset == 'snow_rte'").set_index("task").gold
    right, off = [], []
    for seed in range(8):
        some = said.sample(frac=1, random_state=seed).groupby("task").head(answers)
        learned = learn(of(some))
        truth = gold.reindex(pd.unique(some.task)).to_numpy()
        known = ~np.isnan(truth)
        chance, hit = learned.probability[known], (learned.probability > 0.5)[known] == (truth[known] > 0.5)
        right.append(hit.mean())
        off.append(_calibration_error(np.maximum(chance, 1 - chance), hit))
    assert np.mean(right) >= max(RTE[answers]) - 0.005
    assert np.mean(off) <= 0.06


def _calibration_error(confidence: np.ndarray, hit: np.ndarray) -> float:
    bins = np.minimum(((confidence - 0.5) * 20).astype(int), 9)
    return sum(np.mean(bins == b) * abs(confidence[bins == b].mean() - hit[bins == b].mean()) for b in np.unique(bins))
