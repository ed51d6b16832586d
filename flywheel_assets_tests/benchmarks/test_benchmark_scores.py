"""What the benchmark of scores and lineage measures is what it says: every arm, every trial, every question."""

from pathlib import Path

import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets_tests.benchmarks import lineage, scores


def test_every_arm_is_scored_and_every_trial_looked_at(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    scores.fill(lake, 2, 2)
    assert {work.__name__: work(lake, 2, 2) for work in scores.WORK.values()} == {
        "scored": 2 * scores.ARMS,
        "decided": 2,
        "grouped": 2 * scores.ARMS,
    }


def test_every_question_has_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "DAILY", 4000)
    asked = list(lineage.measure(8000, tmp_path))
    assert [one["question"].split(",")[0] for one in asked] == ["why", "used-by"] * 3
