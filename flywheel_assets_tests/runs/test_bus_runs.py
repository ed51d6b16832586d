"""Runs of a system bus: what a person reads in the events is what the table says."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flywheel_assets.examples.collect import collect_feedback
from flywheel_assets.lake.session import connection
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.sources.batches import Batch
from flywheel_assets.sources.system_bus import convert
from flywheel_assets.spans.decode import decode_day

DAY = date(2026, 7, 9)
AT = int(datetime(2026, 7, 9, 12, tzinfo=UTC).timestamp() * 1000)
MODEL = ("p/first", "p/second", "p/third")


def raw(parts: Sequence[Sequence[object]]) -> pa.Table:
    batches = [Batch(str(number), "json", convert(part).payload) for number, part in enumerate(parts)]
    days = [DAY + timedelta(days=shift) for shift in (-1, 0, 1)]
    return pa.concat_tables([decode_day(batches, day).rows.read_all() for day in days])


def runs(*parts: Sequence[object]) -> list[dict[str, Any]]:
    con = connection()
    con.register("raw_spans", raw(parts))
    return fold_runs(con, DAY)[0].to_pylist()


def router(word: str, seconds: float, attempt: int | None = None, error: str | None = None, **said: Any) -> dict:
    ran = {} if attempt is None else {"attemptIndex": attempt, "model": MODEL[attempt], "provider": "p"}
    return {
        "id": f"{word}-{seconds}-{attempt}",
        "timestamp": AT + round(seconds * 1000),
        "source": "system-bus",
        "component": "digest",
        "action": "inference.circuit.skipped_call" if word == "skipped_call" else f"model_router.{word}",
        "level": {"fallback": "warn", "fail": "error"}.get(word, "info"),
        "success": word not in {"fallback", "fail", "skipped_call"},
        "error": error or "",
        "metadata": {"requestId": "r", "task": "digest", **ran, **said},
    }


def spent(seconds: float, attempt: int, waited_ms: int, word: str = "fallback") -> dict:
    return router(word, seconds, attempt, f"pi timed out after {waited_ms}ms")


ASKED = [router("request", 0), router("route", 0.02)]


@pytest.mark.parametrize(
    ("events", "status", "model", "attempts", "never_ran", "fell_from"),
    [
        ([router("result", 9, 0)], "ok", "p/first", 1, 0, None),
        ([router("fallback", 3, 0, "out_of_quota"), router("result", 9, 1)], "ok", "p/second", 2, 0, ["p/first"]),
        (
            [spent(120, 0, 119_990), spent(120.02, 1, 120_000), spent(120.04, 2, 120_000, "fail")],
            "error", "p/first", 1, 2, None,
        ),
        (
            [router("fallback", 3, 0, "out_of_quota"), spent(120, 1, 116_990), spent(120.02, 2, 120_000, "fail")],
            "error", "p/second", 2, 1, ["p/first"],
        ),
        ([router("skipped_call", 1, 0)], "cancelled", None, 1, 0, None),
        ([router("skipped_call", 1, 0), router("result", 9, 1)], "ok", "p/second", 2, 0, None),
        ([], "open", None, 1, 0, None),
        (
            [router("result", 9, 0, usageCoverage="missing"), router("usage_missing", 9.1, 0)],
            "ok", "p/first", 1, 0, None,
        ),
    ],
    ids=["answered", "rescued", "deadline spent", "quota, then deadline", "circuit open", "circuit, then answered",
         "still going on", "only the count is missing"],
)  # fmt: skip
def test_a_request_is_one_run_of_the_model_that_did_it(  # noqa: PLR0913, PLR0917 - a column each
    events: list[dict],
    status: str,
    model: str | None,
    attempts: int,
    never_ran: int,
    fell_from: list[str] | None,
):
    (run,) = runs([*ASKED, *events])
    found = (run["status"], run["model"], run["attempts"], run["attempts_never_ran"], run["fallback_from"])
    assert found == (status, model, attempts, never_ran, fell_from)


LATE = [spent(120, 0, 119_990), spent(120.02, 1, 120_000), spent(120.04, 2, 120_000, "fail")]


def test_no_attempt_that_never_ran_is_ever_anybodys_whatever_is_lost_or_split():
    whole = [*ASKED, *LATE]
    for lost in range(len(whole)):
        left = [[event] for number, event in enumerate(whole) if number != lost]
        (run,) = runs(*left)
        # Without its first attempt nobody is known to have run, and nobody is blamed.
        assert run["model"] in ({None} if lost == 2 else {"p/first"}), lost


def test_the_recorded_events_are_the_runs_that_a_person_reads_in_them(shared_data: Path):
    lines = (shared_data / "captures" / "otel_events" / "samples.jsonl").read_text().splitlines()
    documents = [json.loads(line) for line in lines]
    found = {run["run_id"].split("/", 1)[1][:14]: run for run in runs(documents)}
    table = {
        key: (run["status"], run["skill"], run["model"], run["attempts"], run["attempts_never_ran"], run["cost_usd"])
        for key, run in found.items()
    }
    quick, smart = "openai-codex/gpt-5.4-mini", "openai-codex/gpt-5.4"
    assert table == {
        "152a34b3-ad66-": ("ok", "triage", quick, 1, 0, 0.0046),
        "eaf1ccd5-0e27-": ("ok", "daily-digest", smart, 2, 0, None),
        "ff21e6c3-d7b6-": ("error", "nas-backup", smart, 1, 2, None),
        "890a7c7b-f877-": ("ok", "channel-message-classify", "anthropic/claude-haiku-4-5", 1, 0, 0.00166),
        "31f547d1-e2d6-": ("cancelled", "nas-backup", None, 1, 0, None),
        "restate-health": ("error", "health/synthesize", None, 1, 0, None),
        "voice-call-jud": ("ok", "voice-call-judge", quick, 1, 0, None),
        "01K1AGENTTASK0": ("error", "coder", None, 1, 0, None),
        "loop-mlxw-81/C": ("open", "agent-loop", "codex", 1, 0, None),
    }
    assert len(runs(documents)) == 10
    assert {run["session_id"] for run in found.values()} == {None}


def test_the_same_events_split_repeated_and_turned_round_are_the_same_runs(shared_data: Path):
    lines = (shared_data / "captures" / "otel_events" / "samples.jsonl").read_text().splitlines()
    documents = [json.loads(line) for line in lines]
    expected = runs(documents)
    assert runs(documents[40:], documents[:20], documents[10:45]) == expected
    assert runs(documents[::-1], documents) == expected


def judged(reasoning: str) -> dict:
    metadata = {"loopId": "l", "storyId": "s", "attempt": 1, "verdict": "pass", "reasoning": reasoning}
    return {
        "id": "j", "timestamp": AT, "source": "worker", "component": "agent-loop", "level": "info", "success": True,
        "action": "agent.loop.story.judged", "metadata": metadata,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reasoning", "value"),
    [
        ("criteria are met", 1.0),
        ("LLM evaluation unavailable, falling back to test-only gate", None),
    ],
)
def test_a_pass_because_the_judge_could_not_be_asked_is_no_label(reasoning: str, value: float | None):
    con = connection()
    con.register("raw_spans", raw([[judged(reasoning)]]))
    (feedback,) = collect_feedback(con, DAY, [])[0].to_pylist()
    assert (feedback["tier"], feedback["value"], feedback["target_id"]) == ("judge", value, "story/l/s/1")
