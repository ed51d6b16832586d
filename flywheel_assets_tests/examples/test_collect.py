"""Feedback in every form it comes in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

OURS = {"gen_ai.evaluation.name": "reward", "flywheel.label.source_tier": "check", "flywheel.evaluator.id": "db"}
LINK = [{"trace_id": "t9", "span_id": "z", "attributes_json": "{}"}]
ASIDE = {"operation": "evaluation", "dialect": "openinference"}


def score(value, **more):
    return {**OURS, "gen_ai.evaluation.score.value": value, **more}


EVENTS = {
    "a score of a registered evaluator": (
        score(1.0, **{"gen_ai.evaluation.explanation": "matches", "flywheel.evaluator.version": "3"}),
        {
            "target_kind": "span",
            "target_id": "t1:a",
            "name": "reward",
            "value": 1.0,
            "tier": "check",
            "author_id": "db",
            "author_version": "3",
            "comment": "matches",
            "source": "span_event",
            "observed_at": datetime(2026, 11, 20, 12, tzinfo=UTC),
        },
    ),
    "an evaluator that nobody registered": (
        {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.7},
        {"value": 0.7, "tier": "judge", "author_id": "unregistered"},
    ),
    "a stated tier registers, under the name of what is judged": (
        {"gen_ai.evaluation.name": "thumbs", "gen_ai.evaluation.score.value": 0, "flywheel.label.source_tier": "human"},
        {"value": 0.0, "tier": "human", "author_id": "thumbs"},
    ),
    "the evaluator's kind gives the tier": (
        {"gen_ai.evaluation.name": "x", "flywheel.evaluator.kind": "LLM", "gen_ai.evaluation.score.value": 1},
        {"tier": "judge", "author_id": "x"},
    ),
    "a score on a scale of its own": (
        score(4, **{"flywheel.outcome.min": 1, "flywheel.outcome.max": 5}),
        {"value": 0.75},
    ),
    "a score off the scale has no value": (score(4), {"value": None, "value_text": "4.0"}),
    "a score off its own scale neither": (
        score(6, **{"flywheel.outcome.max": 5}),
        {"value": None, "value_text": "6.0"},
    ),
    "yes and no are scores": (score(True), {"value": 1.0}),
    "a score that is not a number is none": (score("high"), {"value": None}),
    "a label tells the pole": ({**OURS, "gen_ai.evaluation.score.label": "Pass"}, {"value": 1.0, "value_text": "Pass"}),
    "any other label is kept": ({**OURS, "gen_ai.evaluation.score.label": "meh"}, {"value": None, "value_text": "meh"}),
    "a judge that was unavailable has not passed anything": (
        score(1.0, **{"error.type": "timeout", "gen_ai.evaluation.score.label": "pass"}),
        {"value": None, "value_text": "error: timeout"},
    ),
    "a named target": (
        score(1.0, **{"flywheel.target.kind": "session", "flywheel.target.id": "s7"}),
        {"target_kind": "session", "target_id": "s7"},
    ),
    "another span's response": (
        score(1.0, **{"gen_ai.response.id": "r1"}),
        {"target_kind": "response", "target_id": "r1"},
    ),
}


THUMBS = {
    1.0: ("👍", "👍🏽", "👍 👍", "❤️", "❤️🔥", "💯", "thumbs up", "Thumbs-Up", ":thumbsup:", ":+1:", "upvote"),
    0.0: ("👎", "👎🏿", "💩💩", "😡", "thumbs_down", "thumbs down", ":-1:", "downvote"),
    None: ("👍👎", "👍 great", "🤔", "thumbs", "1", "0", "-", ":", "up up up"),
}


@pytest.mark.parametrize(("value", "text"), [(value, text) for value, texts in THUMBS.items() for text in texts])
def test_a_thumb_is_a_value_and_two_minds_are_none(value, text, span, collect):
    line = {"target_kind": "run", "target_id": "r", "name": "x", "value_text": text, "tier": "human", "author_id": "u"}
    (row,) = collect([span("a")], [{**line, "observed_at": "2026-11-20T13:00:00+00:00"}])
    assert (row["value"], row["value_text"]) == (value, text)


@pytest.mark.parametrize("case", EVENTS)
def test_evaluation_events_are_statements(case, span, collect):
    attributes, expected = EVENTS[case]
    (row,) = collect([span("a", events=[attributes])])
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"response_id": "r1"}, ("span", "t1:a")),
        ({"operation": "evaluation"}, ("response", "r1")),
    ],
)
def test_an_event_with_its_own_spans_response_is_about_the_span(columns, expected, span, collect):
    (row,) = collect([span("a", events=[score(1.0, **{"gen_ai.response.id": "r1"})], **columns)])
    assert (row["target_kind"], row["target_id"]) == expected


@pytest.mark.parametrize(
    ("parent", "links", "expected"),
    [("a", None, "t1:a"), ("a", LINK, "t9:z"), (None, LINK, "t9:z"), (None, LINK * 2, "t1:e"), (None, None, "t1:e")],
)
def test_a_span_made_for_the_evaluation_speaks_of_another(parent, links, expected, span, collect):
    (row,) = collect([span("e", parent, operation="evaluation", links=links, events=[score(1.0)])])
    assert row["target_id"] == expected


ANNOTATIONS = {
    "of the span itself": (
        {"dialect": "openinference"},
        {"annotations.0.annotation.name": "correct", "annotations.0.annotation.annotator_kind": "HUMAN"},
        {"annotations.0.annotation.score": 1.0},
        [("span", "t1:e", "correct", 1.0, "human", "human")],
    ),
    "of a linked span, by two authors": (
        {**ASIDE, "links": LINK},
        {
            "annotations.0.annotation.name": "correct",
            "annotations.0.annotation.label": "incorrect",
            "annotations.0.annotation.annotator_kind": "CODE",
            "annotations.0.annotation.identifier": "unit-tests",
            "annotations.1.annotation.name": "correct",
            "annotations.1.annotation.annotator_kind": "LLM",
            "annotations.1.annotation.identifier": "judge-7",
        },
        {"annotations.1.annotation.score": 0.5},
        [
            ("span", "t9:z", "correct", 0.0, "check", "unit-tests"),
            ("span", "t9:z", "correct", 0.5, "judge", "judge-7"),
        ],
    ),
    "of the trace": (
        {**ASIDE, "links": LINK},
        {"trace.annotations.0.annotation.name": "solved", "trace.annotations.0.annotation.annotator_kind": "HUMAN"},
        {"trace.annotations.0.annotation.score": 1.0},
        [("run", "t9:z", "solved", 1.0, "human", "human")],
    ),
    "of the session": (
        {**ASIDE, "session_id": "s7"},
        {"session.annotations.0.annotation.name": "solved"},
        {"session.annotations.0.annotation.score": 1.0},
        [("session", "s7", "solved", 1.0, "judge", "unregistered")],
    ),
    "of a session nobody knows": (
        ASIDE,
        {"session.annotations.0.annotation.name": "solved"},
        {"session.annotations.0.annotation.score": 1.0},
        [],
    ),
    "as an evaluation": (
        {"dialect": "openinference"},
        {"evaluations.0.evaluation.name": "qa", "evaluations.0.evaluation.label": "correct"},
        {},
        [("span", "t1:e", "qa", 1.0, "judge", "unregistered")],
    ),
    "without a name": ({"dialect": "openinference"}, {"annotations.0.annotation.label": "pass"}, {}, []),
    "on a scale of one to five": (
        {"dialect": "openinference"},
        {
            "annotations.0.annotation.name": "plan",
            "annotations.0.annotation.metadata": '{"flywheel.outcome.min": 1, "flywheel.outcome.max": 5}',
        },
        {"annotations.0.annotation.score": 4.0},
        [("span", "t1:e", "plan", 0.75, "judge", "unregistered")],
    ),
}


@pytest.mark.parametrize("case", ANNOTATIONS)
def test_annotations_are_statements(case, span, collect):
    columns, texts, numbers, expected = ANNOTATIONS[case]
    rows = collect([span("e", attr_text=texts, attr_double=numbers, **columns)])
    found = [(r["target_kind"], r["target_id"], r["name"], r["value"], r["tier"], r["author_id"]) for r in rows]
    assert sorted(found) == sorted(expected)


def test_scores_of_an_inngest_function_are_statements_about_its_run(span, collect):
    rows = collect(
        [
            span(
                "m",
                name="metadata",
                dialect="inngest",
                invocation_id="01A",
                attr_text={
                    "_inngest.metadata.kind": "inngest.score",
                    "_inngest.metadata.values": (
                        '{"solved": {"value": true}, "neat": {"value": 0.25}, "n": {"value": 7}}'
                    ),
                },
            )
        ]
    )
    found = {row["name"]: (row["target_kind"], row["target_id"], row["value"], row["tier"]) for row in rows}
    assert found == {
        "solved": ("run", "01A", 1.0, "outcome"),
        "neat": ("run", "01A", 0.25, "outcome"),
        "n": ("run", "01A", None, "outcome"),
    }


LINE = {
    "target_kind": "run",
    "target_id": "t1:a",
    "name": "thumbs",
    "value": 1,
    "tier": "human",
    "author_id": "anna",
    "observed_at": "2026-11-20T13:00:00+01:00",
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, [("run", "t1:a", 1.0, "human", "anna")]),
        ({"author_id": None}, [("run", "t1:a", 1.0, "human", "thumbs")]),
        ({"author_id": None, "tier": None}, [("run", "t1:a", 1.0, "judge", "unregistered")]),
        ({"value": 3}, [("run", "t1:a", None, "human", "anna")]),
        ({"observed_at": "2026-11-21T00:30:00+01:00"}, [("run", "t1:a", 1.0, "human", "anna")]),
        ({"observed_at": "2026-11-21T01:30:00+01:00"}, []),
        ({"observed_at": "yesterday"}, []),
        ({"target_id": None}, []),
        ({"target_kind": "planet"}, []),
        ({"name": ""}, []),
    ],
)
def test_posted_lines_are_statements_of_their_day(change, expected, collect):
    rows = collect([], [{**LINE, **change}])
    assert [(r["target_kind"], r["target_id"], r["value"], r["tier"], r["author_id"]) for r in rows] == expected


@settings(max_examples=20, deadline=None)
@given(picked=st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_repeats_collapse_and_order_does_not_matter(picked, span, collect):
    spans = [span(f"s{n}", at=n, events=[score(n % 2)]) for n in range(4)]
    lines = [{**LINE, "target_id": f"t1:s{n}"} for n in range(4)]
    once = collect([spans[n] for n in sorted(set(picked))], [lines[n] for n in sorted(set(picked))])
    assert collect([spans[n] for n in picked], [lines[n] for n in picked]) == once
    assert len(once) == 2 * len(set(picked))


def test_only_spans_that_may_be_annotated_are_looked_into(span, collect):
    said = {"annotations.0.annotation.name": "tone", "annotations.0.annotation.label": "good"}
    told = {"a": True, "b": None, "c": False}
    spans = [span(name, dialect="openinference", attr_text=said, annotated=flag) for name, flag in told.items()]
    assert sorted(row["target_id"] for row in collect(spans)) == ["t1:a", "t1:b"]


POSTED = {
    "target_kind": "run",
    "target_id": "t1:a",
    "name": "answer",
    "tier": "human",
    "author_id": "ann",
    "observed_at": "2026-11-20T13:00:00Z",
}
SHOWN = {
    "an answer put right": (
        {"correction": {"before": "4 o'clock", "after": "5 o'clock"}},
        {"kind": "correction", "before": "4 o'clock", "after": "5 o'clock", "request": None},
    ),
    "what was answered need not be repeated": (
        {"correction": {"after": "5 o'clock"}},
        {"kind": "correction", "before": None, "after": "5 o'clock"},
    ),
    "how it is done": (
        {"demonstration": {"request": "when?", "answer": "5 o'clock"}, "value": True},
        {"kind": "demonstration", "request": "when?", "before": None, "after": "5 o'clock"},
    ),
}


@pytest.mark.parametrize(("given", "expected"), SHOWN.values(), ids=SHOWN)
def test_what_is_shown_is_kept_beside_its_statement(shown, given, expected):
    (said,), (row,) = shown([], [{**POSTED, **given}])
    assert {name: row[name] for name in expected} == expected
    assert row["feedback_id"] == said["feedback_id"]
    assert (row["author_id"], row["tier"], row["target_id"]) == ("ann", "human", "t1:a")
    assert said["value"] == (1.0 if "value" in given else None)


def test_what_an_evaluation_event_shows_is_kept_too(shown, span):
    event = {**OURS, "flywheel.correction.after": "5 o'clock", "flywheel.correction.before": "4 o'clock"}
    _, (row,) = shown([span("a", events=[event])], [])
    assert (row["kind"], row["target_kind"], row["before"], row["after"]) == (
        "correction",
        "span",
        "4 o'clock",
        "5 o'clock",
    )


def test_corrections_of_one_author_at_one_time_are_kept_apart(shown):
    lines = [{**POSTED, "correction": {"after": text}} for text in ("one", "two", "one")]
    said, rows = shown([], lines)
    assert len(said) == 2
    assert {row["after"] for row in rows} == {"one", "two"}


def test_a_posted_value_is_put_on_its_scale(collect):
    (row,) = collect([], [{**POSTED, "value": 4, "scale": [1, 5]}])
    assert row["value"] == 0.75
