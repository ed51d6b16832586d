"""What the methods have in common: an example is in one of a few states, and in each a voter says good so often.

They are fitted by expectation–maximisation (Dempster, Laird and Rubin 1977), as Dawid and Skene did in 1979, over
patterns of votes, and with a hierarchy over the voters: where votes are few the result is near the majority's.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from flywheel_assets.examples.fusion.votes import LIMIT, Flags, Index, Numbers, Patterns

ROUNDS = 100
CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Model:
    """States with their `prior`, in which of them an example is `good`, and how voters are `learned`.

    `learned`: from votes for and against by voter and state, how likely each voter is to say good in each state.
    `trust`: what the evidence of several votes is worth beside that of independent ones, at most 1.
    """

    prior: Numbers
    good: Flags
    learned: Callable[[Numbers, Numbers], Numbers]
    trust: float


# From the voters' mean accuracy and the share of good examples.
Method = Callable[[float, float], Model]


@dataclass(frozen=True, slots=True)
class Fitted:
    """`states`: by pattern how likely each state is; `says`: by voter how likely it says good in each state."""

    states: Numbers
    says: Numbers
    good: Flags

    def probability(self) -> Numbers:
        """By pattern how likely it is good."""
        return self.states[:, self.good].sum(axis=1)

    def foretold(self, pattern: Index, voter: Index) -> Numbers:
        """How likely these voters are to say good of examples of these patterns."""
        return np.einsum("es,es->e", self.states[pattern], self.says[voter])


def fit(patterns: Patterns, model: Model, mean: float) -> Fitted:
    """From voters that are all right as often as the mean, until nothing changes."""
    alike = np.where(model.good, mean, 1 - mean)
    # What one-sided voters say counts as the mean voter's does: nothing can be learned of them.
    both = patterns.two_sided()[:, None]
    says = np.tile(alike, (len(both), 1))
    states = _states(patterns, says, model.prior)
    teaches = sureness(patterns)
    for _ in range(ROUNDS):
        sure = teaches(states[:, model.good].sum(axis=1))[:, None]
        weighed = patterns.times[:, None] * states
        learned = model.learned(sure * (patterns.good.T @ weighed), sure * (patterns.bad.T @ weighed))
        says = np.clip(np.where(both, learned, alike), LIMIT, 1 - LIMIT)
        before, states = states, _states(patterns, says, model.prior)
        if np.abs(states - before).max(initial=0) < CLOSE:
            break
    return Fitted(_states(patterns, says, model.prior, model.trust), says, model.good)


def sureness(patterns: Patterns) -> Callable[[Numbers], Numbers]:
    """Given how likely each pattern is good, by voter how much its votes teach of it, up to 1.

    An example whose truth is uncertain says less of its voters.
    """
    good, bad = patterns.cast()
    votes, cast = (patterns.good + patterns.bad).T, np.maximum(good + bad, 1)
    return lambda chance: votes @ (patterns.times * (2 * chance - 1) ** 2) / cast


def _states(patterns: Patterns, says: Numbers, prior: Numbers, trust: float = 1.0) -> Numbers:
    logs = trust * (patterns.good @ np.log(says) + patterns.bad @ np.log(1 - says) + np.log(prior))
    odds = np.exp(logs - logs.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
