"""Recorded telemetry goes in through the command line and comes out as scores, every span accounted for."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.catalogue import TABLES
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


def test_every_span_of_every_recording_arrives_once_with_its_parent_and_times(lake: Lake, shared_data: Path) -> None:
    expected = {
        (span["traceId"], span["spanId"]): (
            span.get("parentSpanId") or None,
            span["name"],
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
        "SELECT trace_id, span_id, parent_span_id, name, start_unix_nano, day FROM raw_spans "
        "WHERE service_name IS DISTINCT FROM 'tau-bench'"
    ).fetchall()
    assert {(trace, span): tuple(rest) for trace, span, *rest in found} == expected
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
