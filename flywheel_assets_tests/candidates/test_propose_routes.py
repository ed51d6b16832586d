"""Routing proposals: which arms are tried, in which order, and why the others are not."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.candidates.routing.propose import propose_routes
from flywheel_assets.candidates.routing.thompson import belief, draws
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.skill_scores import SKILL_SCORES

Row = dict[str, object]


def score(model: str, mean: float | None = None, n: float = 0.0, cost: float | None = 0.01, **columns: object) -> Row:
    half = 1.96 * (0.25 / n) ** 0.5 if n else 0.0
    return {
        "skill": "triage",
        "arm": f"{model}|-|-",
        "model": model,
        "runs": int(n),
        "admitted": int(n),
        "missing": 0,
        "immature": 0,
        "refused": 0,
        "effective_n": n,
        "score": mean,
        "lower": None if mean is None else mean - half,
        "upper": None if mean is None else mean + half,
        "cost_usd": cost,
        "standing": "unranked",
        "reason": "",
        "first_day": date(2026, 3, 1),
        "last_day": date(2026, 3, 1),
    } | columns


def proposed(rows: list[Row], skill: Skill, incumbent: str = "old|-|-", seed: int = 1) -> dict[str, Row]:
    found = propose_routes(
        SKILL_SCORES.rows(rows), SkillsFile(skills={"triage": skill}), {"triage": incumbent}, seed
    ).to_pylist()
    return {str(row["arm"]): row for row in found}


SKILL = Skill(baseline_model="old", models=("new", "third"))
BASE = score("old", 0.6, 200)


@pytest.mark.parametrize(
    ("rows", "skill", "states"),
    [
        (
            [BASE, score("new", 0.8, 200), score("third", 0.3, 200)],
            SKILL,
            {"old|-|-": "incumbent", "new|-|-": "proposed", "third|-|-": "not_proposed"},
        ),
        ([BASE], SKILL, {"old|-|-": "incumbent", "new|-|-": "proposed", "third|-|-": "proposed"}),
        ([], SKILL, {"old|-|-": "incumbent", "new|-|-": "refused", "third|-|-": "refused"}),
        ([score("new")], SKILL, {"old|-|-": "incumbent", "new|-|-": "refused", "third|-|-": "refused"}),
        (
            [BASE, score("stranger", 0.9, 200)],
            Skill(baseline_model="old"),
            {"old|-|-": "incumbent", "stranger|-|-": "not_proposed"},
        ),
        (
            [BASE, score("new", 0.9, 200, arm="new|abc|-")],
            Skill(baseline_model="old", models=("new",)),
            {"old|-|-": "incumbent", "new|-|-": "proposed", "new|abc|-": "not_proposed"},
        ),
        # Dearer than it is better, at a dollar's worth of five hundred points.
        (
            [BASE, score("new", 0.65, 400, cost=0.5)],
            Skill(baseline_model="old", models=("new",), cost_weight=5),
            {"old|-|-": "incumbent", "new|-|-": "not_proposed"},
        ),
        # A little worse, far cheaper: worth a trial only where the operator says so.
        (
            [score("old", 0.8, 2000), score("new", 0.76, 2000, cost=0.001)],
            Skill(baseline_model="old", models=("new",), margin=0.05),
            {"old|-|-": "incumbent", "new|-|-": "proposed"},
        ),
        (
            [score("old", 0.8, 2000), score("new", 0.74, 2000, cost=0.001)],
            Skill(baseline_model="old", models=("new",)),
            {"old|-|-": "incumbent", "new|-|-": "not_proposed"},
        ),
    ],
)
def test_an_arm_is_proposed_when_it_may_well_be_worth_more(rows: list[Row], skill: Skill, states: dict[str, str]):
    found = proposed(rows, skill)
    assert {arm: row["state"] for arm, row in found.items()} == states
    assert all(row["reason"] for row in found.values())


def test_a_skill_that_nobody_declared_is_refused_with_what_to_do():
    found = propose_routes(SKILL_SCORES.rows([BASE]), SkillsFile(), {}, 1).to_pylist()
    assert [(row["state"], row["incumbent_arm"]) for row in found] == [("refused", None)]
    assert "add it with its baseline_model" in found[0]["reason"]


def test_proposals_are_ranked_by_what_they_promise():
    found = proposed([BASE, score("new", 0.7, 100), score("third", 0.9, 100)], SKILL)
    assert (found["third|-|-"]["rank"], found["new|-|-"]["rank"], found["old|-|-"]["rank"]) == (1, 2, None)
    assert float(str(found["third|-|-"]["expected_gain"])) == pytest.approx(0.3, abs=0.02)
    assert sum(float(str(row["probability_best"])) for row in found.values()) == pytest.approx(1)


def test_arms_that_differ_in_tools_alone_are_one_arm_where_tools_do_not_matter():
    rows = [BASE, score("new", 0.8, 100, arm="new|-|t1"), score("new", 0.6, 300, arm="new|-|t2", cost=0.03)]
    found = proposed(rows, Skill(baseline_model="old", models=("new",)))
    assert set(found) == {"old|-|-", "new|-|-"}
    assert found["new|-|-"]["effective_n"] == 400
    assert found["new|-|-"]["cost_usd"] == pytest.approx(0.025)
    assert float(str(found["new|-|-"]["expected_value"])) == pytest.approx(0.65, abs=0.01)


def test_an_arm_of_unknown_cost_is_priced_like_the_dearest():
    skill = Skill(baseline_model="old", models=("new",), cost_weight=1)
    found = proposed([score("old", 0.6, 200, cost=0.2), score("new", 0.6, 200, cost=None)], skill)
    assert found["new|-|-"]["expected_gain"] == pytest.approx(0, abs=1e-9)
    assert found["new|-|-"]["cost_usd"] is None


def test_the_same_scores_and_seed_give_the_same_rows_in_any_order_beside_any_other_skill():
    rows = [BASE, score("new", 0.7, 100), score("third", 0.65, 50)]
    alone = proposed(rows, SKILL)
    assert proposed(rows[::-1], SKILL) == alone
    other = Skill(baseline_model="x", models=("y",))
    beside = propose_routes(
        SKILL_SCORES.rows([score("x", 0.5, 30, skill="another"), *rows]),
        SkillsFile(skills={"another": other, "triage": SKILL}),
        {"another": "x|-|-", "triage": "old|-|-"},
        1,
    )
    assert [row for row in beside.to_pylist() if row["skill"] == "triage"] == list(alone.values())
    assert proposed(rows, SKILL, seed=2) != alone


@given(mean=st.floats(0.02, 0.98), n=st.floats(10, 5000))
def test_a_belief_has_the_mean_and_the_spread_of_its_interval(mean: float, n: float):
    sd = (mean * (1 - mean) / n) ** 0.5
    one = belief(mean, mean - 1.959964 * sd, mean + 1.959964 * sd)
    spread = (one.mean * (1 - one.mean) / (one.a + one.b + 1)) ** 0.5
    assert one.mean == pytest.approx(mean, abs=1e-9)
    assert spread == pytest.approx(sd, rel=1e-6)


@pytest.mark.parametrize(("score_", "lower", "upper"), [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.5, -1.0, 2.0)])
def test_extreme_scores_give_proper_beliefs(score_: float, lower: float, upper: float):
    drawn = draws([belief(score_, lower, upper)], "triage", 0)
    assert np.isfinite(drawn).all()
    assert pa.array(drawn[0]).null_count == 0
