"""Drills on own traffic: nulls are rarely promoted, a planted gain is found, a planted reporter is not believed."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from flywheel_assets.decisions.drills import ALPHA, FEWEST, KINDS, drills, identical_arms
from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.judge import judge
from flywheel_assets.decisions.rehearsal import QUIET, rehearse, telling
from flywheel_assets.decisions.trial import Conditions, Trial
from flywheel_assets.lake.session import connection
from flywheel_assets.tables.drills import DRILLS
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets_tests.decisions.conftest import START, run
from flywheel_assets_tests.decisions.test_criteria import registration


def traffic(units: int, rate: float = 0.5, pace: int | None = None) -> list[dict[str, object]]:
    """One arm's runs, `pace` (all) of them in eight days, each unit with a second run that does not count."""
    rng = np.random.default_rng(1)
    rows: list[dict[str, object]] = []
    for number in range(units):
        at = START + timedelta(days=8) * number / (pace or units)
        own = {"arm": "old|-|-", "principal_id": f"user-{number % 30}", "unit_id": f"unit-{number}"}
        rows.append(run(number, at, **own, outcome=float(rng.random() < rate)))
        rows.append(run(10_000 + number, at + timedelta(seconds=1), **own, outcome=1.0))
    return rows


def drilled(rows: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    con = connection()
    con.register("gated_observations", GATED_OBSERVATIONS.rows(rows))
    return {row["drill"]: row for row in drills(con, START, 0).to_pylist()}


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, object]]:
    return drilled(traffic(1000))


def test_every_kind_of_drill_is_reported_and_its_trials_add_up(found: dict) -> None:
    assert set(found) == set(KINDS)
    for row in found.values():
        assert row["trials"] == row["promoted"] + row["abandoned"] + row["undecided"] > 0
        assert row["units"] == 1000


@pytest.mark.parametrize("kind", [name for name, drill in KINDS.items() if drill.truth == "not_better"])
def test_what_is_no_better_is_promoted_no_more_often_than_promised(found: dict, kind: str) -> None:
    assert found[kind]["nominal"] == ALPHA
    assert found[kind]["lower"] <= ALPHA


def test_a_planted_gain_is_found_and_a_planted_reporter_is_not_believed(found: dict) -> None:
    assert found["better_10"]["observed"] > 0.5
    assert found["better_10"]["units_to_promotion"] <= 1000
    assert found["poisoned"]["observed"] < found["better_10"]["observed"]
    assert found["poisoned"]["nominal"] is None


def test_too_few_units_measure_nothing_and_say_so() -> None:
    found = drilled(traffic(FEWEST - 1))
    assert {row["trials"] for row in found.values()} == {0}
    assert all(row["observed"] is None and "are needed" in row["reason"] for row in found.values())


def test_identical_and_permuted_arms_are_what_health_is_judged_by() -> None:
    rows = [
        {"skill": "a", "drill": name, "truth": "", "units": 1, "trials": 10, "promoted": 2, "abandoned": 8}
        | {"undecided": 0, "reason": ""}
        for name in KINDS
    ]
    seen = identical_arms(DRILLS.rows(rows))
    assert (seen.trials, seen.promoted, seen.nominal) == (20, 4, ALPHA)


def test_the_same_traffic_gives_the_same_drills() -> None:
    rows = traffic(300)
    assert drilled(rows) == drilled(rows[::-1])


@pytest.mark.parametrize(("units", "stands"), [(350, True), (399, True), (400, False)])
def test_a_drill_stands_until_the_next_hundred_units(units: int, stands: bool) -> None:
    con = connection()
    con.register("gated_observations", GATED_OBSERVATIONS.rows(traffic(350, pace=350)))
    before = drills(con, START, 0)
    marked = DRILLS.rows([row | {"reason": "of before"} for row in before.to_pylist()])
    con.register("gated_observations", GATED_OBSERVATIONS.rows(traffic(units, pace=350)))
    assert (drills(con, START, 0, before=marked) == marked) is stands
    assert drills(con, START, 0).to_pylist() == drills(con, START, 0, before=before).to_pylist()


@pytest.mark.parametrize("seed", range(12))
def test_looks_that_are_left_out_would_have_held(seed: int) -> None:
    rng = np.random.default_rng(seed)
    candidate = rng.random(900) < (0.5 if seed % 3 else 0.4)
    outcome = (rng.random(900) < 0.5 + (0.0, 0.1, -0.1)[seed % 3] * candidate).astype(float)
    days = pa.array(np.arange(900) // 150).cast(pa.string())
    asked = registration(alpha=0.05, criteria=tuple(QUIET), design_effects=(0.05, 0.1))
    evidence, conditions = Evidence.of(candidate, outcome, day=days), Conditions(predecessor_known=True)
    trial = Trial(asked, evidence, conditions)
    counts = range(50, 901, 50)
    short = rehearse(trial, telling(trial, counts))
    verdicts = (judge(asked, evidence.first(count), conditions) for count in counts)
    full = next((one for one in verdicts if one.kind != "held"), None)
    if full is None:
        assert short.kind == "held"
    else:
        assert (short.kind, short.units) == (full.kind, full.candidate_units + full.incumbent_units)
