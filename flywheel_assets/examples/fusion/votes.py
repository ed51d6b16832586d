"""Votes for or against, and the same counted: each different set of votes once, with how often it was cast."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import betaincc

Numbers = NDArray[np.float64]
Index = NDArray[np.int64]
Flags = NDArray[np.bool_]
Counts = Numbers | csr_array

# Fewer examples with two votes than this say too little of who is right.
LEAST_SHARED = 30
# Voters that agree hardly more often than chance teach nothing of each other.
LEAST_MEAN, MOST_MEAN = 0.55, 0.97
# A voter that gives an answer so seldom beside all others, and not by chance, does not give it.
HARDLY_EVER, BY_CHANCE = 0.1, 0.01
# The share of votes by such voters from which on they count.
MOST_ONE_SIDED = 0.1
# Tables of as many cells are quicker to work with in full than as the few cells that are not 0.
DENSE = 500_000
# Nobody is believed to be surer than this, nor any answer to be rarer.
LIMIT = 0.02


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes for (1) or against (0): example and voter by number from 0."""

    example: Index
    voter: Index
    value: Numbers
    examples: int
    voters: int

    def only(self, which: Flags) -> "Votes":
        """Some of the votes, of as many examples and voters."""
        return Votes(self.example[which], self.voter[which], self.value[which], self.examples, self.voters)

    def votes_each(self) -> Index:
        """How many votes each example got."""
        return np.bincount(self.example, minlength=self.examples).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Patterns:
    """Different sets of votes: `good` and `bad` count votes by pattern and voter, `times` examples by pattern.

    `of[e]` is the pattern of example e.
    """

    good: Counts
    bad: Counts
    times: Numbers
    of: Index

    @classmethod
    def count(cls, votes: Votes) -> "Patterns":
        """Examples with the same votes are one pattern: learning costs by patterns, not by examples."""
        yes = votes.value > 0.5
        # A sum of random words tells sets of votes apart, whatever their order.
        words = np.random.default_rng(1979).integers(0, 2**64, 2 * votes.voters, np.uint64)
        keys = np.zeros(votes.examples, np.uint64)
        np.add.at(keys, votes.example, words[2 * votes.voter + yes])
        _, first, of, times = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        shown = np.zeros(votes.examples, np.bool_)
        shown[first] = True
        kept = shown[votes.example]
        place = of[votes.example[kept]], votes.voter[kept]
        shape = (len(times), votes.voters)
        sides = (csr_array((side[kept].astype(np.float64), place), shape) for side in (yes, ~yes))
        good, bad = (side.toarray() if shape[0] * shape[1] <= DENSE else side for side in sides)
        return cls(good, bad, times.astype(np.float64), of.astype(np.int64))

    def cast(self) -> tuple[Numbers, Numbers]:
        """By voter the votes for and against."""
        return np.asarray(self.times @ self.good), np.asarray(self.times @ self.bad)

    def two_sided(self) -> Flags:
        """The voters that would say either. Who knows one answer and else abstains agrees whatever is true.

        Where one answer is rare, that a voter of a few votes never gave it is no sign: chance must not explain it.
        """
        sides = self.cast()
        seen = sides[0] + sides[1]
        total = max(float(seen.sum()), 1.0)
        said = np.ones(len(sides[0]), np.bool_)
        for side in sides:
            usual = float(side.sum()) / total
            said &= (side >= HARDLY_EVER * usual * seen) | (betaincc(side + 1, seen - side, usual) >= BY_CHANCE)
        return said


def mean_accuracy(patterns: Patterns) -> float | None:
    """Mean accuracy from how often two votes on one example agree; None: too few pairs, or no better than chance.

    Two votes agree with probability a² + (1 − a)². Every example counts alike, however many voted on it.
    """
    asked = patterns.two_sided().astype(np.float64)
    good, bad = patterns.good @ asked, patterns.bad @ asked
    count = good + bad
    several = count > 1
    times = patterns.times[several]
    if times.sum() < LEAST_SHARED:
        return None
    agree = (good * (good - 1) + bad * (bad - 1))[several] / (count * (count - 1))[several]
    mean = 0.5 + 0.5 * float(np.sqrt(max(0.0, 2 * float(np.average(agree, weights=times)) - 1)))
    return None if mean < LEAST_MEAN else min(mean, MOST_MEAN)


def share_good(patterns: Patterns, mean: float) -> float:
    """The share of good examples that explains the votes; learned along, it could drift to all or none.

    Where many votes are by one-sided voters, which examples are voted on hangs on what is true: then it is one half.
    """
    asked = patterns.two_sided()
    good, bad = patterns.cast()
    two_sided = float((good + bad)[asked].sum())
    if two_sided < (1 - MOST_ONE_SIDED) * float((good + bad).sum()):
        return 0.5
    return float(np.clip((float(good[asked].sum()) / two_sided - (1 - mean)) / (2 * mean - 1), LIMIT, 1 - LIMIT))
