"""Storms: bursts that one row stands for, and bursts that came as so many spans."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from flywheel_assets.lake.session import connection
from flywheel_assets.spans.storms import MORE_THAN, count_storms
from flywheel_assets.tables.raw_spans import RAW_SPANS

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def span(number: int, **said: Any) -> dict[str, Any]:
    start = NOON + timedelta(milliseconds=number)
    plain = dict.fromkeys(("flags", "dropped_attributes", "dropped_events", "dropped_links"), 0)
    return plain | {
        "day": DAY, "trace_id": f"t{number}", "span_id": f"s{number}", "batch_id": "b", "name": "connect",
        "kind": "internal", "start_time": start, "start_unix_nano": int(start.timestamp() * 1e9), "duration_ns": 0,
        "status": "error", "status_message": f"refused by 10.0.0.{number}", "service_name": "gateway",
    } | said  # fmt: skip


def storms(*spans: dict[str, Any]) -> list[dict[str, Any]]:
    con = connection()
    con.register("raw_spans", RAW_SPANS.rows(spans))
    return count_storms(con, DAY)[0].to_pylist()


def test_a_row_that_stands_for_many_says_for_how_many_and_when():
    attributes = {
        "attr_int": [("flywheel.storm.count", 41)],
        "attr_text": [("flywheel.storm.signature", "refused"), ("system_bus.component", "redis")],
    }
    (found,) = storms(span(1, operation="storm", duration_ns=5_000_000_000, **attributes))
    assert {name: found[name] for name in ("name", "component", "signature", "count", "collapsed")} == {
        "name": "connect", "component": "redis", "signature": "refused", "count": 41, "collapsed": True,
    }  # fmt: skip
    assert found["last_time"] - found["first_time"] == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("count", "said", "found"),
    [
        (MORE_THAN + 1, {}, [MORE_THAN + 1]),
        (MORE_THAN, {}, []),
        (MORE_THAN + 1, {"status": "ok"}, []),
        (MORE_THAN + 1, {"invocation_id": "inv_1"}, []),
        (MORE_THAN + 1, {"operation": "llm"}, []),
        (MORE_THAN + 1, {"operation": "other"}, [MORE_THAN + 1]),
    ],
    ids=["burst", "few", "no failure", "work", "a model's failures", "nothing's failures"],
)
def test_only_many_equal_failures_of_no_run_are_a_storm(count: int, said: dict[str, Any], found: list[int]):
    told = storms(*(span(number, **said) for number in range(count)))
    assert [(one["count"], one["collapsed"], one["signature"]) for one in told] == [
        (number, False, "refused by #.#.#.#") for number in found
    ]


def test_a_burst_of_each_minute_is_a_row_of_its_own():
    minutes = [
        span(number, start_time=NOON + timedelta(minutes=number % 2, seconds=number // 2)) for number in range(60)
    ]
    assert [one["count"] for one in storms(*minutes)] == [30, 30]
