"""Every hour the configured judge is asked; without one, or without its answer, nothing is made up."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from flywheel_assets.defs.judging import hourly_judging, judging
from flywheel_assets.defs.resources import WheelResource
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets_tests.model_server import served

NOW = datetime.now(UTC)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A model to which everything is a success."""
    with served(lambda _messages: json.dumps({"reason": "because", "verdict": "success"})) as found:
        monkeypatch.setenv("OPENAI_API_KEY", "made-up")
        monkeypatch.setenv("FLYWHEEL_JUDGE_MODEL", "openai/stub")
        monkeypatch.setenv("FLYWHEEL_JUDGE_BASE", found.base)
        monkeypatch.setenv("FLYWHEEL_JUDGE_BUDGET", "2")
        yield "openai/stub"


def test_the_schedule_asks_where_a_model_is_configured_and_says_why_not_elsewhere(monkeypatch: pytest.MonkeyPatch):
    at = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 11, 20, 12, 40, tzinfo=UTC))
    monkeypatch.delenv("FLYWHEEL_JUDGE_MODEL", raising=False)
    skipped = hourly_judging.evaluate_tick(at).skip_message
    assert "FLYWHEEL_JUDGE_MODEL" in str(skipped)
    monkeypatch.setenv("FLYWHEEL_JUDGE_MODEL", "openai/stub")
    (request,) = hourly_judging.evaluate_tick(at).run_requests or []
    assert request.run_key == "2026-11-20T12"


def test_a_run_of_it_posts_what_the_model_says_up_to_its_budget(tmp_path: Path, model: str):
    places = Places(tmp_path)
    counts = {column.name: 0 for column in AGENT_RUNS.columns if column.required and column.type == pa.int64()}
    one = {"day": NOW.date(), "trace_id": "t", "root_span_id": "s", "runtime": "gen_ai", "start_time": NOW}
    said = {"status": "ok", "input_text": "?", "output_text": "done", "skill_source": "none"}
    rows = [{**counts, **one, **said, "run_id": f"t:{n}", "input_text": f"question {n}"} for n in range(3)]
    Lake(places.lake).overwrite(AGENT_RUNS, AGENT_RUNS.rows(rows), NOW.date())
    done = judging.execute_in_process(resources={"wheel": WheelResource(data=str(tmp_path))})
    assert done.success
    posted = [
        json.loads(line)
        for path in places.inbox.glob("judge-*.feedback.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert [(word["author_id"], word["value"]) for word in posted] == [(model, 1.0)] * 2
