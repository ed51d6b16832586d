"""Cascades as candidates: the cheap arm first, and the next one where the skill's gate fails its answer.

Learned from runs on single arms that say what the gate thought: each arm's gate precision comes from the
runs among them that have an outcome, which the gate's word never is. What the second arm does with what the
first could not answer is not seen there, and taken to be what it does with any run: a trial shows the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from flywheel_assets.candidates.routing.budget import TOLERANCE
from flywheel_assets.candidates.routing.cascade import Audited, Belief, Cascade, Gated, beliefs, cascades, worth
from flywheel_assets.candidates.routing.policies import WORTH_TRYING, Row, candidate_row, rank
from flywheel_assets.candidates.routing.policy_log import MOST, single_arms
from flywheel_assets.tables.documents import cascade as document
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES

ROWS = (Path(__file__).parent / "cascade_rows.sql").read_text(encoding="utf-8")
# Answers with the gate's word, and audited ones among them, below which an arm is not part of a cascade.
LEAST, LEAST_AUDITED = 30, 10
DRAWS = 400


@dataclass(frozen=True, slots=True)
class _Compared:
    """A cascade beside what is in production: what both are expected to do, and the chances in draws."""

    mine: Cascade
    theirs: Cascade
    better: float
    no_worse: float


def with_cascades(candidates: pa.Table, con: duckdb.DuckDBPyConnection, skills: SkillsFile, seed: int) -> pa.Table:
    """ROUTING_CANDIDATES with the best cascade of every skill that names a gate, or why there is none.

    `con` has `gated_observations` and `feedback`.
    """
    rows = candidates.to_pylist()
    for name, skill in sorted(skills.skills.items()):
        of = [row for row in rows if row["skill"] == name]
        incumbent = next((row["incumbent_arm"] for row in of if row["incumbent_arm"]), None)
        if incumbent is None or not skill.gate or not skill.models:
            continue
        known = beliefs(_answers(con, name, skill, incumbent))
        found = _best(name, skill, incumbent, known, np.random.default_rng(seed))
        # A cascade that was tried has runs, and so a row of its own; what they say goes before what was expected.
        if any(row["arm"] == found["arm"] for row in of):
            continue
        if found["state"] == "proposed":
            rank(found, [row for row in of if row["rank"] is not None])
        rows.append(found)
    return ROUTING_CANDIDATES.conform(ROUTING_CANDIDATES.rows(rows)).sort_by(
        [("skill", "ascending"), ("arm", "ascending")]
    )


def _answers(con: duckdb.DuckDBPyConnection, name: str, skill: Skill, incumbent: str) -> list[Audited]:
    """The arms with enough answers, audits and a known cost."""
    arms = single_arms(skill, incumbent)
    given = {"skill": name, "arms": list(arms), "word": f"{document.WORD}{skill.gate}", "most": MOST}
    table = con.execute(ROWS, given).to_arrow_table()
    of = np.array(table.column("arm").to_pylist(), dtype=str)
    passed, right, cost = (
        np.array(table.column(column).to_pylist(), dtype=np.float64) for column in ("passed", "outcome", "cost_usd")
    )
    passed = np.round(passed)
    found = [Audited(arm, passed[of == arm], cost[of == arm], right[of == arm]) for arm in arms]
    return [
        one
        for one in found
        if len(one.passed) >= LEAST and (~np.isnan(one.right)).sum() >= LEAST_AUDITED and not np.isnan(one.cost).all()
    ]


def _best(name: str, skill: Skill, incumbent: str, known: Sequence[Belief], rng: np.random.Generator) -> Row:
    production = Arm.parse(incumbent)
    expected = {one.mean.arm: one.mean for one in known}
    now = _order(incumbent, expected)
    within = [
        one
        for one in cascades(list(expected.values()))
        if len(one.arms) > 1 and (skill.budget_usd is None or one.cost <= skill.budget_usd * (1 + TOLERANCE))
    ]
    if not within or not now:
        why = (
            f"{len(known)} of this skill's models, and those in production, need {LEAST} runs with a propensity, their "
            f"cost and the word of gate {skill.gate}, {LEAST_AUDITED} of them with an outcome"
            if len(known) < 2 or not now
            else f"every cascade costs more than the {skill.budget_usd:.6g} USD that skills.yaml allows"
        )
        arm = str(production.model_copy(update={"model": f"{document.PREFIX}{skill.gate}/-"}))
        return candidate_row(name, incumbent, arm, "refused", why) | {"effective_n": 0.0}
    found = max(within, key=lambda one: (_worth(one, skill), one.arms))
    drawn = [{one.mean.arm: one.drawn(rng) for one in known} for _ in range(DRAWS)]
    pairs = [(_of(found.arms, arms), _of(now, arms)) for arms in drawn]
    better = float(np.mean([_worth(mine, skill) > _worth(theirs, skill) for mine, theirs in pairs]))
    no_worse = float(np.mean([mine.value > theirs.value - skill.margin for mine, theirs in pairs]))
    compared = _Compared(found, _of(now, expected), better, no_worse)
    return _row(name, skill, incumbent, compared, expected)


def _row(name: str, skill: Skill, incumbent: str, found: _Compared, expected: Mapping[str, Gated]) -> Row:
    mine, theirs = found.mine, found.theirs
    rule = document.Cascade(skill.gate, tuple(Arm.parse(arm).model for arm in mine.arms))
    arm = str(Arm.parse(incumbent).model_copy(update={"model": rule.model}))
    saves = skill.margin > 0 and mine.cost < theirs.cost and found.no_worse >= WORTH_TRYING
    state = "proposed" if arm != incumbent and (found.better >= WORTH_TRYING or saves) else "not_proposed"
    gates = ", ".join(
        f"right in {expected[one].precision:.1%} of what it passes of {Arm.parse(one).model} "
        f"[{expected[one].lower:.1%}, {expected[one].upper:.1%}], {expected[one].audited} audited"
        for one in mine.arms[:-1]
    )
    words = (
        f"expected {mine.value:.3f} at {mine.cost:.6f} USD against {theirs.value:.3f} at {theirs.cost:.6f}; better in "
        f"{found.better:.0%} of draws, within the margin in {found.no_worse:.0%}; gate {skill.gate}: {gates}"
    )
    gain = _worth(mine, skill) - _worth(theirs, skill)
    return candidate_row(name, incumbent, arm, state, words) | {
        "effective_n": float(sum(one.audited for one in expected.values())),
        "expected_value": _worth(mine, skill),
        "expected_gain": gain,
        "probability_best": found.better,
        "cost_usd": mine.cost,
    }


def _order(arm: str, known: Mapping[str, Gated]) -> tuple[str, ...]:
    """The single arms behind an arm; none where not all of them are known."""
    parsed = Arm.parse(arm)
    arms = tuple(str(parsed.model_copy(update={"model": model})) for model in document.models_of(parsed.model))
    return arms if all(one in known for one in arms) else ()


def _of(order: Sequence[str], known: Mapping[str, Gated]) -> Cascade:
    return worth([known[arm] for arm in order], {})


def _worth(one: Cascade, skill: Skill) -> float:
    return one.value - skill.cost_weight * one.cost
