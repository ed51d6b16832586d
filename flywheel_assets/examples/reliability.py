"""How far each voter can be believed, learned from how voters agree, and what follows for each example.

Dawid and Skene (1979) with a hierarchy over it: a voter's accuracy is drawn towards the mean accuracy
of all voters, and its accuracy on either side towards its own accuracy. The mean comes from pairs of
votes on one example, which agree with probability a² + (1 − a)². Where votes are few the result is
near the majority's, which plain Dawid–Skene is not: with one vote an example, or with voters that
mostly abstain, it collapses.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

Numbers = NDArray[np.float64]
Index = NDArray[np.int64]

# How many votes a voter must have given before its own record outweighs everybody's.
DRAWN_TO_ALL = 8.0
DRAWN_TO_ITSELF = 12.0
# Voters err together: the evidence of several is worth less than if they were independent.
DISCOUNT = 0.8
# The truth that a voter is measured by is estimated too: counted in full, intervals held the truth in 88 of 100 cases.
WIDER = 0.6
# Voters that agree hardly more often than chance teach nothing of each other.
LEAST_MEAN, MOST_MEAN = 0.55, 0.97
# Fewer examples with two votes than this say too little of who is right.
LEAST_SHARED = 30
LEAST_OF_EITHER = 0.05
ROUNDS = 100
CLOSE = 1e-6
LIMIT = 0.02


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes for (1) or against (0): example and voter by number from 0."""

    example: Index
    voter: Index
    value: NDArray[np.float64]
    examples: int
    voters: int


@dataclass(frozen=True, slots=True)
class Learned:
    """`probability` that an example is good; per voter: accuracy and its central 95 % interval."""

    probability: Numbers
    accuracy: Numbers
    lower: Numbers
    upper: Numbers


@dataclass(frozen=True, slots=True)
class _Record:
    """Per voter: votes that were right and votes given, as far as they teach; accuracy on good and on bad examples."""

    right: Numbers
    seen: Numbers
    if_good: Numbers
    if_bad: Numbers


def learn(votes: Votes) -> Learned | None:
    """Fit by expectation–maximisation; None where the votes cannot support it."""
    mean = mean_accuracy(votes)
    if mean is None:
        return None
    count = np.bincount(votes.example, minlength=votes.examples)
    net = 2 * np.bincount(votes.example, votes.value, votes.examples) - count
    # The share of good examples that explains the votes; learned along, it could drift to all or none.
    share = float(np.clip((votes.value.mean() - (1 - mean)) / (2 * mean - 1), LIMIT, 1 - LIMIT))
    odds = net * np.log(mean / (1 - mean))
    for _ in range(ROUNDS):
        good = _logistic(odds)
        record = _record(votes, good, mean)
        for_it = np.log(record.if_good / (1 - record.if_bad))[votes.voter]
        against = np.log((1 - record.if_good) / record.if_bad)[votes.voter]
        evidence = np.bincount(votes.example, np.where(votes.value > 0.5, for_it, against), votes.examples)
        odds = evidence + np.log(share / (1 - share))
        if np.abs(_logistic(odds) - good).max(initial=0) < CLOSE:
            break
    record = _record(votes, _logistic(odds), mean)
    hits = record.right + DRAWN_TO_ALL * mean
    misses = record.seen - record.right + DRAWN_TO_ALL * (1 - mean)
    interval = beta.ppf([[0.025], [0.975]], WIDER * hits, WIDER * misses)
    return Learned(_logistic(DISCOUNT * odds), hits / (hits + misses), interval[0], interval[1])


def mean_accuracy(votes: Votes) -> float | None:
    """Mean accuracy from how often two votes on one example agree; None: too few pairs, or no better than chance."""
    count = np.bincount(votes.example, minlength=votes.examples).astype(np.float64)
    if (count > 1).sum() < LEAST_SHARED:
        return None
    good = np.bincount(votes.example, votes.value, votes.examples)
    bad = count - good
    # Every example counts alike, however many voted on it.
    several = count > 1
    agree = (good * (good - 1) + bad * (bad - 1))[several] / (count * (count - 1))[several]
    mean = 0.5 + 0.5 * float(np.sqrt(max(0.0, 2 * float(agree.mean()) - 1)))
    return None if mean < LEAST_MEAN else min(mean, MOST_MEAN)


def held_out_agreement(votes: Votes) -> tuple[float, float] | None:
    """How often a vote that was left out agrees with (the majority of the rest, what was learned from the rest).

    One vote is left out of every example that has several; a tie of the rest counts half. None where
    nothing can be learned.
    """
    order = np.lexsort((votes.voter, votes.example))
    example = votes.example[order]
    count = np.bincount(example, minlength=votes.examples)
    first = np.concatenate(([0], np.cumsum(count)[:-1]))
    several = np.flatnonzero(count > 1)
    # Which of an example's votes is left out goes round, so that no voter is left out of all.
    out = order[first[several] + several % count[several]]
    kept = np.ones(len(order), np.bool_)
    kept[out] = False
    rest = Votes(votes.example[kept], votes.voter[kept], votes.value[kept], votes.examples, votes.voters)
    learned = learn(rest)
    if learned is None:
        return None
    left = np.bincount(rest.example, rest.value - 0.5, votes.examples)[several]
    said = votes.value[out] - 0.5
    by_majority = np.where(left == 0, 0.5, left * said > 0)
    by_learning = (learned.probability[several] - 0.5) * said > 0
    return float(by_majority.mean()), float(by_learning.mean())


def _record(votes: Votes, good: Numbers, mean: float) -> _Record:
    chance = good[votes.example]
    seen_good, seen_bad = (np.bincount(votes.voter, weight, votes.voters) for weight in (chance, 1 - chance))
    hit_good = np.bincount(votes.voter, chance * votes.value, votes.voters)
    hit_bad = np.bincount(votes.voter, (1 - chance) * (1 - votes.value), votes.voters)
    right, seen = hit_good + hit_bad, seen_good + seen_bad
    own = (right + DRAWN_TO_ALL * mean) / (seen + DRAWN_TO_ALL)
    if_good = (hit_good + DRAWN_TO_ITSELF * own) / (seen_good + DRAWN_TO_ITSELF)
    if_bad = (hit_bad + DRAWN_TO_ITSELF * own) / (seen_bad + DRAWN_TO_ITSELF)
    # Voters that know a single answer and else abstain agree whatever is true: that teaches nothing of them.
    said_good = np.bincount(votes.voter, votes.value, votes.voters) / np.maximum(seen, 1)
    both = np.minimum(said_good, 1 - said_good) >= LEAST_OF_EITHER
    if_good, if_bad = (np.clip(np.where(both, side, mean), LIMIT, 1 - LIMIT) for side in (if_good, if_bad))
    # An example whose truth is uncertain says less of its voters.
    sure = both * np.bincount(votes.voter, (2 * chance - 1) ** 2, votes.voters) / np.maximum(seen, 1)
    return _Record(sure * right, sure * seen, if_good, if_bad)


def _logistic(value: NDArray[np.floating]) -> Numbers:
    return 1 / (1 + np.exp(-np.clip(value, -50, 50)))
