"""The blame for a failed run is handed out once, and to the span that the signs point at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_assets.examples.credit import Signs, shares

ROOT = {"operation": "agent", "dialect": "gen_ai", "service_name": "s"}
FAILED = {
    "gen_ai.evaluation.name": "reward",
    "flywheel.label.source_tier": "check",
    "flywheel.evaluator.id": "db",
    "gen_ai.evaluation.score.value": 0,
}
LLM, TOOL = {"operation": "llm", "dialect": "gen_ai"}, {"operation": "tool", "dialect": "gen_ai", "tool_name": "search"}
ERROR = {"status": "error", "error_type": "Timeout"}
STEP = {"operation": "chain", "dialect": "gen_ai", **ERROR}


def said(good: int) -> dict:
    return {**FAILED, "gen_ai.evaluation.name": "step", "gen_ai.evaluation.score.value": good}


def run(span, *children: dict, events=(FAILED,)) -> list[dict]:
    """A run of these spans, one after the other; 'b' is the first."""
    spans = [span("a", events=events, **ROOT)]
    return spans + [
        span("bcdefgh"[n], child.pop("under", "a"), at=n + 1, **child) for n, child in enumerate(map(dict, children))
    ]


def blamed(labels, spans: list[dict]) -> dict[str, dict]:
    return {row["span_id"]: row for row in labels(spans).credit}


POINTED = {
    "the span where an error began": ([LLM, {**TOOL, **ERROR}, LLM], "c"),
    "where it began, not where it was passed on": ([{**LLM, **ERROR}, {**TOOL, **ERROR, "under": "b"}, LLM], "c"),
    "the span that was labelled bad": ([LLM, LLM, {**LLM, "events": [said(0)]}], "d"),
    "a label above an error": ([{**TOOL, **ERROR}, LLM, {**LLM, "events": [said(0)]}], "d"),
    "not an error that the same tool got over": ([{**TOOL, **ERROR}, {**TOOL, **ERROR, "tool_name": "buy"}, TOOL], "c"),
    "not a span that was labelled good": ([{**LLM, "events": [said(1)]}, LLM, LLM], "c"),
    "without any sign, what was done after the task was looked at": ([LLM, LLM, LLM], "c"),
    "the call rather than the tool that it told what to do": ([LLM, TOOL, LLM], "d"),
    "the last call of a step that failed": ([LLM, STEP, {**LLM, "under": "c"}, {**LLM, "under": "c"}, LLM], "e"),
}


@pytest.mark.parametrize(("children", "expected"), POINTED.values(), ids=POINTED)
def test_most_blame_goes_to(labels, span, children: list[dict], expected: str):
    found = blamed(labels, run(span, *children))
    spans = {name: row["blame"] for name, row in found.items() if name != "-"}
    assert max(spans, key=spans.__getitem__) == expected
    assert sum(row["blame"] for row in found.values()) == pytest.approx(found["-"]["failed"], abs=1e-12)


def test_one_failure_counts_once_however_many_spans_show_it(labels, span):
    few = blamed(labels, run(span, {**TOOL, **ERROR}))
    many = blamed(labels, run(span, *([{**TOOL, **ERROR}] * 7)))
    assert sum(row["blame"] for row in few.values()) == pytest.approx(sum(row["blame"] for row in many.values()))
    assert few["b"]["blame"] > many["b"]["blame"]


def test_a_run_that_went_well_or_of_which_nobody_spoke_blames_nobody(labels, span):
    good = {**FAILED, "gen_ai.evaluation.score.value": 1}
    assert labels(run(span, {**TOOL, **ERROR}, events=(good,))).credit == []
    assert labels(run(span, {**TOOL, **ERROR}, events=())).credit == []


def test_an_error_passed_on_is_not_blamed_at_all_unless_it_is_work_itself(labels, span):
    found = blamed(labels, run(span, STEP, {**TOOL, **ERROR, "under": "b"}))
    assert set(found) == {"c", "-"}
    assert found["c"]["reason"] == "an error began here"


def test_reasons_say_what_was_seen(labels, span):
    found = blamed(labels, run(span, {**TOOL, **ERROR}, TOOL, {**LLM, "events": [said(1)]}, LLM, LLM))
    assert found["b"]["reason"] == "an error began here; the same tool worked later"
    assert found["c"]["reason"] == "number 2 of its run"
    assert found["-"]["reason"] == "in no recorded span; and 1 with too little for a row"
    judged = {**said(0), "flywheel.label.source_tier": "judge"}
    assert blamed(labels, run(span, {**LLM, "events": [judged]}))["b"]["reason"] == "labelled bad, 0.7 sure"


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.booleans(),
            st.booleans(),
            st.booleans(),
            st.sampled_from([None, 0.0, 0.3, 1.0]),
            st.floats(0.5, 1),
        ),
        max_size=30,
    )
)
def test_shares_are_probabilities_of_one_failure(rows):
    rows = sorted(rows, key=lambda row: row[0])
    run = np.array([row[0] for row in rows], np.int64)
    place = np.array([1 + sum(run[:n] == run[n]) for n in range(len(rows))], float)
    flags = (np.array([row[n] for row in rows], bool) for n in (1, 2, 3))
    said = np.array([np.nan if row[4] is None else row[4] for row in rows], float)
    signs = Signs(run, place, *flags, said, np.array([row[5] for row in rows], float))
    by_span, nowhere = shares(signs, 4)
    assert np.all((by_span >= 0) & (by_span <= 1))
    assert np.bincount(run, by_span, 4) + nowhere == pytest.approx(np.ones(4))
