"""Spans by hand: what is not said is plain."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from flywheel_assets.lake.session import connection
from flywheel_assets.runs.fold import fold_runs
from flywheel_assets.tables.raw_spans import RAW_SPANS

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOON.date()


def raw_span(
    span_id: str, parent: str | None = None, *, at: float = 0, lasts: float | None = 1, **columns: Any
) -> dict:
    """A span `at` seconds after noon of 20 November 2026; `lasts` None means it has no end yet."""
    start = columns.pop("start", NOON) + timedelta(seconds=at)
    nanos = int((start - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1000
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
        "duration_ns": None if lasts is None else int(lasts * 1e9),
        "status": "unset",
        "attr_text": [],
        "attr_json": [],
    }
    for key in ("attr_text", "attr_json"):
        row[key] = list(dict(columns.pop(key, {})).items())
    return {**row, **columns}


def folded(spans: Iterable[Mapping[str, Any]], day: date = TODAY) -> tuple[pa.Table, pa.Table]:
    con = connection()
    window = [span for span in spans if abs((span["day"] - day).days) <= 1]
    con.register("raw_spans", RAW_SPANS.rows(window))
    return fold_runs(con, day)


@pytest.fixture(scope="session")
def span() -> Callable[..., dict]:
    return raw_span


@pytest.fixture(scope="session")
def fold() -> Callable[..., tuple[pa.Table, pa.Table]]:
    return folded
