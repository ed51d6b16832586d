"""Contextual policies as candidates: proposed where words or context tell, refused or left alone where they do not."""

from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pytest

from flywheel_assets.artifacts.policies import scorers_of
from flywheel_assets.candidates.routing.policies import LEAST, in_production, with_policies, withheld
from flywheel_assets.candidates.routing.propose import propose_routes
from flywheel_assets.decisions.off_policy.routes import with_counterfactuals
from flywheel_assets.observations.redact import MARK
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.routing import Segment
from flywheel_assets.tables.documents.scorer import ArmScore, Numbers, Scorer, buckets, left_out
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.routing_candidates import ROUTING_CANDIDATES
from flywheel_assets.tables.skill_scores import SKILL_SCORES

START = datetime(2026, 3, 1, tzinfo=UTC)
ARMS = ("north/a|-|-", "south/b|-|-")


def log(
    n: int,
    *,
    told: bool,
    propensity: float | None = 0.5,
    cost: tuple[float, float] = (0.01, 0.01),
    hardest: str = "prove",
):
    """Runs of a fair coin; where it is told, only the second arm can prove and only the first can say."""
    rng = np.random.default_rng(7)
    rows = []
    for at in range(n):
        arm, hard = int(rng.integers(2)), bool(rng.random() < 0.5)
        rate = (0.9 if (arm == 1) == hard else 0.2) if told else 0.55
        rows.append(
            {
                "run_id": f"run-{at}",
                "example_id": f"run-{at}",
                "trace_id": f"run-{at}",
                "day": START.date(),
                "start_time": START + timedelta(seconds=at),
                "skill": "triage",
                "arm": ARMS[arm],
                "grain": "run",
                "outcome": float(rng.random() < rate),
                "propensity": propensity,
                "cost_usd": cost[arm],
                "duration_ns": 10**9,
                "input_text": f"{hardest if hard else 'say'} thing {at % 30}",
                "context_json": None,
                "candidate_set": None,
            }
        )
    con = duckdb.connect()
    for table in (GATED_OBSERVATIONS, AGENT_RUNS):
        con.register(table.name, table.rows([{name: row.get(name) for name in table.names} for row in rows]))
    return con


def proposed(con, skill: Skill | None = None, incumbent: str = ARMS[0], rules: dict[str, Scorer] | None = None):
    skills = SkillsFile(skills={"triage": skill or Skill(baseline_model="north/a", models=("south/b",))})
    known = in_production(con, skills, {"triage": incumbent}, rules or {})
    routes = propose_routes(SKILL_SCORES.empty(), skills, {"triage": incumbent}, 0, known)
    assert known or not rules
    rows = with_counterfactuals(with_policies(routes, con, skills, rules or {}), con).to_pylist()
    return next(row for row in rows if row["arm"].startswith("scored/") and row["state"] != "incumbent")


@pytest.mark.parametrize(
    ("con", "state", "says"),
    [
        (log(900, told=True), "proposed", "chooses among 2 arms by the request"),
        (log(900, told=False), "not_proposed", ""),
        (log(2 * LEAST, told=True), "proposed", "left out of learning"),
        (log(150, told=True), "refused", "needs 200 runs and two arms"),
        (log(900, told=True, propensity=None), "refused", "0 admitted runs with a propensity"),
    ],
    ids=["told", "not told", "barely enough", "too few", "no propensity"],
)
def test_a_policy_is_proposed_where_the_request_tells_and_the_log_can_show_it(con, state, says):
    row = proposed(con)
    assert row["state"] == state, row["reason"]
    assert says in row["reason"]
    assert (row["policy_json"] is not None) == (state != "refused")


def test_what_gates_took_out_is_no_word_to_go_by():
    """An agent is asked the raw text, where the mark does not stand."""
    rule = Scorer.model_validate_json(proposed(log(900, told=True, hardest=MARK))["policy_json"])
    (bucket,) = buckets(MARK, rule.buckets)
    (told,) = buckets("say", rule.buckets)
    assert all(arm.weights[bucket] == 0 != arm.weights[told] for arm in rule.arms)


def test_its_estimate_rests_on_sessions_it_did_not_learn_from():
    row = proposed(log(900, told=True))
    assert row["off_policy_lower"] <= 0.9 <= row["off_policy_upper"]
    assert row["off_policy_ess"] < 0.3 * 900
    assert row["off_policy_ess"] == pytest.approx(0.5 * sum(left_out(f"run-{at}") for at in range(900)), abs=30)
    assert "not identifiable" in proposed(log(900, told=True, propensity=None))["off_policy"]


def test_it_keeps_to_the_budget_and_knows_what_it_costs():
    con = log(1200, told=True, cost=(0.01, 0.05))
    skill = Skill(baseline_model="north/a", models=("south/b",), budget_usd=0.02)
    row = proposed(con, skill)
    assert row["cost_usd"] <= 0.02 * 1.1
    assert row["state"] == "proposed"
    assert proposed(con)["cost_usd"] > row["cost_usd"]


def test_what_is_in_production_is_not_proposed_again_and_is_known_by_the_runs_that_agree_with_it():
    con = log(900, told=True)
    first = proposed(con)
    rules = {Arm.parse(first["arm"]).model: Scorer.model_validate_json(first["policy_json"])}
    again = proposed(con, incumbent=first["arm"], rules=rules)
    assert again["state"] == "not_proposed"
    skills = SkillsFile(skills={"triage": Skill(baseline_model="north/a", models=("south/b",))})
    known = in_production(con, skills, {"triage": first["arm"]}, rules)["triage"]
    assert known.score == pytest.approx(0.9, abs=0.06)


def test_a_promoted_prompt_goes_to_all_arms_of_the_rule():
    rule = Scorer.model_validate_json(proposed(log(900, told=True))["policy_json"])
    segments = (Segment(name="production", arm="scored/abc|0123456789ab|-", share=1.0),)
    found = scorers_of(segments, {"scored/abc": rule})["scored/abc|0123456789ab|-"]
    assert {one.arm for one in found.arms} == {"north/a|0123456789ab|-", "south/b|0123456789ab|-"}
    assert scorers_of(segments, {}) == {}


@pytest.mark.parametrize(
    ("key", "number", "state"),
    [("sk-live", "n", "refused"), ("fine", "sk-live", "refused"), ("fine", "n", "proposed")],
)
def test_a_rule_that_names_a_secret_is_not_published(key: str, number: str, state: str):
    context = {"tenant": {key: 0.1, "acme": -0.1}}
    arms = tuple(ArmScore(arm=arm, bias=0.1, context=context) for arm in ARMS)
    numbers = {number: Numbers(centre=(0.0,), reach=(1.0,))}
    rule = Scorer(buckets=1, unit=1.0, arms=arms, numbers=numbers).model_dump_json()
    given = {
        "candidate_id": "c",
        "skill": "triage",
        "arm": "scored/x|-|-",
        "model": "scored/x",
        "incumbent_arm": ARMS[0],
    }
    rows = ROUTING_CANDIDATES.rows(
        [given | {"effective_n": 9.0, "state": "proposed", "reason": "better", "rank": 1, "policy_json": rule}]
    )
    (found,) = withheld(rows, lambda text: "holds a secret" if "sk-live" in text else None).to_pylist()
    assert found["state"] == state
    assert (found["policy_json"] is None) == (state == "refused")
