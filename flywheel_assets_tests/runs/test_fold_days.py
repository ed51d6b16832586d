"""Runs and midnight; and that nothing depends on how the rows lie."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel_assets.runs.window import in_order

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)
AGENT = {"operation": "agent", "dialect": "gen_ai"}
LLM = {"operation": "llm", "dialect": "gen_ai"}
INNGEST = {"dialect": "inngest", "operation": "attempt", "invocation_id": "01A"}
HOUR = 3600

# Spans by hours after midnight of the 20th, and {day: (runs, {run: spans})} that each day must write.
CASES = {
    "a run that passes midnight belongs to the day it starts, with all its spans": (
        [("a", None, 23, AGENT), ("m", "a", 23.5, LLM), ("n", "a", 24.5, LLM)],
        {20: (["t1:a"], {"t1:a": "amn"}), 21: ([], {})},
    ),
    "a run whose id lives on past midnight is still one": (
        [("x", None, 23, INNGEST), ("y", None, 25, {**INNGEST, "trace_id": "t2"})],
        {20: (["01A"], {"01A": "xy"}), 21: ([], {})},
    ),
    "spans without a run stay with their own day": (
        [("x", None, 23, {}), ("y", "x", 25, {})],
        {20: ([], {None: "x"}), 21: ([], {None: "y"})},
    ),
    "one that lasts past the next day's end is cut there, and no span is lost": (
        [("a", None, 1, AGENT), ("m", "a", 25, LLM), ("n", "m", 49, LLM)],
        {20: (["t1:a"], {"t1:a": "am"}), 21: ([], {"t1:a": "n"}), 22: ([], {})},
    ),
    # The 20th looks back only: to it, its run is the trace's only one, and takes in the wrapper.
    "two runs on either side of midnight in one trace stay two": (
        [("x", None, 1, {}), ("a", "x", 23, AGENT), ("b", "x", 25, AGENT), ("m", "b", 25.1, LLM)],
        {20: (["t1:a"], {"t1:a": "ax"}), 21: (["t1:b"], {"t1:b": "bm"})},
    ),
    "a durable run that was silent for a whole day is told again where it wakes": (
        [("x", None, 1, INNGEST), ("y", None, 49, {**INNGEST, "trace_id": "t2"})],
        {20: (["01A"], {"01A": "x"}), 21: ([], {}), 22: (["01A"], {"01A": "y"})},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_runs_and_midnight(case, span, fold):
    given_spans, expected = CASES[case]
    spans = [
        span(name, parent, start=MIDNIGHT, at=hours * HOUR, **columns) for name, parent, hours, columns in given_spans
    ]
    for number, (run_ids, members) in expected.items():
        runs, run_spans = fold(spans, (MIDNIGHT + (number - 20) * DAY).date())
        found = defaultdict(str)
        for row in run_spans.to_pylist():
            found[row["run_id"]] += row["span_id"]
        assert (runs.column("run_id").to_pylist(), dict(found)) == (run_ids, members), number


KINDS = st.sampled_from(
    [
        AGENT,
        LLM,
        LLM,
        {},
        {"operation": "evaluation"},
        {"operation": "chain", "dialect": "openinference"},
        {"dialect": "restate", "operation": "attempt", "invocation_id": "inv_1"},
        {"dialect": "restate", "operation": "attempt", "invocation_id": "inv_2"},
        {"dialect": "inngest", "operation": "attempt", "invocation_id": "01A"},
    ]
)
SPANS = st.lists(st.tuples(st.integers(-1, 15), st.integers(0, 71), KINDS, st.integers(1, 3)), min_size=1, max_size=16)


@settings(max_examples=12, deadline=None)
@given(drawn=SPANS, data=st.data())
def test_every_span_is_in_one_place_whatever_the_order_and_however_often_it_came(drawn, data, span, fold):
    spans = []
    for number, (parent, hours, columns, trace) in enumerate(drawn):
        up = f"s{parent}" if 0 <= parent < len(drawn) else None
        made = span(f"s{number}", up, start=MIDNIGHT, at=hours * HOUR, **{"trace_id": f"t{trace}", **columns})
        spans.append(made)
    days = [(MIDNIGHT + n * DAY).date() for n in range(3)]
    folded = {day: fold(spans, day) for day in days}
    places = Counter(
        (row["trace_id"], row["span_id"]) for _, run_spans in folded.values() for row in run_spans.to_pylist()
    )
    assert places == Counter((row["trace_id"], row["span_id"]) for row in spans)
    run_ids = [run_id for runs, _ in folded.values() for run_id in runs.column("run_id").to_pylist() if ":" in run_id]
    assert len(run_ids) == len(set(run_ids))
    for day, (runs, run_spans) in folded.items():
        assert set(runs.column("day").to_pylist()) <= {day}
        mine = Counter(row["run_id"] for row in run_spans.to_pylist())
        assert {row["run_id"]: row["spans"] for row in runs.to_pylist()}.items() <= mine.items()
    shuffled = data.draw(st.permutations(spans + spans[: len(spans) // 2]))
    for day in days:
        assert [table.to_pylist() for table in fold(shuffled, day)] == [table.to_pylist() for table in folded[day]]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=60))
def test_spans_of_one_moment_come_in_order_of_their_ties(spans):
    start, tie = np.array(spans, np.int64).reshape(-1, 2).T
    assert in_order(start, tie.astype(np.uint64)).tolist() == np.lexsort((tie, start)).tolist()
