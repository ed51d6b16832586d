"""Trials of contextual policies: a policy's runs are evidence under whichever arm its rule chose."""

import json

import pytest

from flywheel_assets.artifacts.policies import known_policies
from flywheel_assets.decisions.decide import decide
from flywheel_assets.tables.documents.scorer import ArmScore, Scorer
from flywheel_assets_tests.decisions.conftest import INCUMBENT, OTHER, Row, World, proposal, run

RULE = Scorer(buckets=2, unit=0.1, arms=(ArmScore(arm=INCUMBENT, bias=0.5), ArmScore(arm=OTHER, bias=0.4)))
POLICY = "scored/0123456789ab|-|-"


def policy(arm: str = POLICY, **columns: object) -> Row:
    return proposal(arm, policy_json=RULE.model_dump_json(), **columns)


def as_agents_report(world: World) -> None:
    """An agent says which arm it had, not by which policy."""
    for number, row in enumerate(world.runs):
        if str(row["arm"]).startswith("scored/"):
            row["arm"] = (INCUMBENT, OTHER)[number % 2]


@pytest.fixture
def tried() -> World:
    world = World(routing=[policy()])
    world.turn()
    return world


def test_the_rule_is_in_the_ledger_from_its_registration_on(tried: World):
    tried.draw(50, {INCUMBENT: 0.5, POLICY: 0.5})
    as_agents_report(tried)
    tried.turn()
    assert [entry["kind"] for entry in tried.entries()] == ["registered", "held"]
    assert known_policies(tried.ledger) == {"scored/0123456789ab": RULE}
    assert "policy" not in str(tried.last()["manifest_json"])


def test_a_better_policy_is_promoted_and_one_that_goes_bad_is_rolled_back(tried: World):
    tried.draw(300, {INCUMBENT: 0.3, POLICY: 0.9})
    as_agents_report(tried)
    tried.turn()
    assert tried.last()["kind"] == "promoted"
    tried.routing = []
    tried.draw(2500, {INCUMBENT: 0.9, POLICY: 0.2})
    as_agents_report(tried)
    tried.turn()
    assert tried.last()["kind"] == "rolled_back"


def test_a_policy_no_better_is_not_promoted_and_no_other_one_is_tried_on_the_same_evidence(tried: World):
    tried.draw(1500, {INCUMBENT: 0.6, POLICY: 0.5})
    as_agents_report(tried)
    tried.routing = [policy("scored/ba9876543210|-|-")]
    tried.turn()
    tried.turn()
    assert [entry["kind"] for entry in tried.entries()] == ["registered", "abandoned"]
    tried.routing = [policy("scored/ba9876543210|-|-", effective_n=1e6)]
    tried.turn()
    assert tried.last()["kind"] == "registered"


@pytest.mark.parametrize(
    ("arm", "refused"),
    [(OTHER, {}), (INCUMBENT, {}), ("old|0123456789ab|-", {"contradicts_arm": 1}), (None, {"contradicts_arm": 1})],
    ids=["one arm", "another arm", "another prompt", "no arm"],
)
def test_a_run_with_another_prompt_than_the_policys_is_no_evidence(tried: World, arm: str | None, refused: Row):
    trial = decide(tried.inputs()).states["triage"].trials[0]
    tried.draw(20, {INCUMBENT: 0.5, POLICY: 0.5})
    as_agents_report(tried)
    told: Row = {"segment": "canary", "experiment_id": trial.experiment_id, "arm": arm}
    tried.runs.append(run(9999, tried.now, **told))
    tried.turn()
    assert json.loads(str(tried.last()["criteria_json"]))["refused_rows"] == refused
