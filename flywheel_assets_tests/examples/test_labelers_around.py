"""Labelers that look around the run: checks, guardrails, the next turn, the day's other runs."""

import json

import pytest

AGENT = {"operation": "agent", "dialect": "gen_ai", "service_name": "web"}
LLM = {"operation": "llm", "dialect": "gen_ai"}
RUN = ("a", None, AGENT)
REASON = {"error_type": "pydantic_core.ValidationError", "status": "error"}
TOOL = {"operation": "tool", "dialect": "gen_ai", "tool_name": "look"}


def check(name, key, result, parent="a", **more):
    return (name, parent, {"name": "run tests", "attr_text": {key: result, **more.pop("words", {})}, **more})


def case(name, result):
    return check(name, "test.case.result.status", result, words={"test.case.name": "adds"})


def pipeline(name, result, **more):
    """In a trace of its own, linked to the run."""
    link = [{"trace_id": "t1", "span_id": "a", "attributes_json": "{}"}]
    return check(name, "cicd.pipeline.result", result, None, trace_id="t9", links=link, **more)


def noted(name, **attributes):
    event = {"time_unix_nano": 1, "name": name, "attributes_json": json.dumps(attributes)}
    return ("t", "a", {"name": "commit", "noted": [event]})


def put(span, given):
    """The spans, each a second after the one before."""
    rows = []
    for n, (name, parent, columns) in enumerate(given):
        events = columns.get("noted")
        row = span(name, parent, **{"at": n, **{key: each for key, each in columns.items() if key != "noted"}})
        rows.append({**row, "events": events} if events else row)
    return rows


def guard(text="", **more):
    return ("g", "a", {"operation": "guardrail", "dialect": "openinference", "output_key": "o"} | guarded(text) | more)


def guarded(text):
    return {"attr_text": {"o": text}}


def talk(name, text, at=0, session="s"):
    words = {"session_id": session, "input_key": "i", "attr_text": {"i": text}}
    return (name, None, {**AGENT, **words, "trace_id": f"t-{name}", "at": at})


def corrected(text, **more):
    return [talk("a", "When is the flight?"), talk("b", text, **{"at": 60, **more})]


# labeler, spans, and {run: vote}; a run that is not named gets none.
CASES = {
    "a test passed": ("downstream_check", [RUN, case("t", "pass")], {"t1:a": 1.0}),
    "a test failed": ("downstream_check", [RUN, case("t", "fail")], {"t1:a": 0.0}),
    "a test failed, then passed": ("downstream_check", [RUN, case("t", "fail"), case("u", "pass")], {"t1:a": 1.0}),
    "a test passed, then failed": ("downstream_check", [RUN, case("t", "pass"), case("u", "fail")], {"t1:a": 0.0}),
    "one of two checks failed": (
        "downstream_check",
        [RUN, case("t", "pass"), check("u", "test.suite.run.status", "failure")],
        {"t1:a": 0.0},
    ),
    "a suite that ran out of time": ("downstream_check", [RUN, check("u", "test.suite.run.status", "timed_out")], {}),
    "a span called after tests that tells nothing": ("downstream_check", [RUN, check("u", "x", "pass")], {}),
    "a pipeline elsewhere that links to the run": ("downstream_check", [RUN, pipeline("p", "success")], {"t1:a": 1.0}),
    "a pipeline elsewhere that failed": ("downstream_check", [RUN, pipeline("p", "failure")], {"t1:a": 0.0}),
    "a pipeline whose own machinery broke": ("downstream_check", [RUN, pipeline("p", "error")], {}),
    "a pipeline that links to nothing": (
        "downstream_check",
        [
            RUN,
            ("p", None, {"trace_id": "t9", "name": "run tests", "attr_text": {"cicd.pipeline.result": "success"}}),
        ],
        {},
    ),
    "a later run that links to this one is checked itself": (
        "downstream_check",
        [RUN, pipeline("p", "failure", **AGENT)],
        {"t9:p": 0.0},
    ),
    "an event tells": (
        "downstream_check",
        [RUN, noted("test.result", **{"test.case.result.status": "pass", "retries": 2, "tags": ["x"]})],
        {"t1:a": 1.0},
    ),
    "a change was merged": (
        "downstream_check",
        [RUN, noted("change", **{"vcs.change.state": "merged"})],
        {"t1:a": 1.0},
    ),
    "a commit was reverted": ("downstream_check", [RUN, noted("commit.reverted")], {"t1:a": 0.0}),
    "a guardrail that blocked": ("guardrail", [RUN, guard("BLOCKED")], {"t1:a": 0.0}),
    "a guardrail whose wire was tripped": ("guardrail", [RUN, guard('{"tripwire_triggered": true}')], {"t1:a": 0.0}),
    "a guardrail that raised": ("guardrail", [RUN, guard(status="error")], {"t1:a": 0.0}),
    "a guardrail that set a flag": (
        "guardrail",
        [RUN, guard(attr_bool={"guardrail.triggered": True})],
        {"t1:a": 0.0},
    ),
    "a guardrail that decided to deny": (
        "guardrail",
        [RUN, ("g", "a", {"name": "apply_guardrail x", "attr_text": {"gen_ai.security.decision.type": "deny"}})],
        {"t1:a": 0.0},
    ),
    "a guardrail that let pass": ("guardrail", [RUN, guard("allowed")], {}),
    "a guardrail whose wire was not tripped": ("guardrail", [RUN, guard('{"triggered": false}')], {}),
    "no guardrail": ("guardrail", [RUN], {}),
    "an answer that did not fit its schema": ("guardrail", [RUN, ("m", "a", {**LLM, **REASON})], {"t1:a": 0.0}),
    "a tool that rejected its arguments": ("guardrail", [RUN, ("t", "a", {**TOOL, **REASON})], {}),
    "any other error": ("guardrail", [RUN, ("m", "a", {**LLM, "error_type": "timeout", "status": "error"})], {}),
    **{
        f"corrected: {text}": ("user_correction", corrected(text), {"t-a:a": 0.0})
        for text in (
            "No, that's the wrong day",
            "That is not what I asked for.",
            "that’s wrong",
            "Sorry, I meant the flight back",
            "no. I said Monday, not Sunday",
            "You misunderstood me",
            "It still doesn't work",
            "wrong!",
        )
    },
    **{
        f"not corrected: {text}": ("user_correction", corrected(text), {})
        for text in (
            "No, thanks",
            "No problem, book it",
            "Thank you! And the hotel?",
            'Translate "I meant well" into French',
            "Is it wrong to fly?",
            "Find out what is not working in the engine",
        )
    },
    "corrected an hour later": ("user_correction", corrected("that's wrong", at=4000), {}),
    "corrected in another session": ("user_correction", corrected("that's wrong", session="x"), {}),
    "corrected before it had answered": ("user_correction", corrected("that's wrong", at=0.5), {}),
}


@pytest.mark.parametrize("named", CASES)
def test_a_labeler_that_looks_around_votes_on_what_it_sees_and_on_nothing_else(named, span, labels):
    labeler, given, expected = CASES[named]
    votes = [vote for vote in labels(put(span, given)).votes if vote["labeler"] == labeler]
    assert {vote["run_id"]: vote["value"] for vote in votes} == expected
    assert all(0.5 < vote["confidence"] <= 0.9 and vote["evidence"] for vote in votes)


def test_checks_make_an_outcome_and_a_reverted_commit_makes_none(span, labels):
    reverted = noted("commit.reverted")
    told = labels(put(span, [RUN, case("c", "pass"), reverted]))
    assert {(vote["value"], vote["tier"]) for vote in told.votes} == {(1.0, "check"), (0.0, "check")}
    assert told.examples["t1:a"]["outcome"] == 1.0
    assert labels(put(span, [RUN, reverted])).examples["t1:a"]["outcome"] is None


def fleet(span, count, **last):
    """Runs of one skill and arm whose costs and durations vary a little, and one more."""
    one = {**LLM, "skill_name": "s", "request_model": "m", "arm": "m|-|-"}
    usual = [
        span(f"r{n}", trace_id=f"t{n}", cost_usd=0.01 + 0.0001 * (n % 7), duration_ns=10**9 + n % 5 * 10**7, **one)
        for n in range(count - 1)
    ]
    return [*usual, span("z", trace_id="tz", **{"cost_usd": 0.01, "duration_ns": 10**9, **one, **last})]


OUTLIERS = {
    "a dear one": (50, {"cost_usd": 1.0}, {"tz:z": "cost 97.1 times the median"}),
    "a slow one": (50, {"duration_ns": 60 * 10**9}, {"tz:z": "duration 58.8 times the median"}),
    "one a little dearer": (50, {"cost_usd": 0.02}, {}),
    "a cheap one": (50, {"cost_usd": 0.0}, {}),
    "one whose cost is not known": (50, {"cost_usd": None}, {}),
    "too few to know": (49, {"cost_usd": 1.0}, {}),
}


@pytest.mark.parametrize("named", OUTLIERS)
def test_outliers_are_far_from_their_own_skill_and_arm(named, span, labels):
    count, last, expected = OUTLIERS[named]
    votes = [vote for vote in labels(fleet(span, count, **last)).votes if vote["labeler"] == "outliers"]
    assert {vote["run_id"]: vote["evidence"] for vote in votes} == expected


def test_a_cascade_that_went_on_to_its_dearer_model_is_no_outlier_and_one_far_from_its_like_is(span, labels):
    root = {"operation": "agent", "dialect": "gen_ai", "skill_name": "s", "arm": "cascade/tests/small>large|-|-"}

    def run(name, models, cost):
        calls = [
            span(f"{name}{place}", name, at=0.1 * place, trace_id=name, **LLM, request_model=model, cost_usd=cost)
            for place, model in enumerate(models)
        ]
        return [span(name, trace_id=name, **root), *calls]

    plain = [one for n in range(60) for one in run(f"p{n}", ["small"], 0.001 + 0.00001 * (n % 7))]
    escalated = [one for n in range(20) for one in run(f"e{n}", ["small", "large"], 0.05)]
    far = run("far", ["small"], 0.02)
    votes = [vote["run_id"] for vote in labels([*plain, *escalated, *far]).votes if vote["labeler"] == "outliers"]
    assert votes == ["far:far"]
