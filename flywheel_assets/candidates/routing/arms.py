"""The arms of a skill: those seen, pooled by what a route can choose, and those listed in skills.yaml."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flywheel_assets.candidates.routing.thompson import Belief, belief
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.skills_file import Skill


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one arm; `belief` is None without evidence, `cost` where none was reported."""

    arm: Arm
    effective_n: float = 0.0
    score: float | None = None
    belief: Belief | None = None
    cost: float | None = None


def known_arms(scores: Iterable[Mapping[str, Any]], skill: Skill | None, incumbent: str | None) -> list[Known]:
    """Every arm of one skill, seen (SKILL_SCORES rows) or listed, in order of its name.

    Where the incumbent's tool schema is '-' (does not matter), arms that differ only in theirs are one.
    """
    pooled: dict[Arm, list[Mapping[str, Any]]] = {}
    production = Arm.parse(incumbent) if incumbent else None
    for row in scores:
        arm = Arm.parse(row["arm"])
        if production and production.tool_schema == "-":
            arm = arm.model_copy(update={"tool_schema": "-"})
        pooled.setdefault(arm, []).append(row)
    if production and skill:
        pooled.setdefault(production, [])
        for model in (skill.baseline_model, *skill.models):
            pooled.setdefault(production.model_copy(update={"model": model}), [])
    return [_pool(arm, pooled[arm]) for arm in sorted(pooled, key=str)]


def _pool(arm: Arm, rows: list[Mapping[str, Any]]) -> Known:
    """Means weighted by effective evidence; the interval narrows as that of independent estimates does."""
    priced = [(row["cost_usd"], row["runs"]) for row in rows if row["cost_usd"] is not None and row["runs"]]
    runs = sum(n for _, n in priced)
    cost = sum(value * n for value, n in priced) / runs if runs else None
    scored = [row for row in rows if row["score"] is not None and row["effective_n"] > 0]
    total = sum(row["effective_n"] for row in scored)
    if not total:
        return Known(arm, cost=cost)
    shares = [row["effective_n"] / total for row in scored]
    score = sum(share * row["score"] for share, row in zip(shares, scored, strict=True))
    width = sum((share * (row["upper"] - row["lower"])) ** 2 for share, row in zip(shares, scored, strict=True)) ** 0.5
    return Known(arm, total, score, belief(score, score - width / 2, score + width / 2), cost)
