"""A candidate's life: a type for each state, whose methods are the only ways out of it.

    Registered → Shadow → Canary → Promoted → Superseded | RolledBack
                    └────────┴───→ Abandoned

A state without a method for a step cannot take it: a program that tries does not type-check. In
`Shadow` the candidate is known and has no traffic; only trials that a person must let begin stop there.
A superseded promotion is in force again when what superseded it is rolled back.
"""

from dataclasses import dataclass
from datetime import datetime

from flywheel_assets.tables.documents.registration import Registration


@dataclass(frozen=True, slots=True)
class _State:
    """`support`: the evidence that the candidate's proposal and its trial rest on, in units."""

    registration: Registration
    support: float

    def _with(self, candidates: int, incumbents: int) -> float:
        """A routing proposal rests on runs of its arm, a prompt proposal on runs of the prompt it was built from."""
        return self.support + (candidates if self.registration.kind == "routing" else incumbents)


@dataclass(frozen=True, slots=True)
class Abandoned(_State):
    """Given up; its part of the budget is spent."""


@dataclass(frozen=True, slots=True)
class RolledBack(_State):
    """It was in production and is not any more."""


@dataclass(frozen=True, slots=True)
class Promoted(_State):
    """In production since `promoted_at`."""

    promoted_at: datetime

    def superseded(self) -> "Superseded":
        """Another candidate took its place; this one is what a rollback restores."""
        return Superseded(self.registration, self.support, self.promoted_at)

    def rolled_back(self, candidates: int, incumbents: int) -> RolledBack:
        """Its predecessor is in production again."""
        return RolledBack(self.registration, self._with(candidates, incumbents))


@dataclass(frozen=True, slots=True)
class Superseded(_State):
    """It was promoted, and so was its successor."""

    promoted_at: datetime

    def restored(self) -> Promoted:
        """Its successor was rolled back."""
        return Promoted(self.registration, self.support, self.promoted_at)


@dataclass(frozen=True, slots=True)
class Canary(_State):
    """A share of the traffic gets it. `seen`: hash of the evidence at the last look."""

    seen: str | None = None

    def held(self, evidence_hash: str) -> "Canary":
        """Looked at, and nothing is decided yet."""
        return Canary(self.registration, self.support, evidence_hash)

    def promoted(self, at: datetime, candidates: int, incumbents: int) -> Promoted:
        """Every criterion passed."""
        return Promoted(self.registration, self._with(candidates, incumbents), at)

    def abandoned(self, candidates: int, incumbents: int) -> Abandoned:
        """A criterion failed, or the units are used up."""
        return Abandoned(self.registration, self._with(candidates, incumbents))


@dataclass(frozen=True, slots=True)
class Shadow(_State):
    """Waits for a person, without traffic."""

    def begun(self) -> Canary:
        """A person let it begin."""
        return Canary(self.registration, self.support)

    def abandoned(self) -> Abandoned:
        """A person refused it, or what it was to be compared with is gone."""
        return Abandoned(self.registration, self.support)


@dataclass(frozen=True, slots=True)
class Registered(_State):
    """Everything about its trial is written down, and no data exist."""

    def shadowed(self) -> Shadow:
        """It waits for a person."""
        return Shadow(self.registration, self.support)

    def begun(self) -> Canary:
        """Nobody needs to be asked."""
        return Canary(self.registration, self.support)
