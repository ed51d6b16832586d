"""Recorded streams with known answers: a copy is not promoted, a change is found, memory does not compound."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from flywheel_assets.decisions.eprocess import differences
from flywheel_assets.decisions.evidence import Evidence
from flywheel_assets.decisions.judge import judge
from flywheel_assets.decisions.trial import Conditions
from flywheel_assets.snapshots.momentum import momentum
from flywheel_assets.snapshots.slope import slope
from flywheel_assets.tables.documents.registration import Registration

START = datetime(2026, 3, 1, tzinfo=UTC)
CONDITIONS = Conditions(predecessor_known=True, as_of=START)


def registration() -> Registration:
    return Registration(
        experiment_id="exp-1",
        skill="skill",
        kind="routing",
        candidate_arm="new|-|-",
        incumbent_arm="old|-|-",
        margin=0.0,
        canary_share=0.5,
        incumbent_share=0.5,
        guardrails=(),
        alpha=0.0125,
        position=1,
        max_units=4000,
        needs_approval=False,
        registered_at=START,
        candidate_id="c",
        criteria=("superiority", "leave_one_out", "outcomes_told", "assignment"),
        design_effects=(0.05, 0.1),
    )


@pytest.fixture(scope="module")
def problems(shared_data: Path) -> pd.DataFrame:
    rows = pd.read_csv(shared_data / "livecodebench" / "generation_2025-04-22.csv.gz")
    return rows.pivot_table(index=["date", "question_id"], columns="model", values="pass_at_1").sort_index() / 100


def test_an_identical_copy_that_takes_over_half_way_is_not_promoted_though_before_and_after_differ(
    problems: pd.DataFrame,
) -> None:
    outcome = problems["O3-Mini-2025-01-31 (Med)"].to_numpy()
    half = len(outcome) // 2
    assert outcome[half:].mean() - outcome[:half].mean() < -0.1
    promoted = 0
    for seed in range(10):
        candidate = np.random.default_rng(seed).random(len(outcome)) < 0.5
        evidence = Evidence.of(candidate, outcome)
        verdicts = {judge(registration(), evidence.first(count), CONDITIONS).kind for count in (500, 1055)}
        promoted += "promoted" in verdicts
    assert promoted == 0


def test_a_real_change_is_accepted_in_pairs(problems: pd.DataFrame) -> None:
    old, new = (problems[f"O3-Mini-2025-01-31 ({effort})"].to_numpy() for effort in ("Low", "Med"))
    assert 0.05 < (new - old).mean() < 0.06
    lower, upper = differences(new - old).interval(0.05)
    assert 0 < lower < 0.055 < upper


def test_one_success_in_352_is_no_evidence() -> None:
    candidate = np.arange(352) % 2 == 0
    verdict = judge(registration(), Evidence.of(candidate, (np.arange(352) == 150).astype(float)), CONDITIONS)
    assert verdict.kind == "held"
    assert "insufficient evidence" in verdict.reason


@pytest.fixture(scope="module")
def cheatsheet(shared_data: Path) -> pa.Table:
    """One task under memory (in production), the prompt with an empty memory (frozen) and neither (held out)."""
    segments = {"DynamicCheatsheet_Cumulative": "production", "DynamicCheatsheet_RetrievalSynthesis": "production"}
    segments |= {"EmptyCheatsheet": "frozen", "Baseline": "holdout"}
    rows = pd.read_parquet(shared_data / "dynamic_cheatsheet" / "runs.parquet")
    rows = rows[(rows["task"] == "AIME_2024") & rows["variant"].isin(segments)].sort_values(["pos", "model", "variant"])
    return pa.table(
        {
            "skill": ["maths"] * len(rows),
            "grain": ["run"] * len(rows),
            "outcome": rows["correct"].astype(float).to_numpy(),
            "segment": [segments[variant] for variant in rows["variant"]],
            "session_id": pa.nulls(len(rows), pa.string()),
            "run_id": [f"{number:05d}" for number in range(len(rows))],
            "start_time": [START + timedelta(minutes=number) for number in range(len(rows))],
        }
    )


def test_memory_gains_by_its_first_prompt_and_does_not_compound(cheatsheet: pa.Table) -> None:
    rows = momentum(cheatsheet, block=20)
    last = [row for row in rows.to_pylist() if row["skill"] == "maths"][-1]
    assert last["lift"] > 0.1
    assert last["compounding"] == "undecided"
    assert last["says"].startswith("no compounding: what gain there is, the first promotion brought")
    assert last["says"].endswith("(15.0 of 21.7 points)")
    assert last["over_frozen"] < last["lift"]
    assert last["over_frozen_lower"] < 0 < last["over_frozen_upper"]
    found = slope(rows)
    assert found is not None
    assert found.lower < 0.01


def test_what_a_verdict_says_of_its_criteria_is_json_that_a_person_can_read() -> None:
    verdict = judge(registration(), Evidence.of(np.zeros(3, bool), np.zeros(3)), CONDITIONS)
    names = [one["criterion"] for one in json.loads(verdict.criteria_json)["criteria"]]
    assert names == ["superiority", "leave_one_out", "assignment", "outcomes_told"]
