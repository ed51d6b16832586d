"""Contextual policies as candidates: a rule learned from the log, judged on sessions that it never saw.

Only runs with a propensity teach, and only those with the prompt that is in production. A rule that
chooses the same arm throughout is no policy: that arm is a candidate anyway.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from scipy.special import ndtr

from flywheel_assets.candidates.routing.arms import Known
from flywheel_assets.candidates.routing.budget import price_for
from flywheel_assets.candidates.routing.contextual import Ints, Model, fit
from flywheel_assets.candidates.routing.features import Reals, lens
from flywheel_assets.candidates.routing.policy_log import PolicyLog, read
from flywheel_assets.candidates.routing.propose import candidate_id
from flywheel_assets.candidates.routing.scored import chosen_by, policy_arm, scorer
from flywheel_assets.candidates.routing.thompson import belief
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.scorer import PREFIX, Scorer
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES

# Runs with a propensity in all, and of each arm, below which nothing is learned.
LEAST, LEAST_OF_ARM = 200, 30
# A trial takes from the error budget: a rule that is not this likely to beat production is not worth one.
WORTH_TRYING = 0.6
Rules = Mapping[str, Scorer]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule on sessions left out: its value, its gain over production with standard error, its cost per run."""

    value: float
    gain: float
    error: float
    cost: float | None
    runs: int

    @property
    def better(self) -> float:
        """Chance that the rule is better than production."""
        return float(ndtr(self.gain / self.error)) if self.error > 0 else 0.5


def with_policies(candidates: pa.Table, con: duckdb.DuckDBPyConnection, skills: SkillsFile, rules: Rules) -> pa.Table:
    """ROUTING_CANDIDATES with a contextual policy for every skill that has several models, or why there is none.

    `con` has `gated_observations` and `agent_runs`; `rules` holds the rule of every policy in the ledger.
    """
    rows = candidates.to_pylist()
    for name, skill in sorted(skills.skills.items()):
        of = [row for row in rows if row["skill"] == name]
        incumbent = next((row["incumbent_arm"] for row in of if row["incumbent_arm"]), None)
        if incumbent is None or not skill.models:
            continue
        found = _of_skill(name, skill, incumbent, read(con, name, skill, incumbent), rules)
        if found["state"] == "proposed":
            rank(found, [row for row in of if row["rank"] is not None])
        rows.append(found)
    return ROUTING_CANDIDATES.conform(ROUTING_CANDIDATES.rows(rows)).sort_by(
        [("skill", "ascending"), ("arm", "ascending")]
    )


def withheld(candidates: pa.Table, secret_in: Callable[[str], str | None]) -> pa.Table:
    """The candidates without rules that name a context key or value for which `secret_in` gives a reason.

    What was known before acting passes no gate, and whoever loads the rule would read it.
    """
    rows = candidates.to_pylist()
    for row in rows:
        rule = Scorer.model_validate_json(row["policy_json"]) if row["policy_json"] else None
        words = _words(rule) if rule else set[str]()
        reason = next(filter(None, map(secret_in, sorted(words))), None)
        if reason:
            row |= {"state": "refused", "reason": f"a context value {reason}", "policy_json": None, "rank": None}
    return ROUTING_CANDIDATES.conform(ROUTING_CANDIDATES.rows(rows))


def _words(rule: Scorer) -> set[str]:
    return {word for arm in rule.arms for key, by in arm.context.items() for word in (key, *by)} | set(rule.numbers)


def in_production(
    con: duckdb.DuckDBPyConnection, skills: SkillsFile, incumbents: Mapping[str, str], rules: Rules
) -> dict[str, Known]:
    """Skill → what the log says of the policy in production there; no run has a policy as its arm."""
    found: dict[str, Known] = {}
    for name, arm in incumbents.items():
        rule = rules.get(Arm.parse(arm).model)
        if rule is not None:
            log = read(con, name, skills.skills[name], arm)
            found[name] = _known(Arm.parse(arm), log, _choices(rule, log, arm))
    return found


def _of_skill(name: str, skill: Skill, incumbent: str, log: PolicyLog, rules: Rules) -> Row:
    production = Arm.parse(incumbent)
    counts = np.bincount(log.arm[log.taught], minlength=len(log.arms))
    known = [arm for arm, count in zip(log.arms, counts, strict=True) if count >= LEAST_OF_ARM]
    runs = int(log.taught.sum())
    if runs < LEAST or len(known) < 2:
        why = (
            f"{runs} admitted runs with a propensity and this prompt, {len(known)} arms with {LEAST_OF_ARM} of them; "
            f"a policy by request needs {LEAST} runs and two arms"
        )
        arm = f"{PREFIX}-|{production.prompt_version}|-"
        return candidate_row(name, incumbent, arm, "refused", why) | {"effective_n": float(runs)}
    log = log.only(known)
    charge = skill.cost_weight * log.cost + skill.second_weight * log.seconds
    model, rule = _learned(log, charge, skill.budget_usd)
    judged = _judge(model, log, charge, _choices(rule, log, incumbent), _production(incumbent, log, rules))
    arm = policy_arm(rule, production.prompt_version)
    used = len(set(chosen_by(rule, log.asked)))
    words = (
        f"chooses among {used} arms by the request; {judged.gain:+.3f} ± {1.96 * judged.error:.3f} against production, "
        f"better in {judged.better:.0%} of draws ({judged.runs} runs left out of learning)"
    )
    state = "proposed"
    if used < 2 or arm == incumbent:
        state, words = "not_proposed", f"chooses one arm throughout, or is in production; {words}"
    elif judged.better < WORTH_TRYING:
        state = "not_proposed"
    return candidate_row(name, incumbent, arm, state, words) | {
        "effective_n": float(runs),
        "expected_value": judged.value,
        "expected_gain": judged.gain,
        "probability_best": judged.better,
        "cost_usd": judged.cost,
        "policy_json": rule.model_dump_json(),
    }


def _learned(log: PolicyLog, charge: Reals, budget: float | None) -> tuple[Model, Scorer]:
    taught = log.feedback(log.taught)
    model = fit(taught, log.arms, lens(taught.asked))
    priced = price_for(model.predict(taught.asked) - charge, log.cost, budget)
    return model, scorer(model, log.cost, charge + priced.price * log.cost)


def _judge(model: Model, log: PolicyLog, charge: Reals, chosen: Ints, production: Ints) -> Judged:
    """Doubly robust, on the sessions left out: the model's word, corrected by what runs that agree had."""
    held = ~log.taught
    rows, feedback = np.arange(int(held.sum())), log.feedback(held)
    chosen, production, arm = chosen[held], production[held], feedback.arm
    said = model.predict(feedback.asked)
    missed = (feedback.outcome - said[rows, arm]) / feedback.propensity
    said = said - charge
    mine = said[rows, chosen] + (arm == chosen) * missed
    theirs = said[rows, production] + (arm == production) * missed
    apart, count = mine - theirs, max(len(rows), 1)
    cost = float(log.cost[chosen].mean()) if count and log.priced else None
    return Judged(float(mine.mean()), float(apart.mean()), float(apart.std()) / count**0.5, cost, count)


def _choices(rule: Scorer, log: PolicyLog, policy: str) -> Ints:
    """The place of the arm that a rule chooses for each run, with the policy's prompt."""
    names = chosen_by(rule.with_prompt(Arm.parse(policy).prompt_version), log.asked)
    places = {arm: place for place, arm in enumerate(log.arms)}
    # An arm that the log does not know is taken for the first: the rule stood for it once, and no longer does.
    return np.array([places.get(name, 0) for name in names], dtype=np.int64)


def _production(incumbent: str, log: PolicyLog, rules: Rules) -> Ints:
    rule = rules.get(Arm.parse(incumbent).model)
    if rule is not None:
        return _choices(rule, log, incumbent)
    place = log.arms.index(incumbent) if incumbent in log.arms else 0
    return np.full(len(log.arm), place, dtype=np.int64)


def _known(arm: Arm, log: PolicyLog, chosen: Ints) -> Known:
    """By runs that agree with the rule, weighted by how seldom their arm was drawn (self-normalised)."""
    weight = (log.arm == chosen) / log.propensity
    total = float(weight.sum())
    if not total:
        return Known(arm)
    n = total**2 / float(weight @ weight)
    score = float(weight @ log.outcome) / total
    half = 1.96 * float(np.sqrt((weight**2) @ (log.outcome - score) ** 2)) / total
    cost = float(log.cost[chosen].mean()) if log.priced else None
    return Known(arm, n, score, belief(score, score - half, score + half), cost)


def rank(found: Row, proposed: Sequence[Row]) -> None:
    """Before the single arms where it promises more than each of them, else behind them."""
    most = max((row["expected_gain"] for row in proposed), default=0.0)
    first = found["expected_gain"] > most
    found["rank"] = 1 if first else len(proposed) + 1
    for row in proposed:
        row["rank"] += first


def candidate_row(skill: str, incumbent: str, arm: str, state: str, reason: str) -> Row:
    """ROUTING_CANDIDATES, as far as it goes for any arm that is made rather than seen."""
    parsed = Arm.parse(arm)
    return {
        "candidate_id": candidate_id(skill, arm, incumbent),
        "skill": skill,
        "arm": arm,
        "model": parsed.model,
        "prompt_version": parsed.prompt_version,
        "incumbent_arm": incumbent,
        "state": state,
        "reason": reason,
        "rank": None,
    }
