"""Which method a label set bears out: the one that foretells a vote best from the example's other votes.

One vote is left out of every example that has several, of every other example at a time. The measure is the mean
logarithm of the probability that the vote which came had been given (a proper score: Good 1952). The majority
stands until another method foretells better by more than a standard error.
"""

from dataclasses import dataclass

import numpy as np

from flywheel_assets.examples.fusion.dawid_skene import dawid_skene
from flywheel_assets.examples.fusion.glad import glad
from flywheel_assets.examples.fusion.latent import Fitted, Method, fit
from flywheel_assets.examples.fusion.majority import majority
from flywheel_assets.examples.fusion.one_coin import one_coin
from flywheel_assets.examples.fusion.votes import (
    LEAST_SHARED,
    Flags,
    Index,
    Numbers,
    Patterns,
    Votes,
    mean_accuracy,
    share_good,
)

METHODS: dict[str, Method] = {"majority": majority, "one_coin": one_coin, "dawid_skene": dawid_skene, "glad": glad}
# Votes count as they say: nothing is learned.
STATED = "stated"
FOLDS = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """The method, what it says of each pattern, and by method how well it foretells (nats a vote, at most 0)."""

    method: str
    patterns: Patterns
    fitted: Fitted
    mean: float
    scores: dict[str, float]


def choose(votes: Votes) -> Choice | None:
    """None where the set is too small, or its voters agree no more often than chance."""
    if (votes.votes_each() > 1).sum() < LEAST_SHARED:
        return None
    patterns = Patterns.count(votes)
    mean = mean_accuracy(patterns)
    told = None if mean is None else _left_out(votes, patterns.two_sided())
    if mean is None or told is None:
        return None
    scores = {name: float(some.mean()) for name, some in told.items()}
    best = max(scores, key=scores.__getitem__)
    gain = told[best] - told["majority"]
    if gain.mean() <= gain.std() / np.sqrt(len(gain)):
        best = "majority"
    return Choice(best, patterns, _fitted(METHODS[best], patterns, mean), mean, scores)


def _fitted(method: Method, patterns: Patterns, mean: float) -> Fitted:
    return fit(patterns, method(mean, share_good(patterns, mean)), mean)


def _left_out(votes: Votes, two_sided: Flags) -> dict[str, Numbers] | None:
    """By method the log-likelihood of each vote that is left out; None where the rest teaches nothing."""
    held = _held(votes, two_sided)
    told: dict[str, list[Numbers]] = {name: [] for name in METHODS}
    if len(held) < LEAST_SHARED:
        return None
    for fold in range(FOLDS):
        out = held[fold::FOLDS]
        kept = np.ones(len(votes.example), np.bool_)
        kept[out] = False
        patterns = Patterns.count(votes.only(kept))
        mean = mean_accuracy(patterns)
        if mean is None:
            return None
        for name, method in METHODS.items():
            said = _fitted(method, patterns, mean).foretold(patterns.of[votes.example[out]], votes.voter[out])
            told[name].append(np.log(np.where(votes.value[out] > 0.5, said, 1 - said)))
    return {name: np.concatenate(some) for name, some in told.items()}


def _held(votes: Votes, two_sided: Flags) -> Index:
    """One vote of each example with several: which of them goes round, so that no voter is left out of all.

    What a one-sided voter says, if it speaks, is known beforehand: that foretells nothing.
    """
    order = np.lexsort((votes.value, votes.voter, votes.example))
    order = order[two_sided[votes.voter[order]] & (votes.votes_each()[votes.example[order]] > 1)]
    _, first, count = np.unique(votes.example[order], return_index=True, return_counts=True)
    return order[first + np.arange(len(first)) % count]
