"""Rehearsal: the code that decides, over a whole trial, look by look, without a ledger.

Drills on own traffic and simulations go through here, so that what is measured is what decides.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from flywheel_assets.decisions.criteria.assignment import BROKEN_ALPHA
from flywheel_assets.decisions.eprocess import Comparison, Flags, assignment
from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.judge import Kind, answers, conclude
from flywheel_assets.decisions.trial import Conditions, Trial
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


def rehearse(registration: Registration, looks: Iterable[Evidence], conditions: Conditions) -> Rehearsed:
    """The first verdict that is not 'held', over looks at ever more evidence."""
    found = Rehearsed("held", 0, "no look")
    for evidence in looks:
        kind, reason = conclude(registration, evidence, answers(Trial(registration, evidence, conditions)))
        found = Rehearsed(kind, sum(evidence.units), reason)
        if kind != "held":
            return found
    return found


def telling(trial: Trial, counts: Sequence[int], *, to_the_end: bool = True) -> Iterator[Evidence]:
    """The first so many units, for those counts at which a verdict is possible, and, `to_the_end`, the last.

    What a process has gained after n units does not depend on units after them. So where every
    criterion is a quiet one, a look before any process was at its bar can only hold, and is left out.
    """
    evidence, asked = trial.evidence, set(trial.registration.criteria)
    if not asked or not asked <= QUIET:
        return (evidence.first(count) for count in counts)
    looks = np.array(counts, dtype=np.int64)
    told = may_tell(trial.registration, trial.outcome, assignment(evidence.candidate, trial.share), looks)
    if to_the_end and len(looks):
        told |= looks == looks.max()
    return (evidence.first(count) for count in looks[told].tolist())


def may_tell(registration: Registration, outcome: Comparison, split: Comparison, looks: NDArray[np.int64]) -> Flags:
    """By look, and by trial where the comparisons are several, whether a process of quiet criteria was at its bar."""
    margin, bar = registration.margin, -log(registration.alpha)
    # Each direction of the split has half of the capital.
    broken = -log(BROKEN_ALPHA)
    processes = (
        (outcome.rise, -margin, bar),
        (outcome.fall, margin, bar),
        (split.rise, 0, broken),
        (split.fall, 0, broken),
    )
    return np.any([process.after(mean, looks) >= needed - 1e-6 for process, mean, needed in processes], axis=0)
