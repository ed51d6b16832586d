"""Cascades as candidates: proposed where the gate tells and the audits show it, refused with what is missing."""

from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pytest

from flywheel_assets.candidates.routing.cascade import Audited, gated
from flywheel_assets.candidates.routing.cascades import with_cascades
from flywheel_assets.candidates.routing.propose import propose_routes
from flywheel_assets.tables.documents.cascade import Cascade, models_of
from flywheel_assets.tables.documents.skills_file import Skill, SkillsFile
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.gated_observations import GATED_OBSERVATIONS
from flywheel_assets.tables.skill_scores import SKILL_SCORES

START = datetime(2026, 3, 1, tzinfo=UTC)
ARMS = ("north/a|-|-", "south/b|-|-")
BOTH = "cascade/tests/north/a>south/b|-|-"
SKILL = Skill(baseline_model="north/a", models=("south/b",), gate="tests")


def log(n: int, *, tells: float = 0.97, audited: float = 0.5, word: str = "flywheel.gate.tests", rates=(0.55, 0.85)):
    """Runs of a fair coin; the gate is right about each answer with probability `tells`."""
    rng = np.random.default_rng(3)
    runs, said = [], []
    for at in range(n):
        arm = int(rng.integers(2))
        right = bool(rng.random() < rates[arm])
        passed = right if rng.random() < tells else not right
        runs.append(
            {
                "run_id": f"run-{at}",
                "example_id": f"run-{at}",
                "trace_id": f"{at:032x}",
                "root_span_id": f"{at:016x}",
                "day": START.date(),
                "start_time": START + timedelta(seconds=at),
                "skill": "triage",
                "arm": ARMS[arm],
                "grain": "run",
                "outcome": float(right) if rng.random() < audited else None,
                "propensity": 0.5,
                "cost_usd": (0.001, 0.01)[arm],
            }
        )
        said.append(
            {
                "feedback_id": str(at),
                "target_kind": "run" if at % 2 else "span",
                "target_id": f"run-{at}" if at % 2 else f"{at:032x}:{at:016x}",
                "name": word,
                "value": float(passed),
                "observed_at": START,
            }
        )
    con = duckdb.connect()
    for table, rows in ((GATED_OBSERVATIONS, runs), (FEEDBACK, said)):
        con.register(table.name, table.rows([{name: row.get(name) for name in table.names} for row in rows]))
    return con


def proposed(con, skill: Skill = SKILL, incumbent: str = ARMS[0]):
    skills = SkillsFile(skills={"triage": skill})
    routes = propose_routes(SKILL_SCORES.empty(), skills, {"triage": incumbent}, 0)
    rows = with_cascades(routes, con, skills, 0).to_pylist()
    return next((row for row in rows if row["arm"].startswith("cascade/") and row["state"] != "incumbent"), None)


@pytest.mark.parametrize(
    ("con", "skill", "state", "says"),
    [
        (log(800), SKILL, "proposed", "expected 0.9"),
        (log(800), SKILL.model_copy(update={"budget_usd": 0.002}), "refused", "more than the 0.002 USD"),
        (log(800, rates=(0.9, 0.3), tells=0.5), SKILL, "not_proposed", ""),
        (log(800, audited=0.01), SKILL, "refused", "10 of them with an outcome"),
        (log(40), SKILL, "refused", "need 30 runs"),
        (log(800, word="flywheel.gate.other"), SKILL, "refused", "0 of this skill's models"),
    ],
    ids=["it tells", "over budget", "it tells nothing", "no audits", "too few", "another gate"],
)
def test_a_cascade_is_proposed_where_the_gate_tells_and_audits_can_show_it(con, skill, state, says):
    row = proposed(con, skill)
    assert row is not None
    assert (row["state"], says in row["reason"]) == (state, True), row["reason"]
    if state == "proposed":
        assert row["arm"] == BOTH
        assert row["cost_usd"] == pytest.approx(0.001 + 0.45 * 0.01, abs=0.0015)


def test_a_skill_that_names_no_gate_has_none():
    assert proposed(log(800), SKILL.model_copy(update={"gate": ""})) is None


def test_a_cascade_in_production_is_not_proposed_again():
    assert proposed(log(800), incumbent=BOTH) is None


@pytest.mark.parametrize(
    ("model", "models"),
    [
        ("cascade/tests/north/a>south/b", ("north/a", "south/b")),
        ("north/a", ("north/a",)),
        ("cascade/tests/north/a", ("cascade/tests/north/a",)),
        ("cascade/a gate/x>y", ("cascade/a gate/x>y",)),
    ],
)
def test_a_cascades_name_says_all_of_it(model: str, models: tuple[str, ...]):
    assert models_of(model) == models
    found = Cascade.parse(model)
    assert found is None or found.model == model


def test_few_audits_of_one_arm_do_not_pull_the_estimate_below_what_was_seen():
    everything = np.ones(20)
    found = gated([Audited(arm, everything, everything, everything) for arm in "ab"])
    assert [one.precision for one in found] == [1.0, 1.0]
    assert all(one.lower < 0.95 for one in found)
