"""Rehearsal: the code that decides, over a whole trial, look by look, without a ledger.

Drills on own traffic and simulations go through here, so that what is measured is what decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.decisions.criteria.assignment import BROKEN_ALPHA
from flywheel_assets.decisions.judge import Kind, answers, conclude
from flywheel_assets.decisions.stakes import Flags
from flywheel_assets.decisions.trial import Bets, Trial
from flywheel_assets.tables.documents.registration import Registration

# Criteria that leave a trial open until its primary test, harm or assignment has reached its bar.
QUIET = frozenset(
    {"superiority", "non_inferiority", "assignment", "leave_one_out", "incumbent_stands", "predecessor_restorable"}
)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How a trial ended: 'held' where no look concluded it. `units`: at the look that did, or at the last."""

    kind: Kind
    units: int
    reason: str


UNTOLD = Rehearsed("held", 0, "no look")


def rehearse(trial: Trial, counts: Iterable[int]) -> Rehearsed:
    """The first verdict that is not 'held', over looks at so many units each, ever more."""
    found = UNTOLD
    for count in counts:
        look = trial.first(count)
        kind, reason = conclude(look.registration, look.evidence, answers(look))
        found = Rehearsed(kind, sum(look.evidence.units), reason)
        if kind != "held":
            return found
    return found


def telling(trial: Trial, counts: Sequence[int], *, to_the_end: bool = True) -> list[int]:
    """Those counts of units at which a verdict is possible, and, `to_the_end`, the last.

    What a process has gained after n units does not depend on units after them. So where every
    criterion is a quiet one, a look before any process was at its bar can only hold, and is left out.
    """
    asked = set(trial.registration.criteria)
    if not asked or not asked <= QUIET:
        return list(counts)
    looks = np.array(counts, dtype=np.int64)
    told = may_tell(trial.registration, trial.bets, looks)
    if to_the_end and len(looks):
        told |= looks == looks.max()
    return looks[told].tolist()


def may_tell(registration: Registration, bets: Bets, looks: NDArray[np.int64]) -> Flags:
    """By look, and by trial where the bets are on several, whether a process of quiet criteria was at its bar."""
    margin, bar = registration.margin, -log(registration.alpha)
    # Each direction of the split has half of the capital.
    broken = -log(BROKEN_ALPHA)
    processes = (
        (bets.outcome.rise, -margin, bar),
        (bets.outcome.fall, margin, bar),
        (bets.split.rise, 0, broken),
        (bets.split.fall, 0, broken),
    )
    return np.any([process.after(mean, looks) >= needed - 1e-6 for process, mean, needed in processes], axis=0)
