"""Rollout: the state of every skill, as the fold of the ledger.

Per skill: the launch baseline; what was promoted on it and superseded; what is promoted now; and the open
trials, all against what is in production, which share one draw: every unit gets one candidate or the
incumbent. Each entry is one transition of `lifecycle`; what cannot follow is refused, and so is a promotion
or a rollback while other trials still compare with what it takes out of production.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from flywheel_assets.decisions.lifecycle import Abandoned, Canary, Promoted, Registered, RolledBack, Shadow, Superseded
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.documents.scorer import PREFIX
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile

Entry = Mapping[str, Any]


class IllegalTransitionError(ValueError):
    """An entry that cannot follow the state it was made for."""


@dataclass(frozen=True, slots=True)
class SkillState:
    """One skill's rollout. `superseded`: earlier promotions in force below `promoted`, the oldest first."""

    skill: str
    baseline_arm: str
    superseded: tuple[Superseded, ...] = ()
    promoted: Promoted | None = None
    on_trial: tuple[Shadow | Canary, ...] = ()
    ended: tuple[RolledBack | Abandoned, ...] = ()
    last_registered: str | None = None

    @property
    def promotions(self) -> tuple[Superseded | Promoted, ...]:
        """Promotions in force, the one in production last."""
        return (*self.superseded, self.promoted) if self.promoted else ()

    @property
    def production_arm(self) -> str:
        """What units get unless a draw says otherwise."""
        return self.promoted.registration.candidate_arm if self.promoted else self.baseline_arm

    @property
    def first_promoted_arm(self) -> str | None:
        """The first promoted arm still in force: what the frozen share stays on."""
        return self.promotions[0].registration.candidate_arm if self.promotions else None

    @property
    def trials(self) -> tuple[Registration, ...]:
        """The open trials that have traffic, in the order of their registration."""
        return tuple(one.registration for one in self.on_trial if isinstance(one, Canary))


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


def advance(state: SkillState, entry: Entry) -> SkillState:
    """The state after one ledger entry. Raises IllegalTransitionError where it cannot follow."""
    registration = Registration.model_validate_json(entry["registration_json"])
    kind = entry["kind"]
    if kind == "registered":
        return _register(state, registration, entry)
    if kind == "rolled_back":
        return _roll_back(state, registration, entry)
    on_trial = next((one for one in state.on_trial if one.registration == registration), None)
    if on_trial is None:
        raise IllegalTransitionError(f"{state.skill}: {kind} for {registration.experiment_id}, which is not open")
    return _in_shadow(state, on_trial, kind) if isinstance(on_trial, Shadow) else _on_trial(state, on_trial, entry)


def _instead(state: SkillState, on_trial: Shadow | Canary, now: Shadow | Canary | None) -> tuple[Shadow | Canary, ...]:
    """The open trials with one of them changed, or without it."""
    after = (now if one is on_trial else one for one in state.on_trial)
    return tuple(one for one in after if one is not None)


def _register(state: SkillState, registration: Registration, entry: Entry) -> SkillState:
    for other in (one.registration for one in state.on_trial):
        if not distinct(other.candidate_arm, registration.candidate_arm):
            raise IllegalTransitionError(f"{state.skill}: {other.experiment_id} is still open")
        if (other.canary_share, other.incumbent_share) != (registration.canary_share, registration.incumbent_share):
            raise IllegalTransitionError(f"{state.skill}: {other.experiment_id} draws with other shares")
    untouched = state.promoted is None and not state.ended and not state.on_trial
    if not untouched and registration.incumbent_arm != state.production_arm:
        raise IllegalTransitionError(f"{state.skill}: {registration.incumbent_arm} is not in production")
    registered = Registered(registration, float(json.loads(entry["manifest_json"])["candidate"]["support"]))
    return replace(
        state,
        baseline_arm=registration.incumbent_arm if untouched else state.baseline_arm,
        on_trial=(*state.on_trial, registered.shadowed() if registration.shadow else registered.begun()),
        last_registered=registration.kind,
    )


def distinct(one: str, other: str) -> bool:
    """Whether runs show which of two candidates they had: a contextual policy's carry the arms that it chose."""
    return one != other and not one.startswith(PREFIX) and not other.startswith(PREFIX)


def _in_shadow(state: SkillState, shadow: Shadow, kind: str) -> SkillState:
    if kind == "canary":
        return replace(state, on_trial=_instead(state, shadow, shadow.begun()))
    if kind == "abandoned":
        return replace(state, on_trial=_instead(state, shadow, None), ended=(*state.ended, shadow.abandoned()))
    raise IllegalTransitionError(f"{state.skill}: {kind} for {shadow.registration.experiment_id}, which has no traffic")


def _on_trial(state: SkillState, canary: Canary, entry: Entry) -> SkillState:
    kind, units = entry["kind"], (entry["candidate_units"], entry["incumbent_units"])
    if kind == "held":
        return replace(state, on_trial=_instead(state, canary, canary.held(entry["evidence_hash"])))
    if kind == "promoted":
        _alone(state, canary)
        below = (*state.superseded, state.promoted.superseded()) if state.promoted else ()
        return replace(state, superseded=below, promoted=canary.promoted(entry["decided_at"], *units), on_trial=())
    if kind == "abandoned":
        return replace(state, on_trial=_instead(state, canary, None), ended=(*state.ended, canary.abandoned(*units)))
    raise IllegalTransitionError(f"{state.skill}: unknown kind of entry {kind!r}")


def _roll_back(state: SkillState, registration: Registration, entry: Entry) -> SkillState:
    _alone(state, None)
    if state.promoted is None or state.promoted.registration != registration:
        raise IllegalTransitionError(f"{state.skill}: {registration.experiment_id} is not what is in production")
    ended = state.promoted.rolled_back(entry["candidate_units"], entry["incumbent_units"])
    return replace(
        state,
        superseded=state.superseded[:-1],
        promoted=state.superseded[-1].restored() if state.superseded else None,
        ended=(*state.ended, ended),
    )


def _alone(state: SkillState, but: Canary | None) -> None:
    """Raises IllegalTransitionError while other trials compare with what is about to leave production."""
    for other in (one.registration.experiment_id for one in state.on_trial if one is not but):
        raise IllegalTransitionError(f"{state.skill}: {other} compares with what leaves production")
