"""Prices and names: a changed file makes the runs stale that it touches, a broken one changes nothing."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.rebuild import rebuild_days
from flywheel_assets.lake.stale import inputs, stale_days
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.sources.statements import faults_of, write_statements
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.statements import PRICES
from flywheel_assets.tables.steps import COMPARE_JUDGES, DAY_STEPS, FOLD_RUNS, LABEL

DAY = date(2026, 11, 20)
PRICE = "prices: [{model: m, from: 2026-01-01, input: %s, output: 1}]"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(str(tmp_path / "lake"))
    start = datetime(2026, 11, 20, tzinfo=UTC)
    plain = dict.fromkeys(("flags", "dropped_attributes", "dropped_events", "dropped_links", "duration_ns"), 0)
    span = plain | {
        "day": DAY, "trace_id": "t", "span_id": "s", "batch_id": "b", "name": "n", "kind": "internal",
        "start_time": start, "start_unix_nano": int(start.timestamp()) * 10**9, "status": "unset",
    }  # fmt: skip
    made.overwrite(RAW_SPANS, RAW_SPANS.rows([span]), DAY)
    return made


def test_a_day_is_stale_when_the_price_changes_and_only_then(lake: Lake, tmp_path: Path):
    prices, skills = tmp_path / "prices.yaml", tmp_path / "skills.yaml"

    def stale() -> list[date]:
        assert write_statements(lake, prices, skills) == {}
        found = stale_days(lake, FOLD_RUNS)
        list(rebuild_days(lake, FOLD_RUNS, found, fold_runs))
        return found

    first = stale()
    assert stale() == []
    prices.write_text(PRICE % 1)
    assert (first, stale(), stale()) == ([DAY], [DAY], [])
    prices.write_text("# the same\n" + PRICE % 1)
    assert stale() == []
    prices.write_text(PRICE % 2)
    skills.write_text("names: {a: b}")
    assert (stale(), stale()) == ([DAY], [])


@pytest.mark.parametrize("broken", ["prices: [", "prices: 3", "\xff", PRICE % -1])
def test_what_does_not_fit_changes_nothing_and_is_named(lake: Lake, tmp_path: Path, broken: str):
    prices, skills = tmp_path / "prices.yaml", tmp_path / "skills.yaml"
    prices.write_text(PRICE % 1)
    write_statements(lake, prices, skills)
    prices.write_text(broken, encoding="latin-1")
    assert list(write_statements(lake, prices, skills)) == ["prices.yaml"]
    assert list(faults_of(prices, skills)) == ["prices.yaml"]
    assert lake.read(PRICES).column("input_usd") == pa.chunked_array([[1.0]])


def test_another_share_of_anchors_makes_labels_and_judges_stale_and_nothing_else(lake: Lake, tmp_path: Path):
    prices, skills = tmp_path / "prices.yaml", tmp_path / "skills.yaml"
    asks = (LABEL, COMPARE_JUDGES)

    def changed() -> set[str]:
        before = {step.name: inputs(lake, step, [DAY]) for step in DAY_STEPS}
        assert write_statements(lake, prices, skills) == {}
        return {step.name for step in DAY_STEPS if inputs(lake, step, [DAY]) != before[step.name]}

    assert changed() == set()
    skills.write_text("anchor_share: 0.2")
    assert changed() == {step.name for step in asks}
    skills.write_text("alpha: 0.02\nanchor_share: 0.2")
    assert changed() == set()
    skills.write_text("alpha: 0.02")
    assert changed() == {step.name for step in asks}
