"""Cascades: the cheap arm first, the next one where a gate does not pass its answer.

A gate's word is not the truth: each arm's precision (right among passed) and its counterpart (right
among failed) are estimated from answers that were audited, for each arm by itself, since a gate is
the easier fooled the stronger the arm. What a cascade is worth is then a sum over its steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

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
    return [one.mean for one in beliefs(answers)]


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one arm: beta distributions of its shares, as (right, wrong), and their means."""

    mean: Gated
    passing: tuple[float, float]
    right: tuple[float, float]
    right_when_failed: tuple[float, float]

    def drawn(self, rng: np.random.Generator) -> Gated:
        """The arm as it may be."""
        shares = (float(rng.beta(*one)) for one in (self.passing, self.right, self.right_when_failed))
        return replace(self.mean, **dict(zip(("pass_rate", "precision", "right_when_failed"), shares, strict=True)))


def beliefs(answers: Sequence[Audited]) -> list[Belief]:
    """For each arm. Few audits of one arm borrow from those of all, which are taken at their word where there are any.

    The interval, and not the estimate, has Jeffreys' prior besides: half an answer on each side.
    """
    return [_belief(one, {passed: _common(answers, passed=passed) for passed in (True, False)}) for one in answers]


def _common(answers: Sequence[Audited], *, passed: bool) -> float:
    """Share of right ones over all arms; a half where nothing was audited."""
    right, of = np.sum([one.count(passed=passed) for one in answers], axis=0)
    return float(right / of) if of else PRIOR


def _belief(one: Audited, common: Mapping[bool, float]) -> Belief:
    shares: dict[bool, tuple[float, float]] = {}
    for passed in (True, False):
        right, of = one.count(passed=passed)
        shares[passed] = (right + BORROWED * common[passed], of - right + BORROWED * (1 - common[passed]))
    (right, wrong), (right_failed, wrong_failed) = shares[True], shares[False]
    believed = (right + PRIOR, wrong + PRIOR)
    lower, upper = betaincinv(*believed, [0.025, 0.975])
    audited = one.count(passed=True)[1] + one.count(passed=False)[1]
    mean = Gated(
        one.arm,
        float(one.passed.mean()),
        right / (right + wrong),
        float(lower),
        float(upper),
        right_failed / (right_failed + wrong_failed),
        float(np.nanmean(one.cost)),
        audited,
    )
    passing = (float(one.passed.sum()) + PRIOR, float((1 - one.passed).sum()) + PRIOR)
    return Belief(mean, passing, believed, (right_failed + PRIOR, wrong_failed + PRIOR))


def cascades(arms: Sequence[Gated], reached: dict[tuple[str, str], Gated] | None = None) -> list[Cascade]:
    """Every choice of up to LONGEST arms, the cheaper first. `reached`: (before, arm) → an arm on what was escalated.

    A dearer arm first would be paid for on every run, to gain only what the gate gets wrong. Where nothing
    is known of the escalated, an arm is taken to do as well on them as on all runs, which flatters it.
    """
    known = reached or {}
    cheapest_first = sorted(arms, key=lambda one: (one.cost, one.arm))
    lengths = range(1, min(LONGEST, len(arms)) + 1)
    return [worth(order, known) for length in lengths for order in combinations(cheapest_first, length)]


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


def worth(order: Sequence[Gated], reached: Mapping[tuple[str, str], Gated]) -> Cascade:
    """What arms in this order yield and cost in expectation."""
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
