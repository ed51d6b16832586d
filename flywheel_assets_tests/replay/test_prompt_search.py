"""Searching among many prompts: the ledger sees every trial, the budget is kept, and luck is not promoted."""

import json
from pathlib import Path

import numpy as np
import pytest

from flywheel_assets.decisions.elond import allot
from flywheel_assets.replay.matrix import Matrix
from flywheel_assets.replay.prompt_search import SKILL, Case, paraphrases, searched, thompson, without_difference
from flywheel_assets.replay.trials import START, Wheel, replay_trials
from flywheel_assets.tables.documents.arm import Arm
from flywheel_assets.tables.documents.routing import prompt_version

RATES = (0.3, 0.2, 0.25, 0.3, 0.75, 0.1)
TEXTS = tuple(f"Prompt number {number}." for number in range(len(RATES)))


def case(rates: tuple[float, ...] = RATES) -> Case:
    outcome = np.array([rates])
    nothing = np.full_like(outcome, np.nan)
    names = tuple(str(number) for number in range(len(rates)))
    return Case("made up", Matrix(("i",), names, outcome, nothing, nothing, ("",), ({},), rates=True), TEXTS, 400)


@pytest.fixture
def wheels(monkeypatch) -> list[Wheel]:
    """Every wheel that a replay makes."""
    made: list[Wheel] = []

    def keep(*given, **named) -> Wheel:
        made.append(Wheel(*given, **named))
        return made[-1]

    monkeypatch.setattr("flywheel_assets.replay.trials.Wheel", keep)
    return made


def test_the_best_of_many_is_found_and_every_trial_is_paid_for(wheels: list[Wheel]):
    found = searched(case(), 1500, 0)
    assert (found.value, found.wrong) == (0.75, 0)
    ledger = wheels[0].ledger.sort_by("seq").to_pylist()
    registered = [row for row in ledger if row["kind"] == "registered"]
    promotions = 0
    for row in ledger:
        promotions += row["kind"] == "promoted"
        if row["kind"] == "registered":
            registration = json.loads(row["registration_json"])
            assert registration["kind"] == "prompt"
            assert registration["position"] == 1 + registered.index(row)
            assert registration["alpha"] == pytest.approx(allot(0.05, registration["position"], promotions))
    # Each text once at most, against production at that time; and every variant has its row, tried or not.
    arms = [row["candidate_arm"] for row in registered]
    assert len(arms) == len(set(arms)) == found.trials
    rows = {row["prompt_version"]: row for row in wheels[0].prompts.to_pylist()}
    assert set(rows) == {prompt_version(text) for text in TEXTS}
    assert {rows[Arm.parse(arm).prompt_version]["state"] for arm in arms} == {"refused"}


def test_what_was_seen_while_exploring_is_no_evidence_in_the_trial(wheels: list[Wheel]):
    searched(case(), 1000, 1)
    for row in wheels[0].ledger.to_pylist():
        if row["kind"] in ("promoted", "abandoned"):
            registration = json.loads(row["registration_json"])
            days = json.loads(row["registration_json"])["registered_at"][:10]
            assert all(day >= days for day in row["evidence_days"])
            assert registration["registered_at"] >= START.isoformat()[:10]


def test_of_equals_none_is_promoted():
    found = [searched(without_difference(case()), 800, seed) for seed in range(3)]
    assert [one.promotions for one in found] == [(), (), ()]
    assert all(one.trials for one in found)


def test_thompsons_rule_picks_the_best_too():
    assert thompson(case(), 1500, 0) == 0.75


def test_a_launch_prompt_that_is_best_stays():
    found = searched(case((0.8, *RATES[1:])), 800, 0)
    assert (found.value, found.promotions) == (0.8, ())


def test_recorded_paraphrases_are_read(shared_data: Path):
    (one,) = paraphrases(shared_data / "slab_prompt_variants", 1, 4)
    assert len(one.texts) == len(set(one.texts)) == one.matrix.outcome.shape[1] == 4
    skill = SKILL.model_copy(update={"baseline_prompt": one.texts[0]})
    assert replay_trials(one.matrix, skill, 200, 0, texts=one.texts).baseline == one.matrix.outcome[0, 0]
