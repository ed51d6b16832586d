"""What a criterion sees: one trial with its evidence, and what it may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from flywheel_assets.decisions.eprocess import Comparison, Part, assignment, randomised
from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.stakes import Design, Flags, Reals
from flywheel_assets.tables.documents.registration import Registration

Numbers = Mapping[str, float | int | str | None]


@dataclass(frozen=True, slots=True)
class Passed:
    """The criterion is met."""

    reason: str
    numbers: Numbers = field(default_factory=dict[str, float | int | str | None])


@dataclass(frozen=True, slots=True)
class Failed:
    """It can no longer be met: the trial ends."""

    reason: str
    numbers: Numbers = field(default_factory=dict[str, float | int | str | None])


@dataclass(frozen=True, slots=True)
class Undecided:
    """More evidence, or a person, may still decide it."""

    reason: str
    numbers: Numbers = field(default_factory=dict[str, float | int | str | None])


Result = Passed | Failed | Undecided


class IdenticalArms(BaseModel):
    """Trials of identical arms on own traffic: how many there were, and how many ended in a promotion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: int
    promoted: int
    nominal: float


class Conditions(BaseModel):
    """What a verdict depends on beside evidence; recorded with it, so that it can be replayed.

    `replaced_by`: the candidate that was promoted in the incumbent's place under this trial.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    predecessor_known: bool
    approved: bool | None = None
    incumbent_rolled_back: bool = False
    replaced_by: str | None = None
    as_of: datetime | None = None
    identical: IdenticalArms | None = None


@dataclass(frozen=True, slots=True)
class Bets:
    """A trial's processes: on its outcome, and on whether units went to the candidate as registered."""

    outcome: Comparison
    split: Comparison

    def __getitem__(self, part: Part) -> Self:
        """Those on the first units, or those of one of several trials."""
        return replace(self, outcome=self.outcome[part], split=self.split[part])


@dataclass(frozen=True)
class Trial:
    """A registration, its evidence so far, and the conditions of this look.

    `rehearsed`: the bets on it, made before. Then only the verdict is asked for: a criterion that has found it may
    leave its other numbers out.
    """

    registration: Registration
    evidence: Evidence
    conditions: Conditions
    rehearsed: Bets | None = None

    def first(self, count: int) -> Self:
        """A rehearsal of how the trial was after so many units.

        Bets depend on earlier units alone: those on the first units are the first bets on all of them.
        """
        return replace(self, evidence=self.evidence.first(count), rehearsed=self.bets[:count])

    @property
    def share(self) -> Reals:
        """Each unit's probability of the candidate, given that it got either arm."""
        return self.share_among(self.evidence.at_once)

    def share_among(self, at_once: NDArray[np.int64]) -> Reals:
        """The same where so many candidates shared the canaries' part of the draw evenly."""
        registration = self.registration
        others = registration.incumbent_share * at_once.astype(np.float64)
        return registration.canary_share / (registration.canary_share + others)

    @cached_property
    def bets(self) -> Bets:
        """On all units."""
        if self.rehearsed:
            return self.rehearsed
        candidate, share = self.evidence.candidate, self.share
        outcome = randomised(candidate, self.evidence.outcome, share, self.design)
        return Bets(outcome, assignment(candidate, share))

    @property
    def outcome(self) -> Comparison:
        """The outcome's e-process and confidence sequence."""
        return self.bets.outcome

    @property
    def design(self) -> Design:
        """What the registration aims to find."""
        asked = self.registration
        return Design(asked.design_effects, -asked.margin, asked.alpha, asked.max_units)

    def without(self, left_out: Flags) -> Comparison:
        """The outcome's comparison on all units but those."""
        kept = ~left_out
        return randomised(self.evidence.candidate[kept], self.evidence.outcome[kept], self.share[kept], self.design)

    def without_each(self, left_out: Flags) -> Reals:
        """For each column of units the outcome's log e-value without them, against 'no better than the margin'.

        They are put behind all others, and the capital is that before them: it does not depend on what comes later.
        """
        kept, evidence = np.count_nonzero(~left_out, axis=0), self.evidence
        order = np.argsort(left_out, axis=0, kind="stable")[: kept.max()]
        rise = randomised(evidence.candidate[order], evidence.outcome[order], self.share[order], self.design).rise
        return rise.after(-self.registration.margin, kept).diagonal()

    def guarded(self, metric: str, ceiling: float) -> tuple[Comparison, int]:
        """The e-process of a metric cut at `ceiling`, in units of it, and over how many units."""
        values = self.evidence.metric(metric)
        known = ~np.isnan(values)
        scaled = np.clip(values[known] / ceiling, 0.0, 1.0)
        return randomised(self.evidence.candidate[known], scaled, self.share[known]), int(known.sum())


class Criterion(Protocol):
    """One rule: a module with these two functions."""

    def applies(self, registration: Registration, /) -> bool:
        """Whether this trial must meet the rule."""
        ...

    def check(self, trial: Trial, /) -> Result:
        """The rule's answer for the evidence so far."""
        ...
