"""A run that has not ended: open, told by its runtime, or abandoned; and which word counts."""

from datetime import timedelta

import pytest

HOUR = 3600
INVOCATION = {"dialect": "restate", "invocation_id": "inv_1", "invocation_target": "Support/ok"}
START = {**INVOCATION, "operation": "invocation", "name": "invocation-start Support/ok"}
END = {**INVOCATION, "operation": "invocation", "name": "invocation-end Support/ok"}
ANSWER = {**INVOCATION, "operation": "invocation", "name": "flywheel.restate.status"}
LATER = {"operation": "agent", "dialect": "gen_ai", "trace_id": "other"}
# Spans by hours after noon, and what becomes of invocation inv_1.
CASES = {
    "nothing else was heard: open": ([("s", 0, 1, START)], "open", None),
    "others were heard within its horizon: open": ([("s", 0, 1, START), ("o", 11, 1, LATER)], "open", None),
    "others were heard long after its last sign of life: abandoned": (
        [("s", 0, 1, START), ("o", 25, 1, LATER)],
        "abandoned",
        None,
    ),
    "the runtime says that it lives: open": (
        [("s", 0, 1, START), ("a", 0, 20 * HOUR, {**ANSWER, "runtime_status": "suspended"}), ("o", 25, 1, LATER)],
        "open",
        "suspended",
    ),
    "its end came late: it ended": (
        [("s", 0, 1, START), ("o", 25, 1, LATER), ("e", 24, 1, {**END, "runtime_status": "success"})],
        "ok",
        "success",
    ),
    "what it answered when it was asked outweighs what it sent": (
        [
            ("s", 0, 1, START),
            ("a", 0, 60, {**ANSWER, "runtime_status": "failure", "status": "error"}),
            ("e", 1, 1, {**END, "runtime_status": "failure", "error_type": "409 Aborted", "status_message": "killed"}),
        ],
        "error",
        "failure",
    ),
    "an end that it sent outweighs an answer from before": (
        [
            ("s", 0, 1, START),
            ("a", 0, 1, {**ANSWER, "runtime_status": "running"}),
            ("e", 1, 1, {**END, "runtime_status": "success"}),
        ],
        "ok",
        "success",
    ),
    **{
        f"{word} is {status}": ([("a", 0, 1, {**ANSWER, "runtime_status": word})], status, word)
        for word, status in {
            "success": "ok",
            "failure": "error",
            "killed": "cancelled",
            "cancelled": "cancelled",
            "paused": "open",
            "suspended": "open",
            "backing-off": "open",
            "scheduled": "open",
        }.items()
    },
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_without_an_end_is_told_as_what_it_is(case, span, fold):
    given, status, word = CASES[case]
    spans = [span(name, None, at=at * HOUR, lasts=lasts, **columns) for name, at, lasts, columns in given]
    runs, _ = fold(spans)
    row = next(one for one in runs.to_pylist() if one["run_id"] == "inv_1")
    assert (row["status"], row["runtime_status"]) == (status, word)
    assert (row["duration_ns"] is None) == (status in ("open", "abandoned"))


@pytest.mark.parametrize(("hours", "status"), [(6, "abandoned"), (12, "open")])
def test_the_horizon_can_be_set(hours, status, span):
    from flywheel_assets.lake.session import connection
    from flywheel_assets.runs.fold import fold_runs
    from flywheel_assets.tables.raw_spans import RAW_SPANS

    spans = [span("s", None, **START), span("o", None, at=10 * HOUR, **LATER)]
    con = connection()
    con.register("raw_spans", RAW_SPANS.rows(spans))
    runs, _ = fold_runs(con, spans[0]["day"], timedelta(hours=hours))
    assert {row["run_id"]: row["status"] for row in runs.to_pylist()}["inv_1"] == status


def test_a_call_that_was_waited_for_is_part_of_its_callers_run_and_one_that_was_not_is_not(span, fold):
    answer = {**ANSWER, "runtime_status": "success"}
    called = {"operation": "other", "name": "flywheel.restate.call", "dialect": "restate", "invocation_id": "inv_1"}
    spans = [
        span("a", None, **answer),
        span("b", None, at=1, **{**answer, "invocation_id": "inv_2", "trace_id": "t2"}),
        span("c", None, at=1, **called, attr_text={"flywheel.restate.called": "inv_2"}),
        span("d", None, at=1, **{**answer, "invocation_id": "inv_3", "trace_id": "t3"}),
    ]
    runs, run_spans = fold(spans)
    assert runs.column("run_id").to_pylist() == ["inv_1", "inv_3"]
    assert {row["span_id"]: row["run_id"] for row in run_spans.to_pylist()} == {
        "a": "inv_1",
        "b": "inv_1",
        "c": "inv_1",
        "d": "inv_3",
    }


ULID = "01M7WD7TG0ABCDEFGHJKMNPQRS"
APP = {"dialect": "inngest", "operation": "attempt", "invocation_id": ULID, "name": "inngest.execution"}
# Spans by days after noon of the 20th: what each day's fold makes of one run that sleeps for days.
SLEEPERS = {
    "an invocation that woke days later has one row": (
        [
            ("s", 0, START),
            ("p", 3, {**INVOCATION, "operation": "attempt", "name": "invocation-attempt x"}),
            ("e", 3, END),
        ],
        {0: ["inv_1"], 1: [], 2: [], 3: []},
    ),
    "its row is on the day of its beginning, where the answer to a question is": (
        [("a", 0, {**ANSWER, "runtime_status": "success"}), ("e", 3, END)],
        {0: ["inv_1"], 3: []},
    ),
    "a function run that woke days later has one row": ([("x", 0, APP), ("y", 3, APP)], {0: [ULID], 3: []}),
    "one that was queued just before midnight and ran after it has one row": ([("y", 1, APP)], {0: [], 1: [ULID]}),
    "an id that tells no time is believed": ([("y", 3, {**APP, "invocation_id": "mine"})], {3: ["mine"]}),
}


@pytest.mark.parametrize("case", SLEEPERS)
def test_a_durable_run_has_one_row_however_long_it_slept(case, span, fold):
    given, expected = SLEEPERS[case]
    spans = [span(name, None, at=days * 24 * HOUR, trace_id=name, **columns) for name, days, columns in given]
    for days, run_ids in expected.items():
        day = spans[0]["day"] + timedelta(days=days - given[0][1])
        runs, run_spans = fold(spans, day)
        assert runs.column("run_id").to_pylist() == run_ids, days
        own = [row for row in run_spans.to_pylist() if row["day"] == day]
        assert {row["span_id"] for row in own} == {name for name, at, _ in given if at == days}
        assert None not in {row["run_id"] for row in own}
