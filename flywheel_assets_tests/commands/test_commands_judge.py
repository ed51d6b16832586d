"""A judge behind an OpenAI-compatible address: what it says is feedback, what it fails to say is nothing."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from flywheel_assets.cli.app import app
from flywheel_assets.examples.collect import collect_feedback
from flywheel_assets.examples.judge import judge_version
from flywheel_assets.lake.lake import Lake
from flywheel_assets.lake.places import Places
from flywheel_assets.lake.session import connection
from flywheel_assets.tables.agent_runs import AGENT_RUNS
from flywheel_assets.tables.feedback import FEEDBACK
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets_tests.model_server import Message, Model, served

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
GOOD, BAD = (json.dumps({"reason": "because", "verdict": verdict}) for verdict in ("success", "failure"))
UNCLEAR = '{"reason": "who knows", "verdict": "unclear"}'
MODEL = "openai/stub"
TODAY = datetime.now(UTC).date()


@dataclass
class Stub:
    """Answers as the request that it is shown asks it to."""

    answers: dict[str, str | Message] = field(default_factory=dict)
    model: Model = field(init=False)

    def __call__(self, messages: list[Message]) -> str | Message | None:
        shown = messages[1]["content"]
        answer = next((answer for words, answer in self.answers.items() if words in shown), GOOD)
        if answer == "slow":
            time.sleep(1.5)
        return None if answer == "failing" else answer


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    monkeypatch.setenv("OPENAI_API_KEY", "made-up")
    made = Stub()
    with served(made) as made.model:
        yield made


def write(places: Places, *requests: str, day: date = TODAY, answer: str | None = "done") -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    counts = {column.name: 0 for column in AGENT_RUNS.columns if column.required and column.type == pa.int64()}
    one = {"day": day, "trace_id": "t", "root_span_id": "s", "runtime": "gen_ai", "start_time": start, "status": "ok"}
    rows = [
        {**counts, **one, "run_id": f"t:{n}", "input_text": text, "output_text": answer, "skill_source": "none"}
        for n, text in enumerate(requests)
    ]
    Lake(places.lake).overwrite(AGENT_RUNS, AGENT_RUNS.rows(rows), day)


def call(places: Places, stub: Stub, *words: str, model: str = MODEL) -> tuple[int, dict]:
    options = ["--model", model, "--base", stub.model.base, "--data", str(places.data), "--json", *words]
    done = CliRunner().invoke(app, ["judge", *options])
    return done.exit_code, json.loads(done.stdout)["result"]


def take_in(places: Places) -> list[dict]:
    """What a turn makes of the inbox: the statements, in the feedback table."""
    con = connection()
    con.register("raw_spans", RAW_SPANS.rows([]))
    posted = [path.read_bytes() for path in sorted(places.inbox.glob("*.feedback.jsonl"))]
    rows, _ = collect_feedback(con, TODAY, posted)
    Lake(places.lake).overwrite(FEEDBACK, rows, TODAY)
    for path in places.inbox.glob("*.feedback.jsonl"):
        path.unlink()
    return rows.to_pylist()


def test_opinions_are_feedback_and_anything_else_is_no_vote(tmp_path: Path, stub: Stub):
    places = Places(tmp_path)
    stub.answers |= {
        "wrong?": BAD,
        "who?": UNCLEAR,
        "words?": "I would say it is a success.",
        "more?": '{"reason": "x", "verdict": "success", "score": 1}',
        "other?": '{"reason": "x", "verdict": "pass"}',
        "declined?": {"content": None, "refusal": "I cannot judge that"},
        "slow?": "slow",
        "failing?": "failing",
    }
    write(places, "right?", *stub.answers)
    code, told = call(places, stub, "--timeout", "0.7")
    assert code == 1
    assert (told["asked"], told["posted"], told["error: malformed"], told["error: unavailable"]) == (9, 9, 3, 2)
    rows = take_in(places)
    said = {f"t:{n}": None for n in range(9)} | {"t:0": 1.0, "t:1": 0.0}
    assert {row["target_id"]: row["value"] for row in rows} == said
    assert {(row["tier"], row["author_id"], row["author_version"]) for row in rows} == {
        ("judge", MODEL, judge_version(MODEL))
    }
    # What was not available is asked again, what was malformed is not: it would be again.
    stub.answers |= {"slow?": GOOD, "failing?": BAD}
    code, told = call(places, stub)
    assert (code, told["asked"], told["posted"]) == (0, 2, 2)


def test_nothing_is_asked_twice_whether_its_answer_was_taken_in_or_waits(tmp_path: Path, stub: Stub):
    places = Places(tmp_path)
    write(places, "a", "b", "b")
    assert call(places, stub)[1]["asked"] == 2
    assert "asked" not in call(places, stub)[1]
    assert {row["value"] for row in take_in(places)} == {1.0}
    write(places, "a", "b", "b", "a")
    told = call(places, stub)[1]
    assert (told.get("asked"), told["known"], told["posted"]) == (None, 1, 1)
    assert len(stub.model.seen) == 2
    # Another model is another judge.
    assert call(places, stub, model="openai/other")[1]["asked"] == 2


def test_the_budget_is_the_days_and_survives_the_command(tmp_path: Path, stub: Stub):
    places = Places(tmp_path)
    write(places, *"abcde")
    assert call(places, stub, "--budget", "3")[1]["asked"] == 3
    take_in(places)
    told = call(places, stub, "--budget", "4")[1]
    assert (told["asked"], told["left for later"], told["budget_left"]) == (1, 1, 0)
    assert len(stub.model.seen) == 4


def test_a_judge_that_is_down_is_left_alone_and_has_passed_nothing(tmp_path: Path, stub: Stub):
    places = Places(tmp_path)
    stub.answers |= {"": "failing"}
    write(places, *"abcdef")
    code, told = call(places, stub)
    assert (code, told["asked"], told["left for later"]) == (1, 3, 3)
    assert {row["value"] for row in take_in(places)} == {None}


def test_the_judge_sees_no_credentials_and_may_be_absent(tmp_path: Path, stub: Stub):
    places = Places(tmp_path)
    key = "AKIA" + "Q3EGRSTUVWXYZ234"
    write(places, f"use {key} and write to jane.doe@example.org")
    assert call(places, stub)[1]["posted"] == 1
    shown = json.dumps(stub.model.seen)
    assert key not in shown
    assert "jane.doe" not in shown
    assert "[email]" in shown
    done = CliRunner().invoke(app, ["judge", "--model", "", "--data", str(tmp_path), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["ok"]) == (4, False)


def test_runs_without_text_or_too_old_are_not_judged(tmp_path: Path, stub: Stub):
    places = Places(tmp_path)
    write(places, "a", answer=None)
    write(places, "b", day=date(2026, 1, 1))
    assert call(places, stub)[1]["posted"] == 0
    assert stub.model.seen == []
