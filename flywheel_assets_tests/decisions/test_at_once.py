"""Several candidates at once: one draw, a test and a part of the budget for each, and one promotion at a time."""

import hashlib
import json

import numpy as np
import pyarrow as pa
import pytest

from flywheel_assets.artifacts.routing import skill_route
from flywheel_assets.decisions.canonical import canonical
from flywheel_assets.decisions.eprocess import randomised
from flywheel_assets.decisions.evidence import HASHED, Evidence, of_trial, of_trials
from flywheel_assets.decisions.ledger import replay, verify
from flywheel_assets.decisions.rollout import IllegalTransitionError, advance
from flywheel_assets.tables.documents.registration import Registration
from flywheel_assets.tables.documents.skills_file import Skill
from flywheel_assets_tests.decisions.conftest import CANDIDATE, INCUMBENT, OTHER, World, proposal
from flywheel_assets_tests.decisions.test_decide import kinds, prompt_row
from flywheel_assets_tests.decisions.test_rollout import entry

THIRD = "third|-|-"


def at_once(trials: int = 3, **columns: object) -> World:
    """Two arms are proposed, and there is room for `trials` trials."""
    skill = Skill(baseline_model="old", models=("new", "other", "third"), trials_at_once=trials, **columns)
    return World(skill=skill, routing=[proposal(), proposal(OTHER, rank=2)])


def test_as_many_are_registered_as_there_is_room_for_each_with_its_own_part_of_the_budget():
    world = at_once(2)
    world.routing.append(proposal(THIRD, rank=3))
    world.turn()
    found = [(row["kind"], row["candidate_arm"], row["alpha"]) for row in world.entries()]
    assert found == [("registered", CANDIDATE, 0.0125), ("registered", OTHER, pytest.approx(0.05 * 3 / 20))]
    route = skill_route(world.turn().states["triage"], world.skill)
    assert [(one.name, one.arm, one.share) for one in route.trial] == [
        ("canary", CANDIDATE, 0.2),
        ("canary", OTHER, 0.2),
        ("production", INCUMBENT, 0.5),
        ("explore", THIRD, pytest.approx(0.1)),
    ]
    assert route.experiment_id == "+".join(str(row["experiment_id"]) for row in world.entries())
    assert route.trial_salt == route.experiment_id


def test_the_loser_ends_alone_and_the_other_goes_on_with_the_whole_share():
    world = at_once()
    world.turn()
    world.draw(500, {INCUMBENT: 0.6, CANDIDATE: 0.6, OTHER: 0.1})
    state = world.turn().states["triage"]
    assert kinds(world) == ["registered", "registered", "held", "abandoned"]
    assert [one.candidate_arm for one in state.trials] == [CANDIDATE]
    route = skill_route(state, world.skill)
    assert route.trial[0].share == pytest.approx(0.4)
    world.draw(300, {INCUMBENT: 0.6, CANDIDATE: 0.6})
    world.turn()
    entry = world.last()
    both = sum(row["segment"] in ("canary", "production") and row["arm"] != OTHER for row in world.runs)
    assert int(str(entry["candidate_units"])) + int(str(entry["incumbent_units"])) == both
    assert json.loads(str(entry["criteria_json"]))["refused_rows"] == {
        "of_another_candidate": sum(row["arm"] == OTHER for row in world.runs)
    }
    assert "set aside" not in str(entry["reason"])


def test_the_best_of_those_that_pass_is_promoted_and_the_rest_is_tried_against_it():
    world = at_once()
    world.turn()
    world.draw(1200, {INCUMBENT: 0.2, CANDIDATE: 0.6, OTHER: 0.95})
    world.routing = [proposal(CANDIDATE, OTHER)]
    state = world.turn().states["triage"]
    assert kinds(world) == ["registered", "registered", "abandoned", "promoted", "registered"]
    assert state.production_arm == OTHER
    assert f"{OTHER} was promoted in the incumbent's place" in str(world.entries()[2]["reason"])
    con = world.inputs().con
    assert [replay(row, con) for row in world.entries()] == [[]] * 5
    assert verify(world.ledger) == []


def test_the_evidence_of_several_trials_read_in_one_pass_is_that_of_each_read_alone():
    world = at_once(2)
    world.turn()
    world.draw(200, {INCUMBENT: 0.5, CANDIDATE: 0.5, OTHER: 0.5})
    world.runs[3] |= {"propensity": None}
    world.runs[8] |= {"outcome": None, "outcome_state": "missing"}
    con = world.inputs().con
    registered = [Registration.model_validate_json(str(one["registration_json"])) for one in world.entries()]
    together = of_trials(con, registered)
    assert len(together) == 2
    for one in registered:
        alone, found = of_trial(con, one), together[one.experiment_id]
        assert sum(found.units) > 50
        assert (found.rows, found.refused, found.untold) == (alone.rows, alone.refused, alone.untold)
        lines = zip(*(found.rows.column(name).to_pylist() for name in HASHED), strict=True)
        lines = [canonical((*line, at)) for line, at in zip(lines, found.at_once.tolist(), strict=True)]
        assert found.hash == hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def test_a_prompt_and_a_route_are_tried_side_by_side_but_two_compiled_texts_are_not():
    world = at_once(4)
    texts = [prompt_row(text) | {"demonstrations": 1} for text in ("Be kind.", "Be brief.")]
    world.prompts, world.routing = texts, [proposal()]
    world.turn()
    registered = {str(row["candidate_arm"]).split("|")[1] == "-" for row in world.entries()}
    assert (len(world.entries()), registered) == (2, {True, False})


def test_a_contextual_policy_is_tried_alone():
    world = at_once()
    policy = "scored/0123456789ab|-|-"
    world.routing = [proposal(), proposal(policy, rank=2), proposal(OTHER, rank=3)]
    world.turn()
    assert [row["candidate_arm"] for row in world.entries()] == [CANDIDATE, OTHER]


def test_trials_that_join_have_the_shares_of_those_that_are_open():
    world = at_once()
    world.routing = [proposal()]
    world.turn()
    world.skill = world.skill.model_copy(update={"canary": 0.1})
    world.routing = [proposal(), proposal(OTHER, rank=2)]
    world.turn()
    shares = [json.loads(str(row["registration_json"]))["canary_share"] for row in world.entries()]
    assert shares == [0.4, 0.4]


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (entry("registered", position=3), "still open"),
        (entry("registered", "scored/0123456789ab|-|-", position=3), "still open"),
        (entry("registered", "third|-|-", "other|-|-", position=3), "not in production"),
        (entry("promoted"), "leaves production"),
        (entry("promoted", "other|-|-", position=2), "leaves production"),
    ],
)
def test_what_cannot_follow_two_open_trials_is_refused(last: dict[str, object], words: str):
    state = at_once().turn().states["triage"].__class__("triage", INCUMBENT)
    for one in (entry("registered"), entry("registered", "other|-|-", position=2)):
        state = advance(state, one)
    with pytest.raises(IllegalTransitionError, match=words):
        advance(state, last)


def test_a_rollback_ends_every_open_trial_first():
    world = World()
    world.turn()
    world.draw(250, {INCUMBENT: 0.3, CANDIDATE: 0.9})
    world.skill = at_once().skill
    world.routing = [proposal(OTHER, CANDIDATE), proposal(THIRD, CANDIDATE, rank=2)]
    world.turn()
    world.rollbacks = {str(world.entries()[0]["experiment_id"]): "ann"}
    world.routing = []
    state = world.turn().states["triage"]
    assert kinds(world) == [
        "registered",
        "promoted",
        "registered",
        "registered",
        "abandoned",
        "abandoned",
        "rolled_back",
    ]
    assert (state.production_arm, state.on_trial) == (INCUMBENT, ())


def shared(rng: np.random.Generator, units: int, gain: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units of one trial of a draw that four, then one, then three candidates share, while outcomes fall."""
    several = np.repeat([4, 1, 3], -(-units // 3))[:units]
    share = 0.4 / (0.4 + 0.5 * several)
    candidate = rng.random(units) < share
    outcome = (rng.random(units) < np.linspace(0.8, 0.2, units) + gain * candidate).astype(np.float64)
    return candidate, outcome, share


def test_identical_arms_in_a_draw_whose_shares_change_are_promoted_no_more_often_than_promised():
    rng = np.random.default_rng(5)
    ever = 0
    for _ in range(400):
        candidate, outcome, share = shared(rng, 3000)
        ever += np.cumsum(randomised(candidate, outcome, share).rise.growth(0.0)).max() >= np.log(20)
    assert ever <= 400 * 0.05


def test_a_better_arm_is_found_in_such_a_draw():
    rng = np.random.default_rng(6)
    found = sum(randomised(*shared(rng, 6000, 0.1)).rise.log_capital(0.0) >= np.log(20) for _ in range(50))
    assert found >= 45


def test_the_estimate_compares_units_of_one_draw_so_that_time_does_not_come_between():
    rng = np.random.default_rng(8)
    several = np.repeat([1, 4], 20_000)
    candidate = rng.random(40_000) < 0.4 / (0.4 + 0.5 * several)
    outcome = (rng.random(40_000) < np.where(several == 1, 0.9, 0.3)).astype(np.float64)
    found = Evidence.of(candidate, outcome, at_once=pa.array(several))
    assert outcome[candidate].mean() - outcome[~candidate].mean() > 0.1
    assert found.difference == pytest.approx(0.0, abs=0.02)


def test_shares_that_stay_the_same_give_the_same_bits_as_one_number():
    rng = np.random.default_rng(7)
    candidate, outcome = rng.random(500) < 0.4, rng.random(500)
    one, each = randomised(candidate, outcome, 0.4), randomised(candidate, outcome, np.full(500, 0.4))
    assert one.rise.log_capital(0.0) == each.rise.log_capital(0.0)
