"""Which of many variants is tried next: Thompson sampling over what exploration has shown of them.

Exploring picks; it never promotes. A pick is registered like any other candidate, and its trial counts
runs from then on alone, so that having been the luckiest of many is worth nothing there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from flywheel_assets.candidates.prompts.incumbent import IncumbentPrompt
from flywheel_assets.candidates.prompts.rows import row_of
from flywheel_assets.candidates.prompts.written import Checked
from flywheel_assets.candidates.routing.propose import WORTH_TRYING
from flywheel_assets.candidates.routing.thompson import Belief, belief, best_shares, draws, guess
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.prompt_candidates import PROMPT_CANDIDATES

SEED = 0
# Where there is a choice, each variant has so many runs before one is picked: a trial costs more than they do.
LEAST_EXPLORED = 8


@dataclass(frozen=True, slots=True)
class Standing:
    """A variant among the others: in what share of draws it beats production, and all."""

    version: str
    runs: float
    better: float
    best: float

    @property
    def worth_trying(self) -> bool:
        """Whether a trial, and its part of the error budget, would be well spent."""
        return self.better >= WORTH_TRYING

    @property
    def said(self) -> str:
        """In words."""
        return f"better than production in {self.better:.0%} of draws, best in {self.best:.0%} ({self.runs:.0f} runs)"


def with_variants(
    compiled: pa.Table,
    variants: Sequence[Checked],
    incumbents: Mapping[str, IncumbentPrompt],
    tried: frozenset[str],
    scores: pa.Table,
) -> pa.Table:
    """PROMPT_CANDIDATES: those compiled, and a row for every variant. `scores` are SKILL_SCORES rows.

    Of a skill's variants that were not tried one is proposed, once all were explored a little; the others wait, and
    are explored further. What production beats in nearly every draw, what was tried, and what is bad is refused with
    the reason.
    """
    known = set(zip(compiled["skill"].to_pylist(), compiled["prompt_version"].to_pylist(), strict=True))
    seen: list[dict[str, Any]] = scores.to_pylist()
    rows: list[dict[str, object]] = []
    for skill in sorted({variant.skill for variant in variants}):
        ours = [one for one in variants if one.skill == skill and (skill, one.version) not in known]
        incumbent = incumbents.get(skill, IncumbentPrompt("-", ""))
        open_ = [one.version for one in ours if one.fault is None and one.version not in {incumbent.version, *tried}]
        ranked = standings(skill, open_, incumbent, [row for row in seen if row["skill"] == skill]) if open_ else []
        worth = [one for one in ranked if one.worth_trying]
        explored = len(worth) == 1 or all(one.runs >= LEAST_EXPLORED for one in worth)
        first = worth[0].version if worth and explored else None
        standing = {one.version: one for one in ranked}
        for one in ours:
            row = row_of(skill, one.version, incumbent, one.text)
            found = standing.get(one.version)
            if found is None:
                why = one.fault or ("in production" if one.version == incumbent.version else "on trial or tried before")
                state = "refused"
            else:
                state = "proposed" if one.version == first else "waiting" if found.worth_trying else "refused"
                why = found.said if found.worth_trying else f"dominated: {found.said}"
                row["support"] = found.runs
            rows.append(row | {"state": state, "reason": f"{one.path}: {why}"})
    added = PROMPT_CANDIDATES.conform(PROMPT_CANDIDATES.rows(rows))
    return PROMPT_CANDIDATES.conform(pa.concat_tables([compiled, added]))


def standings(
    skill: str, versions: Sequence[str], incumbent: IncumbentPrompt, scores: Iterable[Mapping[str, Any]]
) -> list[Standing]:
    """The variants, the most promising first. `scores` are the skill's SKILL_SCORES rows."""
    production = Arm.parse(incumbent.arm)
    seen = {row["prompt_version"]: row for row in scores if _same_but_for_the_prompt(row["arm"], production)}
    known = [seen.get(version) for version in (incumbent.version, *versions)]
    unseen = guess([(row["score"], row["effective_n"]) for row in known if row and row["score"] is not None])
    values = draws([_belief(row, unseen) for row in known], skill, SEED)
    best = best_shares(values)
    found = [
        Standing(version, _runs(row), float((values[at] > values[0]).mean()), float(best[at]))
        for at, (version, row) in enumerate(zip(versions, known[1:], strict=True), start=1)
    ]
    return sorted(found, key=lambda one: (-one.best, -one.better, one.version))


def _belief(row: Mapping[str, Any] | None, unseen: Belief) -> Belief:
    if row is None or row["score"] is None or not row["effective_n"]:
        return unseen
    return belief(row["score"], row["lower"], row["upper"])


def _runs(row: Mapping[str, Any] | None) -> float:
    return row["effective_n"] if row else 0.0


def _same_but_for_the_prompt(arm: str, production: Arm) -> bool:
    parsed = Arm.parse(arm)
    return (parsed.model, parsed.tool_schema) == (production.model, production.tool_schema)
