"""Which other arms of each skill are worth a trial: Thompson sampling on outcome minus priced cost."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from flywheel_assets.candidates.routing.arms import Known, known_arms
from flywheel_assets.candidates.routing.budget import TOLERANCE
from flywheel_assets.candidates.routing.thompson import DRAWS, best_shares, draws, guess
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.cascade import models_of
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES

# Every trial takes from the error budget: an arm that rarely beats production in draws is not worth one,
# nor is a cheaper arm that is rarely within the margin.
WORTH_TRYING = 0.15
WITHIN_MARGIN = 0.15
# A saving below this share of the incumbent's cost is noise in the prices.
SAVING = 0.02


@dataclass(frozen=True, slots=True)
class Standing:
    """One arm's place among its skill's arms. `appeal` orders the proposals; 0: not proposed."""

    known: Known
    value: float
    best: float
    gain: float
    appeal: float
    reason: str


def propose_routes(
    scores: pa.Table,
    skills: SkillsFile,
    incumbents: Mapping[str, str],
    seed: int,
    policies: Mapping[str, Known] | None = None,
) -> pa.Table:
    """ROUTING_CANDIDATES: one row per arm seen (SKILL_SCORES) or listed, and what becomes of it.

    `incumbents`: arm in production by skill; where that is a contextual policy, `policies` has what is
    known of it. Skills that skills.yaml does not name are refused.
    """
    seen: dict[str, list[dict[str, Any]]] = {name: [] for name in skills.skills}
    for row in scores.to_pylist():
        seen.setdefault(row["skill"], []).append(row)
    rows: list[dict[str, object]] = []
    for name in sorted(seen):
        incumbent, skill = incumbents.get(name), skills.skills.get(name)
        arms = known_arms(seen[name], skill, incumbent)
        arms = [(policies or {}).get(name, arm) if str(arm.arm) == incumbent else arm for arm in arms]
        if skill is None or incumbent is None:
            why = "this skill is not in skills.yaml: add it with its baseline_model, and its arms can be tried"
            rows += [_row(name, None, arm, "refused", why) for arm in arms]
        elif not any(arm.effective_n for arm in arms):
            why = "no admitted outcome for any arm of this skill yet: send runs with outcomes, or feedback"
            rows += [_row(name, incumbent, arm, _without_evidence(arm, incumbent), why) for arm in arms]
        else:
            rows += _of_skill(name, skill, incumbent, arms, seed)
    return ROUTING_CANDIDATES.conform(ROUTING_CANDIDATES.rows(rows)).sort_by(
        [("skill", "ascending"), ("arm", "ascending")]
    )


def _of_skill(name: str, skill: Skill, incumbent: str, arms: list[Known], seed: int) -> list[dict[str, object]]:
    eligible = [arm for arm in arms if _why_not(arm, skill, incumbent) is None]
    standings = _standings(name, skill, incumbent, eligible, seed)
    proposed = sorted((one for one in standings if one.appeal > 0), key=lambda one: (-one.appeal, str(one.known.arm)))
    ranks = {str(one.known.arm): position for position, one in enumerate(proposed, start=1)}
    rows = [
        _row(name, incumbent, arm, "not_proposed", why)
        for arm in arms
        if (why := _why_not(arm, skill, incumbent)) is not None
    ]
    for one in standings:
        arm = str(one.known.arm)
        state = "incumbent" if arm == incumbent else "proposed" if arm in ranks else "not_proposed"
        rows.append(
            _row(name, incumbent, one.known, state, one.reason)
            | {
                "expected_value": one.value,
                "probability_best": one.best,
                "expected_gain": one.gain,
                "rank": ranks.get(arm),
            }
        )
    return rows


def _standings(name: str, skill: Skill, incumbent: str, arms: list[Known], seed: int) -> list[Standing]:
    """Arms in order, the incumbent among them."""
    unseen = guess([(arm.score, arm.effective_n) for arm in arms if arm.score is not None])
    beliefs = [arm.belief or unseen for arm in arms]
    prices = _prices(arms, skill)
    outcomes = draws(beliefs, name, seed)
    values = outcomes - prices[:, None]
    best = best_shares(values)
    at = next(index for index, arm in enumerate(arms) if str(arm.arm) == incumbent)
    means = np.array([one.mean for one in beliefs]) - prices
    found: list[Standing] = []
    for index, arm in enumerate(arms):
        within = float((outcomes[index] > outcomes[at] - skill.margin).mean())
        saving = _saving(arm, arms[at]) if skill.margin > 0 else 0.0
        better = float((values[index] > values[at]).mean())
        appeal, reason = _appeal(float(best[index]), better, within, saving, arm)
        if index == at:
            appeal, reason = 0.0, "in production"
        found.append(
            Standing(arm, float(means[index]), float(best[index]), float(means[index] - means[at]), appeal, reason)
        )
    return found


def _appeal(best: float, better: float, within: float, saving: float, arm: Known) -> tuple[float, str]:
    """How much a trial promises, and in words why: being best, or saving without being worse."""
    evidence = f"{arm.effective_n:.0f} effective runs" if arm.effective_n else "no evidence yet, listed in skills.yaml"
    thrift = within * saving if within >= WITHIN_MARGIN else 0.0
    if better < WORTH_TRYING and not thrift:
        return 0.0, f"dominated: better than production in {better:.0%} of draws ({evidence})"
    if thrift > best or better < WORTH_TRYING:
        return thrift, f"{saving:.0%} cheaper, within the margin in {within:.0%} of draws ({evidence})"
    return max(best, 1 / DRAWS), f"better than production in {better:.0%} of draws, best in {best:.0%} ({evidence})"


def _prices(arms: list[Known], skill: Skill) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Cost in units of outcome. An arm of unknown cost is priced like the dearest known one."""
    known = [arm.cost for arm in arms if arm.cost is not None]
    dearest = max(known, default=0.0)
    return skill.cost_weight * np.array([dearest if arm.cost is None else arm.cost for arm in arms])


def _saving(arm: Known, incumbent: Known) -> float:
    """Share of the incumbent's cost that the arm saves; 0 where unknown or too small to count."""
    if arm.cost is None or incumbent.cost is None or incumbent.cost <= 0:
        return 0.0
    saving = 1 - arm.cost / incumbent.cost
    return saving if saving >= SAVING else 0.0


def _why_not(arm: Known, skill: Skill, incumbent: str) -> str | None:
    """Why a route cannot send runs to this arm; None where it can."""
    if str(arm.arm) == incumbent:
        return None
    name = arm.arm.model
    unlisted = [model for model in models_of(name) if model not in (skill.baseline_model, *skill.models)]
    if unlisted:
        return f"model {unlisted[0]} is not among this skill's models in skills.yaml: add it to have it tried"
    if skill.budget_usd is not None and arm.cost is not None and arm.cost > skill.budget_usd * (1 + TOLERANCE):
        return f"costs {arm.cost:.6g} USD a run, more than the {skill.budget_usd:.6g} that skills.yaml allows"
    if arm.arm != Arm.parse(incumbent).model_copy(update={"model": name}):
        return "seen with another prompt or other tools than production; prompts are tried on their own"
    return None


def _without_evidence(arm: Known, incumbent: str) -> str:
    return "incumbent" if str(arm.arm) == incumbent else "refused"


def candidate_id(skill: str, arm: str, incumbent: str | None) -> str:
    """Hash of skill, arm and incumbent."""
    return hashlib.sha256("\n".join((skill, arm, incumbent or "")).encode()).hexdigest()[:16]


def _row(skill: str, incumbent: str | None, arm: Known, state: str, reason: str) -> dict[str, object]:
    return {
        "candidate_id": candidate_id(skill, str(arm.arm), incumbent),
        "skill": skill,
        "arm": str(arm.arm),
        "model": arm.arm.model,
        "prompt_version": arm.arm.prompt_version,
        "incumbent_arm": incumbent,
        "effective_n": arm.effective_n,
        "expected_value": arm.score,
        "cost_usd": arm.cost,
        "state": state,
        "reason": reason,
    }
