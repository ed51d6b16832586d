"""Registration: which proposal is tried next, and everything that is said of it before its data.

As many trials of a skill at a time as the operator allows, a route's or a prompt's. They share one draw, so
that a unit gets one candidate or the incumbent and never two candidates together, an arm that nobody
registered and whose failures would count against each. All are compared with the same units of the
incumbent; e-LOND holds under any dependence. A contextual policy is tried alone, for its runs carry the
arms that it chose. Routing and prompt proposals take turns. A candidate that ended without
being in force comes back against the same incumbent only when its evidence has doubled since; for
compiled prompts that holds for every text, and for contextual policies for every rule, because each new run
would make a new one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from flywheel_assets.decisions.canonical import stated
from flywheel_assets.decisions.criteria.registry import CRITERIA
from flywheel_assets.decisions.elond import allot
from flywheel_assets.decisions.rollout import SkillState, distinct
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.scorer import PREFIX
from flywheel_assets.tables.documents.skills_file import Skill

RETRY_FACTOR = 2.0
# What an operator states for every trial of a skill: under other rules a candidate may be tried anew.
RULES = ("guardrails", "slices", "may_dominate", "evidence_days", "max_units")
# Differences that a trial should find soon where they are there.
DESIGN_EFFECTS = (0.05, 0.1)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """An arm to try: where it was proposed, on how much evidence, and with which margin."""

    kind: Literal["routing", "prompt"]
    arm: str
    candidate_id: str
    support: float
    margin: float
    reason: str
    off_policy: str | None = None
    policy_json: str | None = None
    compiled: bool = False


def proposals(state: SkillState, skill: Skill, routing: Sequence[Row], prompts: Sequence[Row]) -> list[Proposal]:
    """What may be tried now against the arm in production, the next one first."""
    production = Arm.parse(state.production_arm)
    routes = [
        Proposal(
            "routing",
            row["arm"],
            row["candidate_id"],
            row["effective_n"],
            _margin(row, routing, skill),
            row["reason"],
            row.get("off_policy"),
            row.get("policy_json"),
        )
        for row in sorted(routing, key=lambda row: row["rank"] or 0)
        if row["state"] == "proposed" and row["incumbent_arm"] == state.production_arm
    ]
    texts = [
        Proposal(
            "prompt",
            str(production.model_copy(update={"prompt_version": row["prompt_version"]})),
            row["candidate_id"],
            row["support"],
            0.0,
            row["reason"],
            compiled=bool(row["lessons"] or row["demonstrations"]),
        )
        for row in sorted(prompts, key=lambda row: (-row["support"], row["prompt_version"]))
        if row["state"] == "proposed" and row["parent_version"] == production.prompt_version
    ]
    turns = [*texts, *routes] if state.last_registered == "routing" else [*routes, *texts]
    return [
        found
        for found in turns
        if found.arm != state.production_arm and not _tried(found, state, skill) and _beside(found, state)
    ]


def register(  # noqa: PLR0913 - a registration says everything beforehand
    proposal: Proposal, state: SkillState, skill: Skill, *, budget: float, position: int, promotions: int, now: datetime
) -> Registration:
    """The registration of a proposal, with its part of the error budget."""
    # Trials that share a draw have the shares that it began with.
    open_one = state.on_trial[0].registration if state.on_trial else None
    named = "\n".join((state.skill, proposal.arm, state.production_arm, str(position)))
    return Registration(
        experiment_id=f"exp-{position:04d}-{hashlib.sha256(named.encode()).hexdigest()[:8]}",
        skill=state.skill,
        kind=proposal.kind,
        candidate_arm=proposal.arm,
        incumbent_arm=state.production_arm,
        margin=proposal.margin,
        canary_share=open_one.canary_share if open_one else skill.canary,
        # What exploration leaves; never less than the canary's share.
        incumbent_share=open_one.incumbent_share if open_one else stated(1 - skill.canary - skill.explore),
        guardrails=skill.guardrails,
        alpha=stated(allot(budget, position, promotions)),
        position=position,
        max_units=skill.max_units,
        needs_approval=skill.needs_approval,
        shadow=skill.shadow,
        registered_at=now,
        criteria=tuple(CRITERIA),
        slices=skill.slices,
        may_dominate=skill.may_dominate,
        evidence_days=skill.evidence_days,
        design_effects=DESIGN_EFFECTS,
        candidate_id=proposal.candidate_id,
    )


def _margin(row: Row, rows: Sequence[Row], skill: Skill) -> float:
    """The operator's margin where the arm is known to be cheaper than the incumbent, else 0: it must be better."""
    incumbent = next((other["cost_usd"] for other in rows if other["state"] == "incumbent"), None)
    cheaper = row["cost_usd"] is not None and incumbent is not None and row["cost_usd"] < incumbent
    return skill.margin if cheaper else 0.0


def _family(arm: str, kind: str) -> str:
    """What counts as the same candidate: the arm; any prompt; any contextual policy."""
    return kind if kind == "prompt" else PREFIX if arm.startswith(PREFIX) else arm


def _beside(proposal: Proposal, state: SkillState) -> bool:
    """Whether it may share the draw of the trials that are open; of texts that are compiled anew, one at a time."""
    return all(
        distinct(proposal.arm, one.registration.candidate_arm)
        and not (proposal.compiled and one.registration.kind == "prompt")
        for one in state.on_trial
    )


def _tried(proposal: Proposal, state: SkillState, skill: Skill) -> bool:
    """Whether it was, by the rules that are stated now, on evidence that is not much less."""
    return any(
        ended.registration.incumbent_arm == state.production_arm
        and all(getattr(ended.registration, rule) == getattr(skill, rule) for rule in RULES)
        and (
            ended.registration.candidate_arm == proposal.arm
            if proposal.kind == "prompt" and not proposal.compiled
            else _family(ended.registration.candidate_arm, ended.registration.kind)
            == _family(proposal.arm, proposal.kind)
        )
        and proposal.support < RETRY_FACTOR * ended.support
        for ended in state.ended
    )
