"""A span of a failed run shows a kind of error where there is a sign of it, and else nothing."""

import inspect
import re

import pytest

from flywheel_assets.examples.signs.registry import find_signs
from flywheel_assets.examples.signs.sign import KINDS
from flywheel_assets.examples.tried import ENDING, OFFERS

FAILED = {
    "gen_ai.evaluation.name": "reward",
    "flywheel.label.source_tier": "check",
    "flywheel.evaluator.id": "db",
    "gen_ai.evaluation.score.value": 0,
}
ROOT = {"operation": "agent", "dialect": "gen_ai", "service_name": "s"}
LLM, TOOL = {"operation": "llm", "dialect": "gen_ai"}, {"operation": "tool", "dialect": "gen_ai", "tool_name": "search"}
STEP = {"operation": "chain", "dialect": "gen_ai"}
END = {**TOOL, "tool_name": "final_answer"}
ERROR = {"status": "error", "error_type": "TypeError"}
OFFERED = {"attr_text": {"smolagents.tools_names": '["search", "final_answer"]'}}
DEFINED = {"attr_json": {"gen_ai.tool.definitions": '[{"type": "function", "name": "search"}]'}}
ONLY_THE_END = {"attr_text": {"smolagents.tools_names": '["final_answer"]'}}
MARKED = "Write the plan. Then write the '\\n<end_plan>' tag and stop there."
FORBIDDEN = "You may read files. DO NOT print what is in them."


def spoke(asked: str, answered: str, **more: str) -> dict:
    return {**LLM, "input_key": "i", "output_key": "o", "attr_text": {"i": asked, "o": answered, **more}}


def called(asked: str, answered: str = "", **columns: str) -> dict:
    texts = {"i": asked, **({"o": answered} if answered else {})}
    return {**TOOL, "input_key": "i", "output_key": "o", "attr_text": texts, **columns}


def failed(message: str, **columns: str) -> dict:
    return {**columns, "status": "error", "status_message": message}


def under(parent: str, child: dict) -> dict:
    return {**child, "under": parent}


def found(labels, span, children: list[dict], root: dict | None = None, value: float = 0) -> set[tuple[str, str]]:
    """(span, kind) of a run of these spans, one after the other; 'b' is the first."""
    said = {**FAILED, "gen_ai.evaluation.score.value": value}
    spans = [span("a", events=(said,), **ROOT, **(root or {}))]
    for n, child in enumerate(map(dict, children)):
        spans.append(span("bcdefgh"[n], child.pop("under", "a"), at=n + 1, **child))
    return {(row["span_id"], row["kind"]) for row in labels(spans).found}


SHOWN = {
    "what was written could not be executed": (
        [{**STEP, **ERROR}, under("b", LLM)],
        {("c", "Formatting Errors")},
    ),
    "a file that it asked for is not there": (
        [failed("FileNotFoundError: no such file", **STEP), under("b", LLM)],
        {("c", "Resource Not Found")},
    ),
    "a step may import nothing": (
        [failed("ModuleNotFoundError: No module named 'x'", **STEP), under("b", LLM)],
        {("c", "Environment Setup Errors")},
    ),
    "the prompt is too long": (
        [failed("prompt is too long: 210000 tokens", **LLM)],
        {("b", "Context Handling Failures")},
    ),
    "the service limits the rate": ([failed("429 Too Many Requests", **LLM)], {("b", "Rate Limiting")}),
    "the call timed out": ([failed("Request timed out", **LLM)], {("b", "Timeout Issues")}),
    "the key is wrong": ([failed("401 Unauthorized", **LLM)], {("b", "Authentication Errors")}),
    "memory ran out": ([failed("MemoryError", **LLM)], {("b", "Resource Exhaustion")}),
    "the service failed": ([failed("something", **LLM)], {("b", "Service Errors")}),
    "a tool failed, whatever its message": ([failed("429", **TOOL)], {("b", "Tool-related")}),
    "an error that a tool got over in its step": (
        [STEP, under("b", LLM), under("b", {**TOOL, **ERROR})],
        {("d", "Tool-related")},
    ),
    "the same failing call again": (
        [called("x", **ERROR), called("x", **ERROR)],
        {("b", "Tool-related"), ("c", "Tool-related"), ("c", "Resource Abuse")},
    ),
    "the same call with the same answer": ([called("x", "y"), called("x", "y")], {("c", "Resource Abuse")}),
    "patience: the same call with another answer": ([called("x", "y"), called("x", "z")], set()),
    "the same tool with other arguments": ([called("x", "y"), called("z", "y")], set()),
    "an answer without the tag it must end by": (
        [spoke(MARKED, "1. look"), spoke(MARKED, "1. look again")],
        {("b", "Instruction Non-compliance")},
    ),
    "an answer with the tag": ([spoke(MARKED, "1. look\n<end_plan>")], set()),
    "an answer that the request has cut at the tag": (
        [spoke(MARKED, "1. look", **{"llm.invocation_parameters": '{"stop": ["<end_plan>"]}'})],
        set(),
    ),
    "a tag that nobody asked for": ([spoke("Look at <b>this</b>.", "1. look")], set()),
    "a call that was forbidden": ([spoke(FORBIDDEN, "print(text)")], {("b", "Instruction Non-compliance")}),
    "the forbidden word without a call": ([spoke(FORBIDDEN, "I shall not print it")], set()),
    "a call that was not forbidden": ([spoke("Please print it.", "print(text)")], set()),
}


@pytest.mark.parametrize(("children", "expected"), SHOWN.values(), ids=SHOWN)
def test_a_span_shows(labels, span, children: list[dict], expected: set[tuple[str, str]]):
    assert found(labels, span, children) == expected


UNSEEN = {("c", "Goal Deviation"), ("c", "Language-only"), ("c", "Tool Selection Errors")}
ANSWERED = [STEP, under("b", LLM), under("b", END)]
OFFERS_AND_ANSWERS = {
    "offered by name": (OFFERED, ANSWERED, UNSEEN),
    "offered by definition": (DEFINED, ANSWERED, UNSEEN),
    "not offered": ({}, ANSWERED, set()),
    "offered nothing but to answer": (ONLY_THE_END, ANSWERED, set()),
    "a tool has answered": (OFFERED, [TOOL, STEP, under("c", LLM), under("c", END)], set()),
    "the only tool failed": (
        OFFERED,
        [{**TOOL, **ERROR}, STEP, under("c", LLM), under("c", END)],
        {("b", "Tool-related"), ("d", "Goal Deviation"), ("d", "Language-only")},
    ),
    "what comes after the answer was handed in is not the answer": (OFFERED, [*ANSWERED, LLM], UNSEEN),
}


@pytest.mark.parametrize(("root", "children", "expected"), OFFERS_AND_ANSWERS.values(), ids=OFFERS_AND_ANSWERS)
def test_an_answer_rests_on_what_tools_returned(labels, span, root: dict, children: list[dict], expected: set):
    assert found(labels, span, children, root) == expected


def test_a_run_that_went_well_shows_nothing(labels, span):
    assert found(labels, span, [{**TOOL, **ERROR}], value=1) == set()


def test_each_finding_names_its_sign_and_what_was_seen(labels, span):
    spans = [span("a", events=(FAILED,), **ROOT), span("b", "a", at=1, **called("x", **ERROR))]
    (row,) = labels(spans).found
    assert (row["author_id"], row["author_version"], row["evidence"]) == (
        "failed_call",
        "1",
        "the call failed: TypeError",
    )
    assert (row["tier"], row["probability"]) == ("heuristic", 0.25)


def test_signs_have_names_of_their_own_and_name_known_kinds():
    signs = find_signs()
    assert len({sign.name for sign in signs}) == len(signs)
    told = " ".join(inspect.getsource(sign.find) for sign in signs)
    named = set(re.findall(r'"((?:[A-Z][a-z-]+ ?){1,3})"', told))
    assert named
    assert named <= set(KINDS)


@pytest.mark.parametrize("name", ["final_answer", "FinalAnswerTool", "submit", "attempt_completion", "task_complete"])
def test_tools_that_only_hand_in_an_answer_are_known_by_name(name: str):
    assert re.fullmatch(ENDING, name.lower())


@pytest.mark.parametrize(
    ("key", "lists"),
    [
        ("smolagents.tools_names", True),
        ("gen_ai.tool.definitions", True),
        ("llm.tools.0.tool.json_schema", True),
        ("tool.name", False),
    ],
)
def test_attributes_that_list_tools_are_known_by_name(key: str, lists: bool):
    assert bool(re.search(OFFERS, key)) is lists
