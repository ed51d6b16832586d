"""What people decide: whether a trial begins, whether it ends, whether its candidate is promoted, what is undone."""

from collections.abc import Callable

from flywheel_assets.decisions.decide import beginning, decide
from flywheel_assets.decisions.ledger import replay
from flywheel_assets.decisions.lifecycle import Abandoned, Canary, Shadow
from flywheel_assets.tables.documents.skills_file import Skill
from flywheel_assets_tests.decisions.conftest import CANDIDATE, INCUMBENT, World


def in_shadow() -> World:
    world = World(skill=Skill(baseline_model="old", shadow=True))
    world.turn()
    return world


def test_a_trial_in_shadow_has_no_traffic_until_a_person_lets_it_begin():
    world = in_shadow()
    state = world.turn().states["triage"]
    assert ([type(one) for one in state.on_trial], state.trials) == ([Shadow], ())
    assert [entry["kind"] for entry in world.entries()] == ["registered"]
    # Leave to promote is not leave to begin.
    world.approvals = {str(world.last()["experiment_id"]): True}
    assert world.turn().entries.num_rows == 0
    world.approvals = {beginning(str(world.last()["experiment_id"])): True}
    state = world.turn().states["triage"]
    assert [type(one) for one in state.on_trial] == [Canary]
    assert state.trials == (state.on_trial[0].registration,)
    world.draw(250, {INCUMBENT: 0.3, CANDIDATE: 0.9})
    world.turn()
    assert [entry["kind"] for entry in world.entries()] == ["registered", "canary", "promoted"]
    assert [replay(entry, world.inputs().con) for entry in world.entries()] == [[], [], []]


def test_a_trial_that_is_refused_in_shadow_ends_there():
    world = in_shadow()
    world.approvals = {str(world.last()["experiment_id"]): False}
    state = world.turn().states["triage"]
    assert (world.last()["kind"], world.last()["candidate_units"]) == ("abandoned", 0)
    assert (state.on_trial, type(state.ended[0])) == ((), Abandoned)
    assert replay(world.last(), world.inputs().con) == []
    assert decide(world.inputs()).entries.num_rows == 0


def test_a_person_decides_where_one_must():
    world = World(skill=Skill(baseline_model="old", needs_approval=True))
    world.turn()
    world.draw(250, {INCUMBENT: 0.3, CANDIDATE: 0.9})
    world.turn()
    assert "waits for a person" in str(world.last()["reason"])
    world.approvals = {str(world.last()["experiment_id"]): True}
    world.turn()
    assert world.last()["kind"] == "promoted"


def test_a_person_can_end_a_trial_that_asks_for_nobody(world: World):
    world.turn()
    experiment = str(world.last()["experiment_id"])
    world.approvals[experiment] = False
    world.routing = []
    world.turn()
    assert (world.last()["kind"], world.last()["reason"]) == ("abandoned", "approval: rejected by a person")
    assert replay(world.last(), world.inputs().con) == []


def test_a_person_can_undo_a_promotion_and_the_entry_derives_again(promoted: Callable[..., World]):
    world = promoted()
    world.rollbacks[str(world.last()["experiment_id"])] = "ops"
    state = world.turn().states["triage"]
    assert (world.last()["kind"], state.production_arm) == ("rolled_back", INCUMBENT)
    assert "asked for by ops" in str(world.last()["reason"])
    assert replay(world.last(), world.inputs().con) == []
    assert world.turn().entries.num_rows == 0
