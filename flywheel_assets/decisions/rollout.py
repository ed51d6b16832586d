"""Rollout: the state of every skill, as the fold of the ledger, and the only ways it can change.

Per skill: the launch baseline; a stack of promotions on it, the last of which is in production; and at
most one open trial. A trial ends promoted or abandoned. A rollback takes the last promotion away and
restores what was before it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile


class IllegalTransitionError(ValueError):
    """An entry that cannot follow the state it was made for."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promoted arm, still in force."""

    registration: Registration
    promoted_at: datetime
    support: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A trial whose candidate is not in force. `support`: its evidence before and during the trial."""

    registration: Registration
    kind: str
    support: float


@dataclass(frozen=True, slots=True)
class SkillState:
    """One skill's rollout."""

    skill: str
    baseline_arm: str
    promotions: tuple[Promotion, ...] = ()
    trial: Registration | None = None
    trial_support: float = 0.0
    ended: tuple[Ended, ...] = ()
    last_registered: str | None = None
    last_evidence: str | None = None

    @property
    def production_arm(self) -> str:
        """What units get unless a draw says otherwise."""
        return self.promotions[-1].registration.candidate_arm if self.promotions else self.baseline_arm

    @property
    def first_promoted_arm(self) -> str | None:
        """The first promoted arm still in force: what the frozen share stays on."""
        return self.promotions[0].registration.candidate_arm if self.promotions else None

    @property
    def experiment_id(self) -> str | None:
        """The open trial's id."""
        return self.trial.experiment_id if self.trial else None


def rollout(ledger: pa.Table, skills: SkillsFile) -> dict[str, SkillState]:
    """The state of every skill in `skills`, after all entries of the ledger.

    A skill's baseline is the incumbent of its first trial: editing skills.yaml later does not move the
    holdout. Raises IllegalTransitionError where an entry cannot follow.
    """
    states = {name: SkillState(name, baseline(skill)) for name, skill in sorted(skills.skills.items())}
    for entry in sorted(ledger.to_pylist(), key=lambda entry: entry["seq"]):
        name = entry["skill"]
        if name in states:
            states[name] = advance(states[name], entry)
    return states


def baseline(skill: Skill) -> str:
    """The arm in production at launch."""
    version = prompt_version(skill.baseline_prompt) if skill.baseline_prompt else "-"
    return str(Arm(model=skill.baseline_model, prompt_version=version))


def advance(state: SkillState, entry: Mapping[str, Any]) -> SkillState:
    """The state after one ledger entry. Raises IllegalTransitionError where it cannot follow."""
    registration = Registration.model_validate_json(entry["registration_json"])
    kind = entry["kind"]
    if kind == "registered":
        return _register(state, registration, entry)
    if kind == "rolled_back":
        return _roll_back(state, registration, entry)
    if state.trial != registration:
        raise IllegalTransitionError(f"{state.skill}: {kind} for {registration.experiment_id}, which is not open")
    if kind == "held":
        return replace(state, last_evidence=entry["evidence_hash"])
    if kind == "promoted":
        promotion = Promotion(registration, entry["decided_at"], _support(state.trial_support, registration, entry))
        return replace(state, promotions=(*state.promotions, promotion), trial=None, last_evidence=None)
    if kind == "abandoned":
        ended = Ended(registration, kind, _support(state.trial_support, registration, entry))
        return replace(state, trial=None, ended=(*state.ended, ended), last_evidence=None)
    raise IllegalTransitionError(f"{state.skill}: unknown kind of entry {kind!r}")


def _register(state: SkillState, registration: Registration, entry: Mapping[str, Any]) -> SkillState:
    if state.trial is not None:
        raise IllegalTransitionError(f"{state.skill}: {state.trial.experiment_id} is still open")
    untouched = not state.promotions and not state.ended
    if not untouched and registration.incumbent_arm != state.production_arm:
        raise IllegalTransitionError(f"{state.skill}: {registration.incumbent_arm} is not in production")
    return replace(
        state,
        baseline_arm=registration.incumbent_arm if untouched else state.baseline_arm,
        trial=registration,
        trial_support=float(json.loads(entry["manifest_json"])["candidate"]["support"]),
        last_registered=registration.kind,
        last_evidence=None,
    )


def _roll_back(state: SkillState, registration: Registration, entry: Mapping[str, Any]) -> SkillState:
    if state.trial is not None:
        raise IllegalTransitionError(f"{state.skill}: {state.trial.experiment_id} compares with what is rolled back")
    if not state.promotions or state.promotions[-1].registration != registration:
        raise IllegalTransitionError(f"{state.skill}: {registration.experiment_id} is not what is in production")
    ended = Ended(registration, "rolled_back", _support(state.promotions[-1].support, registration, entry))
    return replace(state, promotions=state.promotions[:-1], ended=(*state.ended, ended))


def _support(before: float, registration: Registration, entry: Mapping[str, Any]) -> float:
    """A routing proposal rests on runs of its arm, a prompt proposal on runs of the prompt it was built from."""
    return before + entry["candidate_units" if registration.kind == "routing" else "incumbent_units"]
