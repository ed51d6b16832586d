"""Recorded telemetry goes in through the command line and comes out as scores, every span accounted for."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from math import comb
from pathlib import Path

import pandas as pd
import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.snapshots.live import rows_of
from flywheel_assets.tables.catalogue import TABLES
from flywheel_assets.tables.labeled_examples import LABELED_EXAMPLES
from flywheel_assets_tests.real_input import taubench

RECORDED = ("trail/otlp", "captures/restate", "captures/inngest")


def flywheel(*words: object) -> dict[str, object]:
    """What the command answers, as a program would read it."""
    command = [sys.executable, "-m", "flywheel_assets.cli", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def lake(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake after all recordings went in, one file twice, and the wheel turned."""
    folder = tmp_path_factory.mktemp("recordings")
    written = folder / "taubench.jsonl"
    written.write_text("\n".join(taubench.requests(shared_data / "taubench")) + "\n", encoding="utf-8")
    data = folder / "data"
    for path in (*(shared_data / name for name in RECORDED), written, shared_data / "captures/restate"):
        flywheel("ingest", path, "--data", data)
    assert flywheel("run", "--data", data)["result"]["failed"] == []
    return Lake(str(data / "lake"))


def spans(request: object) -> Iterator[dict[str, object]]:
    """The spans of an OTLP/JSON request, with nothing but what JSON gives."""
    for resource in request.get("resourceSpans", []) if isinstance(request, dict) else []:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


def documents(file: Path) -> Iterator[object]:
    """The file's JSON documents: one, or one a line."""
    text = gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text(encoding="utf-8")
    try:
        yield json.loads(text)
    except json.JSONDecodeError:
        yield from map(json.loads, text.splitlines())


STATUSES = {0: "unset", 1: "ok", 2: "error", "STATUS_CODE_OK": "ok", "STATUS_CODE_ERROR": "error"}
TOKENS = {
    "input": ("gen_ai.usage.input_tokens", "llm.token_count.prompt"),
    "output": ("gen_ai.usage.output_tokens", "llm.token_count.completion"),
    "total": ("gen_ai.usage.total_tokens", "llm.token_count.total"),
}


def tokens(span: dict[str, object]) -> tuple[int | None, ...]:
    """Input, output and total tokens, as the attributes say, whichever of the two conventions they follow."""
    held = {item["key"]: next(iter(item["value"].values()), None) for item in span.get("attributes", [])}
    return tuple(next((int(held[key]) for key in keys if key in held), None) for keys in TOKENS.values())


def test_every_span_of_every_recording_arrives_once_as_it_was(lake: Lake, shared_data: Path) -> None:
    expected = {
        (span["traceId"], span["spanId"]): (
            span.get("parentSpanId") or None,
            span["name"],
            STATUSES[span.get("status", {}).get("code", 0)],
            *tokens(span),
            int(span["startTimeUnixNano"]),
            datetime.fromtimestamp(int(span["startTimeUnixNano"]) / 1e9, UTC).date(),
        )
        for name in RECORDED
        for file in (shared_data / name).iterdir()
        for document in documents(file)
        for span in spans(document)
    }
    con = lake.connect(TABLES)
    found = con.sql(
        "SELECT trace_id, span_id, parent_span_id, name, status, input_tokens, output_tokens, total_tokens, "
        "start_unix_nano, day FROM raw_spans "
        "WHERE service_name IS DISTINCT FROM 'tau-bench'"
    ).fetchall()
    rows = {(trace, span): tuple(rest) for trace, span, *rest in found}
    # Compared one by one, so that a difference names its span and shows no content.
    assert [key for key in expected if rows.get(key) != expected[key]] == []
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("what", "sql"),
    [
        (
            "spans = spans in a run or in none",
            "SELECT (SELECT count(*) FROM raw_spans) - (SELECT count(*) FROM run_spans)",
        ),
        (
            "runs = examples at run grain",
            "SELECT (SELECT count(*) FROM agent_runs) - (SELECT count(*) FROM labeled_examples WHERE grain = 'run')",
        ),
        (
            "examples = admitted + set aside",
            (
                "SELECT (SELECT count(*) FROM labeled_examples) - (SELECT count(*) FROM gated_observations)"
                " - (SELECT count(*) FROM rejections)"
            ),
        ),
        (
            "a verdict for every example and gate",
            (
                "SELECT (SELECT count(*) FROM gate_verdicts) - (SELECT count(*) FROM labeled_examples)"
                " * (SELECT count(DISTINCT gate) FROM gate_verdicts)"
            ),
        ),
        (
            "runs in the scores = runs with a skill and an arm",
            (
                "SELECT (SELECT sum(runs) FROM skill_scores)"
                " - (SELECT count(*) FROM agent_runs WHERE skill IS NOT NULL AND arm IS NOT NULL)"
            ),
        ),
    ],
)
def test_nothing_is_lost_on_the_way(lake: Lake, what: str, sql: str) -> None:
    assert lake.connect(TABLES).sql(sql).fetchall() == [(0,)], what


def test_scores_of_tau_bench_equal_a_direct_computation(lake: Lake, shared_data: Path) -> None:
    runs = pd.read_csv(shared_data / "taubench" / "runs.csv")
    direct = runs.groupby("domain")["reward"].agg(["count", "mean"])
    scores = lake.connect(TABLES).sql(
        "SELECT skill, admitted, mean FROM skill_scores WHERE skill IN ('airline', 'retail') ORDER BY skill"
    )
    expected = [(skill, row["count"], pytest.approx(row["mean"], abs=1e-12)) for skill, row in direct.iterrows()]
    assert scores.fetchall() == expected


def test_every_trace_of_the_recording_with_human_errors_arrives(lake: Lake, shared_data: Path) -> None:
    files = list((shared_data / "trail/otlp").iterdir())
    sent = [span for file in files for document in documents(file) for span in spans(document)]
    traces = sorted({str(span["traceId"]) for span in sent})
    found = lake.connect(TABLES).execute(
        "SELECT count(DISTINCT trace_id), count(*), count(parent_span_id), count(*) FILTER (status = 'error') "
        "FROM raw_spans WHERE list_contains($traces, trace_id)",
        {"traces": traces},
    )
    parents = sum(bool(span.get("parentSpanId")) for span in sent)
    errors = sum(STATUSES[span.get("status", {}).get("code", 0)] == "error" for span in sent)
    assert found.fetchall() == [(len(traces), len(sent), parents, errors)]
    assert len(traces) == len(files) > 50


def passed_together(rewards: pd.DataFrame, trials: int) -> dict[int, float]:
    """pass^k: how likely k trials of one task, drawn without putting back, all pass; over tasks with all trials."""
    counts = rewards.groupby("task")["reward"].agg(["sum", "count"])
    counts = counts[counts["count"] == trials]
    return {
        k: sum(comb(round(row["sum"]), k) / comb(trials, k) for _, row in counts.iterrows()) / len(counts)
        for k in range(1, trials + 1)
    }


def test_runs_that_pass_every_time_equal_a_direct_computation(lake: Lake, shared_data: Path) -> None:
    """From labels of the wheel's own runs, each one conversation, against the data set's rewards."""
    found = lake.connect(TABLES).sql(
        "SELECT session_id, outcome FROM labeled_examples "
        "WHERE grain = 'run' AND skill = 'airline' AND outcome IS NOT NULL"
    )
    labelled = pd.DataFrame(found.fetchall(), columns=["session", "reward"])
    labelled["task"] = labelled["session"].str.split("/").str[1]
    direct = pd.read_csv(shared_data / "taubench" / "runs.csv").query("domain == 'airline'")
    direct = direct.rename(columns={"task_id": "task"})
    trials = int(direct.groupby("task").size().max())
    expected = passed_together(direct, trials)
    assert passed_together(labelled, trials) == pytest.approx(expected, abs=1e-12)
    shown = rows_of(lake, ["passes_every_time"], [LABELED_EXAMPLES])
    airline = {row["k"]: row["pass_k"] for row in shown if row["skill"] == "airline"}
    assert airline == pytest.approx(expected, abs=1e-12)
    assert list(expected) == [1, 2, 3, 4]
    assert sorted(expected.values(), reverse=True) == list(expected.values())
