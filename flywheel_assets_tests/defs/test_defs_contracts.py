"""Contracts are seen to hold and to break, cost what is new, and stay red until mended."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from flywheel_assets.defs.contracts import audit, judge
from flywheel_assets.lake.lake import Lake
from flywheel_assets.tables.run_spans import RUN_SPANS

DAYS = [date(2026, 1, 1), date(2026, 1, 2)]


def rows(day: date, *spans: str, role: str | None = "root") -> pa.Table:
    return RUN_SPANS.rows(
        [{"day": day, "span_day": day, "trace_id": "t", "span_id": span, "role": role} for span in spans]
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(str(tmp_path))
    for day in DAYS:
        found.overwrite(RUN_SPANS, rows(day, "1", "2"), day)
    return found


def around(lake: Lake, data: pa.Table) -> None:
    """Write past the lake's own door, as a bug or another engine would."""
    write_deltalake(lake.uri(RUN_SPANS), data, mode="append", partition_by=["day"])


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        (None, []),
        (rows(DAYS[1], "2"), [(DAYS[1], "repeats the key", 1)]),
        (rows(DAYS[0], "3", role=None), [(DAYS[0], "no role", 1)]),
    ],
    ids=["as the lake writes them", "a key twice", "a required column empty"],
)
def test_rows_that_break_the_contract_are_counted_by_day(lake: Lake, wrong: pa.Table | None, faults: list) -> None:
    if wrong is not None:
        around(lake, wrong)
    assert [(fault.day, fault.what, fault.rows) for fault in audit(lake, RUN_SPANS).faults] == faults


def test_only_days_that_changed_are_read_again(lake: Lake) -> None:
    seen = audit(lake, RUN_SPANS)
    assert (seen.rows, audit(lake, RUN_SPANS, seen.version).rows) == (4, 0)
    lake.overwrite(RUN_SPANS, rows(DAYS[1], "1", "2", "3"), DAYS[1])
    assert audit(lake, RUN_SPANS, seen.version).rows == 3


def test_a_day_stays_red_until_it_is_mended_though_others_changed(lake: Lake) -> None:
    around(lake, rows(DAYS[0], "1"))
    first = judge(lake, RUN_SPANS, None, [])
    lake.overwrite(RUN_SPANS, rows(DAYS[1], "9"), DAYS[1])
    red = [date.fromisoformat(day) for day in first.found["red days"]]
    second = judge(lake, RUN_SPANS, first.found["table version"], red)
    assert (first.passed, second.passed, second.found["red days"]) == (False, False, ["2026-01-01"])
    lake.overwrite(RUN_SPANS, rows(DAYS[0], "1"), DAYS[0])
    assert judge(lake, RUN_SPANS, second.found["table version"], red).passed


def test_a_table_that_was_never_written_keeps_its_contract(tmp_path: Path) -> None:
    assert judge(Lake(str(tmp_path)), RUN_SPANS, None, []).passed
