"""Rollout: the state of every skill, as the fold of the ledger.

Per skill: the launch baseline; what was promoted on it and superseded; what is promoted now; and at most
one open trial. Each entry is one transition of `lifecycle`; what cannot follow is refused.
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
    on_trial: Shadow | Canary | None = None
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
    def trial(self) -> Registration | None:
        """The open trial that has traffic."""
        return self.on_trial.registration if isinstance(self.on_trial, Canary) else None


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
    on_trial = state.on_trial
    if on_trial is None or on_trial.registration != registration:
        raise IllegalTransitionError(f"{state.skill}: {kind} for {registration.experiment_id}, which is not open")
    return _in_shadow(state, on_trial, kind) if isinstance(on_trial, Shadow) else _on_trial(state, on_trial, entry)


def _register(state: SkillState, registration: Registration, entry: Entry) -> SkillState:
    if state.on_trial is not None:
        raise IllegalTransitionError(f"{state.skill}: {state.on_trial.registration.experiment_id} is still open")
    untouched = state.promoted is None and not state.ended
    if not untouched and registration.incumbent_arm != state.production_arm:
        raise IllegalTransitionError(f"{state.skill}: {registration.incumbent_arm} is not in production")
    registered = Registered(registration, float(json.loads(entry["manifest_json"])["candidate"]["support"]))
    return replace(
        state,
        baseline_arm=registration.incumbent_arm if untouched else state.baseline_arm,
        on_trial=registered.shadowed() if registration.shadow else registered.begun(),
        last_registered=registration.kind,
    )


def _in_shadow(state: SkillState, shadow: Shadow, kind: str) -> SkillState:
    if kind == "canary":
        return replace(state, on_trial=shadow.begun())
    if kind == "abandoned":
        return replace(state, on_trial=None, ended=(*state.ended, shadow.abandoned()))
    raise IllegalTransitionError(f"{state.skill}: {kind} for {shadow.registration.experiment_id}, which has no traffic")


def _on_trial(state: SkillState, canary: Canary, entry: Entry) -> SkillState:
    kind, units = entry["kind"], (entry["candidate_units"], entry["incumbent_units"])
    if kind == "held":
        return replace(state, on_trial=canary.held(entry["evidence_hash"]))
    if kind == "promoted":
        below = (*state.superseded, state.promoted.superseded()) if state.promoted else ()
        return replace(state, superseded=below, promoted=canary.promoted(entry["decided_at"], *units), on_trial=None)
    if kind == "abandoned":
        return replace(state, on_trial=None, ended=(*state.ended, canary.abandoned(*units)))
    raise IllegalTransitionError(f"{state.skill}: unknown kind of entry {kind!r}")


def _roll_back(state: SkillState, registration: Registration, entry: Entry) -> SkillState:
    if state.on_trial is not None:
        open_one = state.on_trial.registration.experiment_id
        raise IllegalTransitionError(f"{state.skill}: {open_one} compares with what is rolled back")
    if state.promoted is None or state.promoted.registration != registration:
        raise IllegalTransitionError(f"{state.skill}: {registration.experiment_id} is not what is in production")
    ended = state.promoted.rolled_back(entry["candidate_units"], entry["incumbent_units"])
    return replace(
        state,
        superseded=state.superseded[:-1],
        promoted=state.superseded[-1].restored() if state.superseded else None,
        ended=(*state.ended, ended),
    )
