"""A replay of cascades: the gate's word at once, the truth for the few answers that are audited."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.candidates.routing.cascade import Audited, Gated, Mixture, best, cascades, gated
from flywheel_assets.replay.matrix import Matrix, Reals

EXPLORE = 0.2
# Answers of the dearer arm on what the gate did not pass, below which they say nothing apart.
LEAST_REACHED = 20


@dataclass(frozen=True, slots=True)
class Rules:
    """How much is audited, what a run may cost, and how often the order is thought over."""

    budget: float | None
    audit: float = 0.1
    every: int = 100
    held: float = 0.25


@dataclass(frozen=True, slots=True)
class GateSeen:
    """A gate's precision on one arm: estimated from audits with its 95 % interval, and as it is."""

    arm: str
    estimate: float
    lower: float
    upper: float
    truth: float
    audited: int


@dataclass(frozen=True, slots=True)
class Cascaded:
    """The cascade at the end, judged on items it never saw; each arm's gate as estimated and as it is."""

    seed: int
    arms: tuple[str, ...]
    value: float
    cost: float
    dearest_alone: float
    precision: tuple[GateSeen, ...]
    curve: tuple[tuple[int, float, float], ...]


@dataclass(slots=True)
class _Seen:
    """One arm's answers so far: which item, whether the run began with it, and what an audit said."""

    item: list[int] = field(default_factory=list[int])
    first: list[bool] = field(default_factory=list[bool])
    right: list[float] = field(default_factory=list[float])


def replay_cascade(matrix: Matrix, rules: Rules, seed: int) -> Cascaded:
    """Replay once: a fifth of the runs on one arm alone, by chance; the others by the best cascade so far."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(matrix.items))
    held = order[: int(rules.held * len(order))]
    stream = order[len(held) :]
    seen = {arm: _Seen() for arm in matrix.arms}
    chosen: Mixture | None = None
    curve: list[tuple[int, float, float]] = []
    for start in range(0, len(stream), rules.every):
        for item in stream[start : start + rules.every]:
            alone = chosen is None or rng.random() < EXPLORE
            steps = _steps(chosen, rng) if chosen and not alone else (matrix.arms[rng.integers(len(matrix.arms))],)
            _serve(matrix, int(item), steps, seen, rules.audit, rng)
        known = gated([_audited(matrix, arm, seen[arm], first=True) for arm in matrix.arms])
        chosen = best(cascades(known, _reached(matrix, seen)), rules.budget) or chosen
        if chosen is not None:
            curve.append((start + rules.every, *_judged(matrix, chosen, held)))
    if chosen is None:
        raise ValueError(f"no cascade costs at most {rules.budget} USD")
    whole = gated([_audited(matrix, arm, seen[arm], first=False) for arm in matrix.arms])
    value, cost = _judged(matrix, chosen, held)
    dearest = int(np.nanargmax(np.nanmean(matrix.cost, axis=0)))
    return Cascaded(
        seed,
        chosen.usual.arms,
        value,
        cost,
        float(np.nanmean(matrix.outcome[held, dearest])),
        tuple(
            GateSeen(one.arm, one.precision, one.lower, one.upper, _truth(matrix, one.arm), one.audited)
            for one in whole
        ),
        tuple(curve),
    )


def judged(matrix: Matrix, arms: Sequence[str], items: NDArray[np.int64]) -> tuple[float, float]:
    """Mean outcome and cost of a cascade on items of which everything is known."""
    outcome, cost, open_ = np.zeros(len(items)), np.zeros(len(items)), np.ones(len(items), dtype=np.bool_)
    for arm in arms:
        at = matrix.arms.index(arm)
        outcome = np.where(open_, matrix.outcome[items, at], outcome)
        cost += np.where(open_, matrix.cost[items, at], 0.0)
        open_ &= matrix.gate[items, at] <= 0.5
    return float(np.nanmean(outcome)), float(np.nanmean(cost))


def _judged(matrix: Matrix, chosen: Mixture, items: NDArray[np.int64]) -> tuple[float, float]:
    usual, other = (judged(matrix, one.arms, items) for one in (chosen.usual, chosen.other))
    part = chosen.share
    return part * usual[0] + (1 - part) * other[0], part * usual[1] + (1 - part) * other[1]


def _steps(chosen: Mixture, rng: np.random.Generator) -> tuple[str, ...]:
    return (chosen.usual if rng.random() < chosen.share else chosen.other).arms


def _serve(  # noqa: PLR0913, PLR0917 - everything that one run touches
    matrix: Matrix, item: int, steps: Sequence[str], seen: dict[str, _Seen], audit: float, rng: np.random.Generator
) -> None:
    for position, arm in enumerate(steps):
        at = matrix.arms.index(arm)
        seen[arm].item.append(item)
        seen[arm].first.append(position == 0)
        # So much of all answers is audited, and as much of an arm that seldom answers as of the others.
        answers = sum(len(one.item) for one in seen.values())
        odds = audit * answers / (len(seen) * len(seen[arm].item))
        seen[arm].right.append(float(matrix.outcome[item, at]) if rng.random() < min(odds, 0.5) else float("nan"))
        if matrix.gate[item, at] > 0.5:
            return


def _audited(matrix: Matrix, arm: str, seen: _Seen, *, first: bool) -> Audited:
    """An arm's answers; with `first`, only of runs that began with it, which are like all runs."""
    kept = np.array(seen.first, dtype=np.bool_) if first else np.ones(len(seen.item), dtype=np.bool_)
    at, items = matrix.arms.index(arm), np.array(seen.item, dtype=np.int64)[kept]
    right: Reals = np.array(seen.right, dtype=np.float64)[kept]
    if not len(items):
        return Audited(arm, np.array([0.5]), np.array([np.nanmax(matrix.cost[:, at])]), np.array([np.nan]))
    return Audited(arm, matrix.gate[items, at], matrix.cost[items, at], right)


def _reached(matrix: Matrix, seen: dict[str, _Seen]) -> dict[tuple[str, str], Gated]:
    """What is known of the dearer of two arms on what the cheaper one's gate did not pass; of more arms nothing."""
    if len(matrix.arms) != 2:
        return {}
    cheap, at = np.argsort(np.nanmean(matrix.cost, axis=0), kind="stable").tolist()
    arm = matrix.arms[at]
    later = np.flatnonzero(~np.array(seen[arm].first, dtype=np.bool_))
    if len(later) < LEAST_REACHED:
        return {}
    items, right = np.array(seen[arm].item)[later], np.array(seen[arm].right)[later]
    return {(matrix.arms[cheap], arm): gated([Audited(arm, matrix.gate[items, at], matrix.cost[items, at], right)])[0]}


def _truth(matrix: Matrix, arm: str) -> float:
    at = matrix.arms.index(arm)
    return float(np.nanmean(matrix.outcome[matrix.gate[:, at] > 0.5, at]))
