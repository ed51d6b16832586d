"""Through the doors: spans to a receiver, Dagster's turns, and the published document asked by the client."""

import json
from pathlib import Path

import numpy as np
import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.replay.doors import Driven, Plan, drive
from flywheel_assets.replay.matrix import Matrix, by_arm, drawn
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.label_votes import LABEL_VOTES
from flywheel_assets.tables.promotion_decisions import PROMOTION_DECISIONS

WORDS = ("ferry", "bridge", "market", "river", "tram", "harbour", "museum", "garden", "station", "tower")


def planted(n: int) -> Matrix:
    """Each arm is good at what the other one is bad at, and the words tell; on average they are equal."""
    rng = np.random.default_rng(5)
    hard = rng.random(n) < 0.5
    texts = tuple(f"{'prove' if one else 'say'} {' '.join(rng.choice(WORDS, 5))} {at}" for at, one in enumerate(hard))
    outcome = np.c_[rng.random(n) < np.where(hard, 0.3, 0.9), rng.random(n) < np.where(hard, 0.9, 0.3)].astype(float)
    nothing = np.full((n, 2), np.nan)
    return Matrix(tuple(map(str, range(n))), ("north/a", "south/b"), outcome, nothing + 0, nothing, texts, ({},) * n)


def played(folder: Path, *, permuted: bool) -> tuple[Driven, Places]:
    plan = Plan(runs=1250, every=250, trial=400, permuted=permuted)
    return drive(planted(1700), plan, folder, 0, lambda _: None), Places(folder)


@pytest.mark.slow
def test_a_contextual_policy_that_beats_every_arm_is_promoted_by_the_decisions(tmp_path):
    done, places = played(tmp_path / "replay", permuted=False)
    assert done.failed == []
    assert (done.runs, done.spans) == (1250, 2500)
    last = done.production[-1]
    assert last.arm.startswith("scored/")
    assert last.value > done.single + 0.15
    runs = Lake(places.lake).read(AGENT_RUNS).to_pylist()
    assert all(run["propensity"] is not None for run in runs if run["segment"] != "default")
    # An agent reports the arm that it had: the rule's choice, within what its decision could have chosen.
    assert {run["arm"] for run in runs} == {"north/a|-|-", "south/b|-|-"}
    assert all(run["arm"] in json.loads(run["candidate_set"]) for run in runs)
    promoted = [e for e in Lake(places.lake).read(PROMOTION_DECISIONS).to_pylist() if e["kind"] == "promoted"]
    assert promoted[-1]["candidate_arm"] == last.arm
    assert promoted[-1]["candidate_units"] > 0 < promoted[-1]["incumbent_units"]


@pytest.mark.slow
def test_where_outcomes_are_dealt_out_anew_no_policy_is_promoted(tmp_path):
    done, _ = played(tmp_path / "replay", permuted=True)
    assert done.failed == []
    assert not any(step.arm.startswith("scored/") for step in done.production)


def test_a_folder_with_other_data_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError):
        drive(planted(40), Plan(), tmp_path, 0, lambda _: None)
    assert (tmp_path / "mine").read_text() == "mine"


def test_rates_are_drawn_from_for_the_launch_arm_and_some_others():
    nothing = np.full((1, 4), np.nan)
    rates = Matrix(("rates",), ("a", "b", "c", "d"), np.array([[0.1, 0.5, 0.9, 0.7]]), nothing, nothing, ("",), ({},))
    found = drawn(rates, 2000, 3, "c", 1)
    assert (found.arms[0], len(found.arms), len(set(found.texts))) == ("c", 3, 2000)
    true = rates.outcome[0, [rates.arms.index(arm) for arm in found.arms]]
    np.testing.assert_allclose(by_arm(found.outcome), true, atol=0.05)
    assert np.isnan(by_arm(found.cost)).all()


def gated(n: int) -> Matrix:
    """The cheap arm is often wrong and its gate says when; the dear one is mostly right, whatever its gate says."""
    rng = np.random.default_rng(8)
    right = np.c_[rng.random(n) < 0.55, rng.random(n) < 0.85].astype(float)
    gate = np.where(rng.random((n, 2)) < 0.97, right, 1 - right)
    texts = tuple(f"item {at}: {' '.join(rng.choice(WORDS, 5))}" for at in range(n))
    cost = np.tile([0.001, 0.01], (n, 1))
    return Matrix(tuple(map(str, range(n))), ("north/a", "south/b"), right, cost, gate, texts, ({},) * n)


@pytest.mark.slow
def test_a_cascade_that_beats_every_arm_is_tried_promoted_and_answered_by_the_client(tmp_path):
    done = drive(gated(1500), Plan(runs=900, every=300, trial=400), tmp_path / "replay", 0, lambda _: None)
    assert done.failed == []
    last = done.production[-1]
    assert last.arm == "cascade/recorded/north/a>south/b|-|-"
    assert last.value > done.single + 0.03
    assert last.cost is not None
    assert last.cost < 0.008
    lake = Lake(Places(tmp_path / "replay").lake)
    runs = [run for run in lake.read(AGENT_RUNS).to_pylist() if run["arm"] == last.arm]
    assert all(run["propensity"] > 0 and last.arm in json.loads(run["candidate_set"]) for run in runs)
    # Those that were escalated cost as much as both models.
    assert {round(run["cost_usd"], 6) for run in runs} == {0.001, 0.011}
    # The gate's word is no outcome: only what was recorded is.
    assert all("flywheel.gate" not in vote["evidence"] for vote in lake.read(LABEL_VOTES).to_pylist())
