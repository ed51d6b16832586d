"""The routing document: who gets which arm, given where each skill's rollout stands.

Pure: the same states, skills and previous document give the same document.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from flywheel_assets.artifacts.policies import Policies, scorers_of
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.cascade import models_of
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.routing import RoutingDocument, Segment, SkillRoute
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile

# Salts the draw that decides on holdout and frozen. It never changes, so that units stay where they are.
FIXED_SALT = "flywheel-fixed"
# A share below this is none: it would be lost in rounding.
NEGLIGIBLE = 1e-9


class State(Protocol):
    """Where one skill's rollout stands. Arms are 'model|prompt version|tool schema'."""

    @property
    def baseline_arm(self) -> str:
        """Arm in production at launch."""
        ...

    @property
    def production_arm(self) -> str:
        """Arm in production now."""
        ...

    @property
    def first_promoted_arm(self) -> str | None:
        """Arm of the first promotion; None before it."""
        ...

    @property
    def trials(self) -> Sequence[Registration]:
        """The registrations in progress, all with the same incumbent and shares."""
        ...


def routing_document(  # noqa: PLR0913, PLR0917 - what is not given is not there
    states: Mapping[str, State],
    skills: SkillsFile,
    previous: RoutingDocument | None,
    kept: Mapping[str, SkillRoute] | None = None,
    policies: Policies | None = None,
    waiting: Mapping[str, Sequence[str]] | None = None,
    dominated: Mapping[str, Collection[str]] | None = None,
) -> RoutingDocument:
    """The document for these states: `previous` itself where nothing changed, else the next version.

    Skills without a state, and states of skills that the operator no longer names, are left out.
    `kept` are routes to use as they are, whatever the states say. `previous` is the newest version.
    `policies` has the rule of every contextual policy that a state names, `waiting` the prompt versions of each
    skill that share in its exploration, `dominated` the arms that do not.
    """
    named = (name for name in sorted(skills.skills) if name in states)
    explored, worse = waiting or {}, dominated or {}
    routes = {
        name: skill_route(states[name], skills.skills[name], policies, explored.get(name, ()), worse.get(name, ()))
        for name in named
    }
    routes |= kept or {}
    if previous is None:
        return RoutingDocument(version=1, skills=routes)
    if previous.skills == routes:
        return previous
    return RoutingDocument(version=previous.version + 1, parent=previous.policy_id, skills=routes)


def skill_route(
    state: State,
    skill: Skill,
    policies: Policies | None = None,
    waiting: Sequence[str] = (),
    dominated: Collection[str] = (),
) -> SkillRoute:
    """One skill's two draws. Raises ValueError where the rule of a contextual policy is not among `policies`."""
    experiments = "+".join(trial.experiment_id for trial in state.trials) or None
    fixed, drawn = _fixed(state, skill), _trial(state, skill, waiting, dominated)
    return SkillRoute(
        salt=FIXED_SALT,
        fixed=fixed,
        # Between trials the salt follows the arm in production, so that no trial inherits its groups.
        trial_salt=experiments or f"explore {state.production_arm}",
        trial=drawn,
        experiment_id=experiments,
        fallbacks=_fallbacks(Arm.parse(state.production_arm).model, skill),
        scorers=scorers_of((*fixed, *drawn), policies or {}),
    )


def _fixed(state: State, skill: Skill) -> tuple[Segment, ...]:
    """Holdout first: a unit in it stays when the frozen share appears behind it."""
    segments: list[Segment] = []
    if skill.holdout > 0:
        segments.append(Segment(name="holdout", arm=state.baseline_arm, share=skill.holdout))
    first = state.first_promoted_arm
    # Back on the baseline means that the first promotion was undone: nobody is kept on it.
    moved_past = first is not None and state.production_arm not in (first, state.baseline_arm)
    if first is not None and moved_past and skill.frozen > 0:
        segments.append(Segment(name="frozen", arm=first, share=skill.frozen))
    return tuple(segments)


def _trial(state: State, skill: Skill, waiting: Sequence[str], dominated: Collection[str]) -> tuple[Segment, ...]:
    """Canary, production, explore. A registered trial's shares hold, whatever skills.yaml says since."""
    every = _other_arms(state, skill, waiting)
    others = tuple(arm for arm in every if arm not in dominated)
    if not state.trials:
        # What a candidate on trial would get is used to find one, where there is a choice.
        share = skill.explore + (skill.canary if len(waiting) > 1 else 0.0)
        explore = share if others and share >= NEGLIGIBLE else 0.0
        return (Segment(name="production", arm=state.production_arm, share=1 - explore), *_explore(others, explore))
    # Without any of them the trial's shares would move, and units with them, while it goes on.
    others, trial = others or every, state.trials[0]
    canary, incumbent = trial.canary_share, trial.incumbent_share
    explore = 1 - canary - incumbent
    if explore < NEGLIGIBLE or not others:
        # Scaled together: the chance of the candidate among the two stays the registered one.
        canary, explore = canary / (canary + incumbent), 0.0
        incumbent = 1 - canary
    return (
        *(Segment(name="canary", arm=one.candidate_arm, share=canary / len(state.trials)) for one in state.trials),
        Segment(name="production", arm=trial.incumbent_arm, share=incumbent),
        *_explore(others, explore),
    )


def _other_arms(state: State, skill: Skill, waiting: Sequence[str]) -> tuple[str, ...]:
    """The skill's models with the production prompt and its model with prompts that wait, but for arms on traffic."""
    production = Arm.parse(state.production_arm)
    taken = {state.production_arm, *(trial.candidate_arm for trial in state.trials)}
    models = dict.fromkeys((skill.baseline_model, *skill.models))
    arms = [str(production.model_copy(update={"model": model})) for model in models]
    arms += [str(production.model_copy(update={"prompt_version": version})) for version in waiting]
    return tuple(arm for arm in arms if arm not in taken)


def _explore(arms: tuple[str, ...], share: float) -> tuple[Segment, ...]:
    """The explore share, spread evenly."""
    return tuple(Segment(name="explore", arm=arm, share=share / len(arms)) for arm in arms if share > 0)


def _fallbacks(model: str, skill: Skill) -> tuple[str, ...]:
    """The skill's other models, those of another provider first: one provider's quota fails as a whole."""
    first = models_of(model)[0]
    others = [other for other in dict.fromkeys((skill.baseline_model, *skill.models)) if other != first]
    return tuple(sorted(others, key=lambda other: provider(other) == provider(first)))


def provider(model: str) -> str:
    """What stands before the first slash of a model id; empty where none does."""
    return model.partition("/")[0] if "/" in model else ""
