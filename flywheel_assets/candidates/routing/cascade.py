"""Cascades: the cheap arm first, the next one where a gate does not pass its answer.

A gate's word is not the truth: each arm's precision (right among passed) and its counterpart (right
among failed) are estimated from answers that were audited, for each arm by itself, since a gate is
the easier fooled the stronger the arm. What a cascade is worth is then a sum over its steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Reals = NDArray[np.float64]
# Audited answers that the arms' common share stands for: few answers of one arm are not taken at their word.
BORROWED = 20.0
PRIOR = 0.5
LONGEST = 3


@dataclass(frozen=True, slots=True)
class Gated:
    """What is known of one arm behind a gate. `passed` may cover all runs; audits cover some."""

    arm: str
    pass_rate: float
    precision: float
    lower: float
    upper: float
    right_when_failed: float
    cost: float
    audited: int

    @property
    def value(self) -> float:
        """Expected outcome alone, whatever the gate says."""
        return self.pass_rate * self.precision + (1 - self.pass_rate) * self.right_when_failed


@dataclass(frozen=True, slots=True)
class Cascade:
    """Arms in order, with what the whole is expected to yield and cost."""

    arms: tuple[str, ...]
    value: float
    cost: float


@dataclass(frozen=True, slots=True)
class Audited:
    """One arm's answers: the gate's word on each, its cost, and the truth where it was audited, else NaN."""

    arm: str
    passed: Reals
    cost: Reals
    right: Reals

    def count(self, *, passed: bool) -> tuple[float, int]:
        """Right ones among the audited answers that the gate passed, or did not; and how many those are."""
        here = ~np.isnan(self.right) & ((self.passed > 0.5) == passed)
        return float(self.right[here].sum()), int(here.sum())


def gated(answers: Sequence[Audited]) -> list[Gated]:
    """What is known of each arm; shares are drawn together over the arms (beta-binomial, fixed weight)."""
    common: dict[bool, float] = {}
    for passed in (True, False):
        right, of = np.sum([one.count(passed=passed) for one in answers], axis=0)
        common[passed] = float((right + PRIOR) / (of + 2 * PRIOR))
    found: list[Gated] = []
    for one in answers:
        (hits, n), (others, m) = one.count(passed=True), one.count(passed=False)
        a = hits + BORROWED * common[True]
        b = n - hits + BORROWED * (1 - common[True])
        lower, upper = stats.beta.ppf([0.025, 0.975], a, b)
        right_when_failed = (others + BORROWED * common[False]) / (m + BORROWED)
        rate, cost = float(one.passed.mean()), float(np.nanmean(one.cost))
        found.append(Gated(one.arm, rate, a / (a + b), float(lower), float(upper), right_when_failed, cost, n + m))
    return found


def cascades(arms: Sequence[Gated], reached: dict[tuple[str, str], Gated] | None = None) -> list[Cascade]:
    """Every order of up to LONGEST arms. `reached`: (before, arm) → what is known of an arm on what was escalated.

    Where nothing is known of that, the arm is taken to do as well as on all runs, which flatters it.
    """
    known = reached or {}
    found: list[Cascade] = []
    for length in range(1, min(LONGEST, len(arms)) + 1):
        found += [_worth(order, known) for order in permutations(arms, length)]
    return found


@dataclass(frozen=True, slots=True)
class Mixture:
    """One cascade for `share` of the runs and another for the rest: what a budget between two costs buys."""

    usual: Cascade
    other: Cascade
    share: float

    @property
    def value(self) -> float:
        """Expected outcome."""
        return self.share * self.usual.value + (1 - self.share) * self.other.value

    @property
    def cost(self) -> float:
        """Expected cost."""
        return self.share * self.usual.cost + (1 - self.share) * self.other.cost


def best(options: Sequence[Cascade], budget: float | None) -> Mixture | None:
    """The most valuable that keeps to the budget, the cheapest of equals; None where none does."""
    within = [one for one in options if budget is None or one.cost <= budget]
    if not within:
        return None
    found = [Mixture(one, one, 1.0) for one in within]
    if budget is not None:
        dearer = [one for one in options if one.cost > budget]
        found += [Mixture(a, b, (budget - b.cost) / (a.cost - b.cost)) for a in dearer for b in within]
    return max(found, key=lambda one: (round(one.value, 12), -one.cost))


def _worth(order: Sequence[Gated], reached: dict[tuple[str, str], Gated]) -> Cascade:
    value, cost, still = 0.0, 0.0, 1.0
    before: Gated | None = None
    for position, arm in enumerate(order):
        here = reached.get((before.arm, arm.arm), arm) if before else arm
        cost += still * here.cost
        if position == len(order) - 1:
            value += still * here.value
        else:
            value += still * here.pass_rate * here.precision
            still *= 1 - here.pass_rate
        before = arm
    return Cascade(tuple(arm.arm for arm in order), value, cost)
