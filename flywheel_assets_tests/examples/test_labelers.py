"""Every labeler votes, and abstains."""

import pytest

from flywheel_assets.examples.labelers.labeler import Labeler
from flywheel_assets.examples.labelers.registry import find_labelers

AGENT = {"operation": "agent", "dialect": "gen_ai", "service_name": "web"}
LLM = {"operation": "llm", "dialect": "gen_ai"}
TOOL = {"operation": "tool", "dialect": "gen_ai", "tool_name": "look"}
RESTATE = {"dialect": "restate", "operation": "invocation", "invocation_id": "inv_1"}
FAILED = {"status": "error", "error_type": "boom"}
CALL = {**TOOL, "input_key": "i", "attr_text": {"i": "same"}}


def talk(text, **more):
    return {**AGENT, "session_id": "s", "input_key": "i", "attr_text": {"i": text}, **more}


def end(status, **more):
    return ("e", "i", {**RESTATE, "name": "invocation-end x", "runtime_status": status, **more})


def answer(text):
    return {**AGENT, "output_key": "o", "attr_text": {"o": text}}


# labeler, spans at (their position, or `at`) seconds, and {run: vote}; a run that is not named gets none.
CASES = {
    "an invocation that succeeded": ("error_status", [("i", None, RESTATE), end("success")], {"inv_1": 1.0}),
    "an invocation that failed": ("error_status", [("i", None, RESTATE), end("failure")], {"inv_1": 0.0}),
    "an invocation that has not ended": ("error_status", [("i", None, RESTATE)], {}),
    "an invocation that was cancelled": (
        "error_status",
        [("i", None, RESTATE), end("failure", error_type="409 Aborted", status_message="cancelled")],
        {},
    ),
    "a root that says OK": ("error_status", [("a", None, {**AGENT, "status": "ok"})], {"t1:a": 1.0}),
    "a root that says error": ("error_status", [("a", None, {**AGENT, **FAILED})], {"t1:a": 0.0}),
    "a root that says nothing": ("error_status", [("a", None, AGENT)], {}),
    "a second attempt": (
        "retries",
        [
            ("i", None, RESTATE),
            ("p", "i", {**RESTATE, **FAILED, "operation": "attempt"}),
            end("success"),
            ("q", "i", {**RESTATE, "operation": "attempt"}),
        ],
        {"inv_1": 0.0},
    ),
    "one attempt": ("retries", [("i", None, RESTATE), ("p", "i", {**RESTATE, "operation": "attempt"})], {}),
    "given up": (
        "retries",
        [("i", None, RESTATE), end("failure", error_type="409 Aborted", status_message="killed")],
        {"inv_1": 0.0},
    ),
    "the last tool call failed": (
        "tool_error",
        [("a", None, AGENT), ("t", "a", TOOL), ("u", "a", {**TOOL, **FAILED})],
        {"t1:a": 0.0},
    ),
    "a tool call failed and another did not": (
        "tool_error",
        [("a", None, AGENT), ("t", "a", {**TOOL, **FAILED}), ("u", "a", TOOL)],
        {},
    ),
    "the answer was cut": ("truncated_output", [("m", None, {**LLM, "finish_reason": "MAX_TOKENS"})], {"t1:m": 0.0}),
    "the answer was not cut": ("truncated_output", [("m", None, {**LLM, "finish_reason": "stop"})], {}),
    "a refusal": ("refusal", [("a", None, answer("I’m sorry, but I can’t help with that."))], {"t1:a": 0.0}),
    "an apology that is no refusal": ("refusal", [("a", None, answer("Sorry for the wait! The total is 5."))], {}),
    "no answer captured": ("refusal", [("a", None, AGENT)], {}),
    "five times the same call": (
        "repeated_call",
        [("a", None, AGENT), *((n, "a", CALL) for n in "tuvwx")],
        {"t1:a": 0.0},
    ),
    "four times the same call": ("repeated_call", [("a", None, AGENT), *((n, "a", CALL) for n in "tuvw")], {}),
    "five calls with arguments of their own": (
        "repeated_call",
        [("a", None, AGENT), *((n, "a", {**CALL, "attr_text": {"i": n}}) for n in "tuvwx")],
        {},
    ),
    "five calls whose arguments were not captured": (
        "repeated_call",
        [("a", None, AGENT), *((n, "a", TOOL) for n in "tuvwx")],
        {},
    ),
    "asked again in other words": (
        "re_ask",
        [
            ("a", None, talk("cancel my flight to Oslo")),
            ("b", None, talk("please cancel my flight to Oslo", trace_id="t2")),
        ],
        {"t1:a": 0.0},
    ),
    "asked something else": (
        "re_ask",
        [("a", None, talk("cancel my flight to Oslo")), ("b", None, talk("what is the weather there", trace_id="t2"))],
        {},
    ),
    "asked again the next hour": (
        "re_ask",
        [("a", None, talk("cancel my flight")), ("b", None, talk("cancel my flight", trace_id="t2", at=4000))],
        {},
    ),
    "asked again by somebody else": (
        "re_ask",
        [("a", None, talk("cancel my flight")), ("b", None, talk("cancel my flight", trace_id="t2", session_id="x"))],
        {},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_labeler_votes_on_what_it_sees_and_on_nothing_else(case, span, labels):
    labeler, given, expected = CASES[case]
    spans = [span(name, parent, **{"at": n, **columns}) for n, (name, parent, columns) in enumerate(given)]
    votes = [vote for vote in labels(spans).votes if vote["labeler"] == labeler]
    assert {vote["run_id"]: vote["value"] for vote in votes} == expected
    assert all(0.5 < vote["confidence"] <= 0.6 and vote["evidence"] for vote in votes)


def said(value=1.0, name="good", author="anna", tier="human", at=600, **target):
    ((kind, target_id),) = target.items()
    return {
        "target_kind": kind,
        "target_id": target_id,
        "name": name,
        "value": value,
        "author_id": author,
        "tier": tier,
        "observed_at": f"2026-11-20T12:{at // 60:02}:{at % 60:02}+00:00",
    }


RUN = [
    ("a", None, {**AGENT, "session_id": "s"}),
    ("m", "a", {**LLM, "response_id": "r1"}),
    ("n", "a", {**LLM, "response_id": "r2"}),
]
NEXT = [("b", None, {**AGENT, "session_id": "s", "trace_id": "t2"})]
TWICE = [("x", "a", {**LLM, "response_id": "r1"})]


def attempts(*agents):
    """An invocation of two attempts, with agent spans (name, attempt, start, seconds) in them."""
    tries = [
        ("p", "i", {**RESTATE, **FAILED, "operation": "attempt", "at": 1}),
        ("q", "i", {**RESTATE, "operation": "attempt", "at": 20}),
    ]
    nested = [(n, up, {**AGENT, "at": at, "duration_ns": lasts * 10**9}) for n, up, at, lasts in agents]
    return [("i", None, RESTATE), *tries, *nested, end("success", at=40)]


# Spans, what was said, and {example: [(value, confidence), …]}.
FEEDBACK = {
    "on the run": (RUN, [said(run="t1:a")], {"t1:a": [(1.0, 0.9)]}),
    "on the run, by a span of it": (RUN, [said(run="t1:m")], {"t1:a": [(1.0, 0.9)]}),
    "on the run, by its trace": (RUN, [said(run="t1")], {"t1:a": [(1.0, 0.9)]}),
    "on its root span": (RUN, [said(span="t1:a")], {"t1:a": [(1.0, 0.9)]}),
    "on another span": (RUN, [said(span="t1:m")], {"t1:m": [(1.0, 0.9)]}),
    "on the last response, which is the run's answer": (
        RUN,
        [said(response="r2")],
        {"t1:a": [(1.0, 0.9)], "t1:n": [(1.0, 0.9)]},
    ),
    "on an earlier response": (RUN, [said(response="r1")], {"t1:m": [(1.0, 0.9)]}),
    "on a response id that several calls share": (RUN + TWICE, [said(response="r1")], {}),
    "on the session: one statement weighs as one": (
        RUN + NEXT,
        [said(session="s")],
        {"t1:a": [(1.0, 0.7)], "t2:b": [(1.0, 0.7)]},
    ),
    "on the session so far": (RUN + NEXT, [said(session="s", at=2)], {"t1:a": [(1.0, 0.9)]}),
    "on nothing we know": (RUN, [said(run="t9:z"), said(span="t9:z"), said(session="z"), said(response="z")], {}),
    "without a value": (RUN, [said(None, run="t1:a")], {}),
    "a change of mind": (RUN, [said(1.0, run="t1:a"), said(0.0, run="t1:a", at=700)], {"t1:a": [(0.0, 0.9)]}),
    "two minds": (
        RUN,
        [said(1.0, run="t1:a"), said(0.0, run="t1:a", author="ben")],
        {"t1:a": [(0.0, 0.9), (1.0, 0.9)]},
    ),
    "a name whose high end is bad": (RUN, [said(1.0, name="toxicity", run="t1:a")], {}),
    "an unregistered author": (RUN, [said(author="unregistered", run="t1:a")], {"t1:a": [(1.0, 0.5)]}),
    "on the agent inside a durable run": (
        attempts(("a", "p", 2, 5), ("b", "q", 21, 9), ("c", "b", 22, 1)),
        [said(span="t1:b")],
        {"inv_1": [(1.0, 0.9)]},
    ),
    "on the agent of an attempt that was repeated": (
        attempts(("a", "p", 2, 5), ("b", "q", 21, 9)),
        [said(0.0, span="t1:a")],
        {"t1:a": [(0.0, 0.9)]},
    ),
    "on one of two agents beside one another in a durable run": (
        attempts(("b", "q", 21, 3), ("c", "q", 25, 3)),
        [said(span="t1:b")],
        {"t1:b": [(1.0, 0.9)]},
    ),
    "a check": (RUN, [said(0.0, tier="check", run="t1:a")], {"t1:a": [(0.0, 0.98)]}),
    "an outcome": (RUN, [said(0.25, tier="outcome", run="t1:a")], {"t1:a": [(0.25, 0.95)]}),
    "a judge": (RUN, [said(tier="judge", run="t1:a")], {"t1:a": [(1.0, 0.7)]}),
}


@pytest.mark.parametrize("case", FEEDBACK)
def test_feedback_votes_on_what_it_is_about(case, span, labels):
    given, lines, expected = FEEDBACK[case]
    spans = [span(name, parent, **{"at": n, **columns}) for n, (name, parent, columns) in enumerate(given)]
    found = {}
    for vote in labels(spans, lines).votes:
        if vote["labeler"] != "explicit_feedback":
            continue
        found.setdefault(vote["example_id"], []).append((vote["value"], round(vote["confidence"], 6)))
    assert {key: sorted(votes) for key, votes in found.items()} == expected


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_confidence_does_not_depend_on_the_side(value, span, labels):
    spans = [span("a", **AGENT)]
    for tier in ("human", "check", "outcome", "judge", "heuristic"):
        (vote,) = labels(spans, [said(value, tier=tier, run="t1:a")]).votes
        (other,) = labels(spans, [said(1 - value, tier=tier, run="t1:a")]).votes
        assert vote["confidence"] == other["confidence"]


def test_labelers_are_found_by_their_files_and_have_names_of_their_own():
    names = [labeler.name for labeler in find_labelers()]
    assert names == sorted(set(names))
    assert {"error_status", "retries", "explicit_feedback", "tool_error", "re_ask", "truncated_output"} <= set(names)


PLUGIN = """
from flywheel_assets.examples.labelers.labeler import Labeler

LABELER = Labeler({name!r}, "1", "judge", "SELECT run_id, 1.0 AS value, 0.7 AS confidence, 'x' AS evidence FROM runs")
"""


def install(folder, name):
    """What installing a package with one labeler leaves behind."""
    (folder / f"{name}_plugin.py").write_text(PLUGIN.format(name=name))
    described = folder / f"{name}_plugin-1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1\n")
    (described / "entry_points.txt").write_text(f"[flywheel_assets.labelers]\n{name} = {name}_plugin:LABELER\n")


def test_another_package_adds_a_labeler(tmp_path, monkeypatch, span, labels):
    install(tmp_path, "optimist")
    monkeypatch.syspath_prepend(tmp_path)
    (vote,) = labels([span("a", **AGENT)]).votes
    assert (vote["labeler"], vote["author_id"], vote["tier"], vote["value"]) == ("optimist", "optimist", "judge", 1.0)


@pytest.mark.parametrize(("skill", "votes"), [("s", 1), ("another", 0)])
def test_a_labeler_that_nothing_concerns_is_not_asked(skill, votes, monkeypatch, span, labels):
    voted = "SELECT run_id, 1.0 AS value, 0.7 AS confidence, 'x' AS evidence FROM runs"
    picky = Labeler("picky", "1", "judge", voted, concerned=f"SELECT 1 FROM runs WHERE skill = '{skill}'")
    monkeypatch.setattr("flywheel_assets.examples.label.find_labelers", lambda: (picky,))
    assert len(labels([span("a", **{**AGENT, "skill_name": "s"})]).votes) == votes


def test_two_labelers_of_one_name_are_refused(tmp_path, monkeypatch):
    install(tmp_path, "refusal")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="refusal"):
        find_labelers()
