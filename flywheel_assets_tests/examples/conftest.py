"""Spans by hand, and the way from them to labeled examples."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from flywheel_assets.examples.collect import collect_feedback
from flywheel_assets.examples.label import label
from flywheel_assets.lake.session import connection
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.tables.anchored_opinions import ANCHORED_OPINIONS
from flywheel_assets.tables.raw_spans import RAW_SPANS
from flywheel_assets.tables.statements import LABEL_SETTINGS

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOON.date()
HOUR = timedelta(hours=1)
MAPS = {"attr_text": str, "attr_json": str, "attr_int": int, "attr_double": float, "attr_bool": bool}


def raw_span(span_id: str, parent: str | None = None, *, at: float = 0, events: Any = (), **columns: Any) -> dict:
    """A span `at` seconds after noon that lasts a second; `events` are the attributes of evaluations."""
    start = NOON + timedelta(seconds=at)
    nanos = int((start - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1000
    said = [
        {"time_unix_nano": nanos, "name": "gen_ai.evaluation.result", "attributes_json": json.dumps(attributes)}
        for attributes in events
    ]
    row = {
        "day": start.date(),
        "trace_id": "t1",
        "span_id": span_id,
        "parent_span_id": parent,
        "batch_id": "b",
        "name": span_id,
        "kind": "internal",
        "start_time": start,
        "start_unix_nano": nanos,
        "duration_ns": 10**9,
        "status": "unset",
        "events": said,
        **{key: list(columns.pop(key, {}).items()) for key in MAPS},
    }
    return {**row, **columns}


def collected_and_shown(spans: list[dict], posted: list[dict] | None = None) -> tuple[list[dict], list[dict]]:
    con = connection()
    con.register("raw_spans", RAW_SPANS.rows([row for row in spans if row["day"] == TODAY]))
    body = "\n".join(json.dumps(line) for line in posted or []).encode()
    said, shown = collect_feedback(con, TODAY, [body])
    return said.to_pylist(), shown.to_pylist()


def collected(spans: list[dict], posted: list[dict] | None = None) -> list[dict]:
    return collected_and_shown(spans, posted)[0]


def labeled(
    spans: list[dict],
    posted: list[dict] | None = None,
    *,
    horizon: timedelta = HOUR,
    horizons: dict[str, timedelta] | None = None,
) -> SimpleNamespace:
    con = connection()
    con.register("raw_spans", RAW_SPANS.rows(spans))
    runs, run_spans = fold_runs(con, TODAY)
    body = "\n".join(json.dumps(line) for line in posted or []).encode()
    feedback, _ = collect_feedback(con, TODAY, [body])
    for name, rows in (("agent_runs", runs), ("run_spans", run_spans), ("feedback", feedback)):
        con.register(name, rows)
    hours = {"*": horizon, **(horizons or {})}
    stated = [{"name": "outcome_horizon_hours", "skill": name, "value": hours[name] / HOUR} for name in hours]
    con.register("label_settings", LABEL_SETTINGS.rows(stated))
    con.register("anchored_opinions", ANCHORED_OPINIONS.empty())
    _, votes, authors, credit, found, examples = label(con, TODAY)
    return SimpleNamespace(
        votes=votes.to_pylist(),
        authors=authors.to_pylist(),
        credit=credit.to_pylist(),
        found=found.to_pylist(),
        examples={row["example_id"]: row for row in examples.to_pylist()},
        runs=runs.to_pylist(),
    )


@pytest.fixture(scope="session")
def span() -> Callable[..., dict]:
    return raw_span


@pytest.fixture(scope="session")
def collect() -> Callable[..., list[dict]]:
    return collected


@pytest.fixture(scope="session")
def shown() -> Callable[..., tuple[list[dict], list[dict]]]:
    return collected_and_shown


@pytest.fixture(scope="session")
def labels() -> Callable[..., SimpleNamespace]:
    return labeled
