"""Whole turns: what is registered, held, promoted, abandoned and rolled back, and on which rows."""

import json
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from flywheel_assets.decisions.decide import decide
from flywheel_assets.decisions.evidence import of_trial
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.routing import prompt_version
from flywheel_assets.tables.documents.skills_file import Guardrail, Skill
from flywheel_assets_tests.decisions.conftest import CANDIDATE, INCUMBENT, OTHER, Row, World, proposal, run


def kinds(world: World) -> list[object]:
    return [entry["kind"] for entry in world.entries()]


def prompt_row(text: str, parent: str = "-", support: float = 50.0) -> Row:
    return {
        "candidate_id": prompt_version(text),
        "skill": "triage",
        "prompt_version": prompt_version(text),
        "parent_version": parent,
        "text": text,
        "lessons": [],
        "demonstrations": 0,
        "source_run_ids": [],
        "support": support,
        "state": "proposed",
        "reason": "lessons",
    }


def test_a_proposal_is_registered_with_everything_said_beforehand(world: World):
    world.turn()
    entry = world.last()
    registration = Registration.model_validate_json(str(entry["registration_json"]))
    assert (entry["kind"], entry["alpha"], entry["candidate_units"]) == ("registered", 0.0125, 0)
    assert (registration.candidate_arm, registration.incumbent_arm) == (CANDIDATE, INCUMBENT)
    assert (registration.canary_share, registration.incumbent_share) == (0.4, 0.5)
    assert registration.registered_at == world.now


def test_a_better_candidate_is_promoted_and_its_arguments_add_up_to_the_verdict(world: World):
    world.turn()
    world.draw(250, {INCUMBENT: 0.3, CANDIDATE: 0.9})
    decided = world.turn()
    entry = world.last()
    assert kinds(world) == ["registered", "promoted"]
    assert decided.states["triage"].production_arm == CANDIDATE
    weights = decided.arguments.column("weight").to_numpy()
    assert np.exp(weights.sum()) == pytest.approx(entry["e_value"], rel=1e-6)
    assert len(weights) == int(str(entry["candidate_units"])) + int(str(entry["incumbent_units"]))
    winning = [row for row in decided.arguments.to_pylist() if row["side"] == "candidate" and row["outcome"] == 1]
    assert sum(row["weight"] > 0 for row in winning) > 0.9 * len(winning)


def test_identical_arms_are_never_promoted_and_end_before_the_units_do():
    world = World(skill=Skill(baseline_model="old", models=("new",), max_units=1500))
    world.turn()
    for _ in range(20):
        world.draw(100, {INCUMBENT: 0.6, CANDIDATE: 0.6})
        world.turn()
    assert "promoted" not in kinds(world)
    assert kinds(world).count("abandoned") == 1
    ended = next(entry for entry in world.entries() if entry["kind"] == "abandoned")
    assert "out of reach" in str(ended["reason"])
    assert ended["candidate_units"] + ended["incumbent_units"] < 1500


def test_a_worse_candidate_is_abandoned_and_not_tried_again_on_the_same_evidence(world: World):
    world.turn()
    world.draw(300, {INCUMBENT: 0.9, CANDIDATE: 0.3})
    world.turn()
    world.turn()
    assert kinds(world) == ["registered", "abandoned"]
    tried = int(str(world.last()["candidate_units"]))
    world.routing = [proposal(effective_n=2 * (50 + tried) - 1)]
    world.turn()
    assert kinds(world) == ["registered", "abandoned"]
    world.routing = [proposal(effective_n=2 * (50 + tried))]
    world.turn()
    assert kinds(world) == ["registered", "abandoned", "registered"]


def test_under_other_rules_a_candidate_is_tried_anew(world: World):
    world.turn()
    world.draw(300, {INCUMBENT: 0.9, CANDIDATE: 0.3})
    world.turn()
    world.skill = world.skill.model_copy(update={"may_dominate": ("source",)})
    world.turn()
    assert kinds(world) == ["registered", "abandoned", "registered"]
    assert json.loads(str(world.last()["registration_json"]))["may_dominate"] == ["source"]


def test_one_success_in_352_is_not_evidence_that_something_ships(world: World):
    world.turn()
    world.draw(371, {INCUMBENT: 0.0, CANDIDATE: 0.0})
    winner = next(row for row in world.runs if row["segment"] == "canary")
    winner["outcome"] = 1.0
    world.turn()
    assert world.last()["kind"] == "held"
    assert "insufficient evidence" in str(world.last()["reason"])


def test_a_look_without_new_evidence_is_no_entry(world: World):
    world.turn()
    world.turn()
    world.draw(50, {INCUMBENT: 0.5, CANDIDATE: 0.5})
    world.turn()
    decided = world.turn()
    assert kinds(world) == ["registered", "held"]
    assert decided.key is None
    assert decided.arguments.num_rows == 0


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"skill": "other"}, "other_skill"),
        ({"segment": "explore"}, "outside_the_trial_draw"),
        ({"segment": None}, "outside_the_trial_draw"),
        ({"arm": OTHER}, "contradicts_arm"),
        ({"segment": "production"}, "contradicts_arm"),
        ({"arm": None}, "contradicts_arm"),
        ({"propensity": None}, "no_propensity"),
        ({"propensity": 0.01}, "contradicts_propensity"),
        ({"propensity": 1.5}, "contradicts_propensity"),
        ({"unit_id": None}, "no_unit"),
        ({"unit_id": "unit-000000"}, "unit_seen_before"),
        ({"backdated": True}, "before_registration"),
        ({"outcome": None}, "no_outcome"),
    ],
)
def test_rows_that_contradict_the_registration_are_refused_and_counted(world: World, columns: Row, reason: str):
    world.turn()
    world.draw(100, {INCUMBENT: 0.5, CANDIDATE: 0.5})
    (trial,) = decide(world.inputs()).states["triage"].trials
    drawn = {"segment": "canary", "arm": CANDIDATE, "experiment_id": trial.experiment_id} | columns
    at = trial.registered_at - timedelta(days=3) if drawn.pop("backdated", False) else world.now + timedelta(seconds=1)
    world.turn()
    before = world.last()
    world.runs.append(run(9999, at, **drawn))
    # Refused rows are no evidence, so the hash stays; one good row makes the look an entry.
    world.draw(1, {INCUMBENT: 1.0, CANDIDATE: 1.0})
    world.runs[-1] |= {"segment": "canary", "arm": CANDIDATE, "experiment_id": trial.experiment_id, "propensity": 0.4}
    world.turn()
    after = world.last()
    assert json.loads(str(after["criteria_json"]))["refused_rows"] == {reason: 1}
    assert int(str(after["candidate_units"])) == int(str(before["candidate_units"])) + 1


def test_span_grain_rows_and_other_experiments_are_not_looked_at(world: World):
    world.turn()
    world.draw(50, {INCUMBENT: 0.5, CANDIDATE: 0.5})
    world.turn()
    before = world.last()
    row = next(row for row in world.runs if row["segment"] == "canary")
    world.runs.append(row | {"run_id": "s", "unit_id": "s", "grain": "span"})
    world.runs.append(row | {"run_id": "e", "unit_id": "e", "experiment_id": "exp-other"})
    world.turn()
    assert world.last() == before


def test_a_unit_counts_once_by_its_first_run(world: World):
    world.turn()
    world.draw(50, {INCUMBENT: 0.5, CANDIDATE: 0.5})
    for row in list(world.runs):
        world.runs.append(row | {"run_id": f"again-{row['run_id']}", "outcome": 1.0})
    world.turn()
    entry = world.last()
    trial = [row for row in world.runs if row["segment"] in ("canary", "production")]
    assert int(str(entry["candidate_units"])) + int(str(entry["incumbent_units"])) == len(trial) / 2


def test_an_outcome_that_comes_late_is_added_after_what_was_seen_before(world: World):
    world.turn()
    world.draw(60, {INCUMBENT: 0.5, CANDIDATE: 0.5})
    late = {row["unit_id"] for row in [row for row in world.runs if row["segment"] != "holdout"][5:25:10]}
    for row in world.runs:
        row["known_at"] = world.now + timedelta(hours=2) if row["unit_id"] in late else row["start_time"]
    registered = Registration.model_validate_json(str(world.entries()[0]["registration_json"]))
    whole = of_trial(world.inputs().con, registered).rows.column("unit_id").to_pylist()
    world.runs = [row for row in world.runs if row["unit_id"] not in late]
    before = of_trial(world.inputs().con, registered).rows.column("unit_id").to_pylist()
    assert (whole[: len(before)], set(whole[len(before) :])) == (before, late)


def test_routing_and_prompt_proposals_take_turns(world: World):
    world.prompts = [prompt_row("Be kind.")]
    world.routing = [proposal(), proposal(OTHER, rank=2)]
    for _ in range(3):
        world.turn()
        world.draw(300, {INCUMBENT: 0.9, CANDIDATE: 0.2, OTHER: 0.2, f"old|{prompt_version('Be kind.')}|-": 0.2})
        world.turn()
    tried = [entry["candidate_arm"] for entry in world.entries() if entry["kind"] == "registered"]
    assert tried == [CANDIDATE, f"old|{prompt_version('Be kind.')}|-", OTHER]


@pytest.mark.parametrize(("compiled", "counts"), [(1, (1, 1, 2)), (0, (1, 2, 3))], ids=["compiled", "variants"])
def test_another_compiled_text_needs_twice_the_evidence_and_a_variant_does_not(
    world: World, compiled: int, counts: tuple[int, ...]
):
    world.routing = []
    for support, registered in zip((50.0, 300.0, 500.0), counts, strict=True):
        world.prompts = [prompt_row(f"Text of {support}", support=support) | {"demonstrations": compiled}]
        world.turn()
        world.draw(300, {INCUMBENT: 0.9, f"old|{prompt_version(f'Text of {support}')}|-": 0.2})
        world.turn()
        assert kinds(world).count("registered") == registered


@pytest.mark.parametrize(
    "row",
    [
        proposal(state="not_proposed"),
        proposal(incumbent="stale|-|-"),
        proposal(arm=INCUMBENT),
    ],
)
def test_what_is_not_proposed_against_production_is_not_tried(world: World, row: Row):
    world.routing = [row]
    world.turn()
    assert kinds(world) == []


@pytest.mark.parametrize(("cost", "margin"), [(0.001, 0.05), (0.1, 0.0), (None, 0.0)])
def test_only_a_cheaper_arm_may_be_a_little_worse(cost: float | None, margin: float):
    world = World(skill=Skill(baseline_model="old", margin=0.05))
    world.routing = [proposal(cost_usd=cost), proposal(INCUMBENT, state="incumbent", rank=None, cost_usd=0.01)]
    world.turn()
    assert json.loads(str(world.last()["registration_json"]))["margin"] == margin


def test_a_prompt_that_cannot_be_restored_is_not_replaced():
    text = "Published once."
    world = World(routing=[proposal(CANDIDATE, f"old|{prompt_version('Launch.')}|-")])
    world.skill = Skill(baseline_model="old", baseline_prompt="Launch.")
    world.turn()
    assert kinds(world) == ["registered"]
    # The operator edits the launch prompt: what is in production is known only if it was published.
    world.skill = Skill(baseline_model="old", baseline_prompt=text)
    world.draw(250, {f"old|{prompt_version('Launch.')}|-": 0.3, CANDIDATE: 0.9})
    world.turn()
    assert "publish it first" in str(world.last()["reason"])
    world.texts = {prompt_version("Launch."): "Launch."}
    world.draw(1, {f"old|{prompt_version('Launch.')}|-": 0.3, CANDIDATE: 0.9})
    world.turn()
    assert world.last()["kind"] == "promoted"


def test_a_promoted_arm_that_goes_bad_is_rolled_back_and_its_predecessor_restored(promoted: Callable[..., World]):
    world = promoted()
    world.draw(400, {INCUMBENT: 0.5, CANDIDATE: 0.8})
    world.turn()
    assert world.last()["kind"] == "promoted"
    world.draw(1500, {INCUMBENT: 0.5, CANDIDATE: 0.05})
    decided = world.turn()
    assert world.last()["kind"] == "rolled_back"
    assert decided.states["triage"].production_arm == INCUMBENT
    assert decided.arguments.num_rows > 0


def test_a_guardrail_that_breaks_after_promotion_rolls_back(promoted: Callable[..., World]):
    limit = Guardrail(metric="error_rate", max_increase=0.05)
    world = promoted(Skill(baseline_model="old", guardrails=(limit,)))
    world.draw(900, {INCUMBENT: 0.5, CANDIDATE: 0.9})
    for row in world.runs[-900:]:
        row["status"] = "error" if row["arm"] == CANDIDATE and world.rng.random() < 0.6 else "ok"
    world.turn()
    assert world.last()["kind"] == "rolled_back"
    assert str(world.last()["reason"]).startswith("error_rate")


def test_a_sound_promotion_stays(promoted: Callable[..., World]):
    world = promoted(Skill(baseline_model="old", guardrails=(Guardrail(metric="cost_usd", max_increase=0.01),)))
    for _ in range(10):
        world.draw(300, {INCUMBENT: 0.5, CANDIDATE: 0.5})
        world.turn()
    assert kinds(world) == ["registered", "promoted"]


def test_a_trial_whose_incumbent_is_rolled_back_ends_with_it(promoted: Callable[..., World]):
    world = promoted()
    world.routing = [proposal(OTHER, CANDIDATE)]
    world.turn()
    world.routing = []
    world.draw(1500, {INCUMBENT: 0.9, CANDIDATE: 0.1, OTHER: 0.1})
    decided = world.turn()
    assert kinds(world) == ["registered", "promoted", "registered", "abandoned", "rolled_back"]
    assert "the incumbent was rolled back" in str(world.entries()[3]["reason"])
    assert decided.states["triage"].production_arm == INCUMBENT


def test_the_budget_shrinks_with_every_trial_and_grows_with_every_promotion(promoted: Callable[..., World]):
    world = promoted()
    left = [entry["alpha_left"] for entry in world.entries()]
    assert left == [pytest.approx(0.05 * 3 / 4), pytest.approx(2 * 0.05 * 3 / 4)]
    world.routing = [proposal(OTHER, CANDIDATE)]
    world.turn()
    assert world.last()["alpha"] == pytest.approx(2 * 0.05 * 3 / (4 * 5))
