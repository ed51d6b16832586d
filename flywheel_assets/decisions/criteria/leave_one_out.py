"""Leave one out: the verdict does not hang on a single user, a single source of labels or a single day."""

from math import log

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.decisions.canonical import e_value, stated
from flywheel_assets.decisions.trial import Numbers, Passed, Result, Trial, Undecided
from flywheel_assets.tables.documents.registration import Registration

# Columns of the evidence by which units belong together.
GROUPINGS = ("principal", "source", "day")
# Without its largest part the evidence must still come to this share of the bar, on the log scale: less
# than half, and one user, source or day weighs more than all the others.
SHARE = 0.5
# Groups that are left out in turn: those that did most for the verdict. Beyond so many, a group's part
# is too small to take half away.
MOST = 8
# Where the operator says so, a group with this share of the units is the traffic itself, and stays in.
DOMINANT = 0.75


def applies(_registration: Registration) -> bool:
    """Always."""
    return True


def check(trial: Trial) -> Result:
    """Holds a verdict as fragile that the rest of the evidence does not bear out.

    A group that has most of the units is left out like any other, unless the registration lets its kind
    dominate. Where all units are of one group there is nothing to leave out, and the reason says so.
    """
    margin, bar = trial.registration.margin, -log(trial.registration.alpha)
    if trial.outcome.log_e(-margin) < bar:
        return Passed("no verdict yet that could hang on one of them")
    growth = trial.outcome.rise.growth(-margin)
    fragile: list[str] = []
    alone: list[str] = []
    large: list[str] = []
    numbers: Numbers = {"needed": stated(float(np.exp(SHARE * bar)))}
    for grouping in GROUPINGS:
        names, group = trial.evidence.groups(grouping)
        numbers = {**numbers, f"{grouping}_groups": len(names)}
        if len(names) < 2:
            alone.append(f"{grouping} {names[0].as_py()}".rstrip())
            continue
        parts, sizes = np.bincount(group, weights=growth), np.bincount(group)
        most = DOMINANT if grouping in trial.registration.may_dominate else 1.0
        leading = [int(one) for one in np.argsort(-parts)[:MOST] if sizes[one] < most * len(group)]
        if not leading:
            continue
        left = _left(trial, group, leading, SHARE * bar)
        worst = min(left, key=lambda one: (left[one], one))
        numbers = {**numbers, f"e_value_without_one_{grouping}": e_value(left[worst])}
        if left[worst] < SHARE * bar:
            fragile.append(f"{grouping} {names[worst].as_py()} ({sizes[worst] / len(group):.0%} of the units)")
            large += [grouping] if sizes[worst] >= DOMINANT * len(group) else []
            if trial.rehearsed:
                break
    if fragile:
        return Undecided(f"fragile: it hangs on {', '.join(fragile)}{_way_out(large)}", numbers)
    one_only = f"; nothing to leave out where all are of one: {', '.join(alone)}" if alone else ""
    return Passed(f"survives without any single user, source of labels or day{one_only}", numbers)


def _left(trial: Trial, group: NDArray[np.int64], leading: list[int], needed: float) -> dict[int, float]:
    """The log e-value without each of the leading groups; of a rehearsal, of the first alone where that is too little.

    What did most for the verdict is nearly always what it hangs on.
    """
    left: dict[int, float] = {}
    for some in (leading[:1], leading[1:]) if trial.rehearsed else (leading,):
        if some and min(left.values(), default=needed) >= needed:
            left |= dict(zip(some, trial.without_each(group[:, None] == some).tolist(), strict=True))
    return left


def _way_out(large: list[str]) -> str:
    """What an operator can do where a group is so large that the rest could hardly tell."""
    stated = f"; where that is the traffic itself, state may_dominate: [{', '.join(large)}], which opens a new trial"
    return stated if large else ""
