"""Which spans are one run, in every runtime."""

from collections import defaultdict

import pytest

AGENT = {"operation": "agent", "dialect": "gen_ai"}
LLM = {"operation": "llm", "dialect": "gen_ai"}
TOOL = {"operation": "tool", "dialect": "gen_ai"}
RESTATE = {"dialect": "restate"}
OI = {"dialect": "openinference"}


def members(run_spans):
    """{run id: {span: role}}, run-less spans under None."""
    found = defaultdict(dict)
    for row in run_spans.to_pylist():
        found[row["run_id"]][row["span_id"]] = row["role"]
    return dict(found)


CASES = {
    "an agent with what hangs below it": (
        [("a", None, AGENT), ("m", "a", LLM), ("t", "a", TOOL), ("m2", "t", LLM)],
        {"t1:a": {"a": "root", "m": "llm", "t": "tool", "m2": "llm"}},
    ),
    "sibling agents are several runs, and what is above them is none": (
        [("x", None, {}), ("a", "x", AGENT), ("b", "x", AGENT), ("m", "b", LLM)],
        {None: {"x": "none"}, "t1:a": {"a": "root"}, "t1:b": {"b": "root", "m": "llm"}},
    ),
    "an agent inside an agent is part of the outer run": (
        [("a", None, AGENT), ("b", "a", AGENT), ("m", "b", LLM)],
        {"t1:a": {"a": "root", "b": "step", "m": "llm"}},
    ),
    "the only agent of a trace takes in what wraps it and what lost its parent": (
        [("x", None, {}), ("a", "x", AGENT), ("m", "gone", LLM)],
        {"t1:a": {"x": "other", "a": "root", "m": "llm"}},
    ),
    "without an agent every outermost model call is a run": (
        [("x", None, {}), ("m", "x", LLM), ("n", "m", LLM), ("o", "x", LLM)],
        {None: {"x": "none"}, "t1:m": {"m": "root", "n": "llm"}, "t1:o": {"o": "root"}},
    ),
    "a lone model call takes its wrapper along": (
        [("x", None, {}), ("m", "x", LLM)],
        {"t1:m": {"x": "other", "m": "root"}},
    ),
    "spans that no convention knows are no run": (
        [("x", None, {}), ("y", "x", {})],
        {None: {"x": "none", "y": "none"}},
    ),
    "an evaluation afterwards is no run, nor is the judge's model call": (
        [("e", None, {"operation": "evaluation"}), ("m", "e", LLM), ("j", "e", AGENT)],
        {None: {"e": "none", "m": "none", "j": "none"}},
    ),
    "an evaluation inside a run is an annotation of it": (
        [("a", None, AGENT), ("e", "a", {"operation": "evaluation"}), ("m", "e", LLM)],
        {"t1:a": {"a": "root", "e": "annotation", "m": "annotation"}},
    ),
    "the outermost chain of OpenInference is the run": (
        [("c", None, {**OI, "operation": "chain"}), ("a", "c", {**OI, "operation": "agent"})],
        {"t1:c": {"c": "root", "a": "step"}},
    ),
    "a durable run holds the agent nested in it": (
        [
            ("i", None, {**RESTATE, "operation": "invocation", "invocation_id": "inv_1"}),
            ("p", "i", {**RESTATE, "operation": "attempt", "invocation_id": "inv_1"}),
            ("a", "p", AGENT),
            ("m", "a", LLM),
        ],
        {"inv_1": {"i": "root", "p": "attempt", "a": "step", "m": "llm"}},
    ),
    "an invocation called by another is part of it": (
        [
            ("i", None, {**RESTATE, "operation": "invocation", "invocation_id": "inv_1"}),
            ("p", "i", {**RESTATE, "operation": "attempt", "invocation_id": "inv_1"}),
            ("j", "p", {**RESTATE, "operation": "invocation", "invocation_id": "inv_2"}),
        ],
        {"inv_1": {"i": "root", "p": "attempt", "j": "other"}},
    ),
    "a run spreads over traces when they share its id": (
        [
            ("x", None, {"dialect": "inngest", "operation": "attempt", "invocation_id": "01A"}),
            ("m", "x", {**LLM, "invocation_id": "01A"}),
            ("y", None, {"dialect": "inngest", "operation": "attempt", "invocation_id": "01A", "trace_id": "t2"}),
            ("e", None, {"operation": "evaluation", "invocation_id": "01A", "trace_id": "t3"}),
        ],
        {"01A": {"x": "root", "m": "llm", "y": "attempt", "e": "annotation"}},
    ),
    "a function invoked by a step is part of the run that invoked it": (
        [
            ("x", None, {"dialect": "inngest", "operation": "invocation", "invocation_id": "01A"}),
            (
                "s",
                "x",
                {
                    "name": "executor.step",
                    "dialect": "inngest",
                    "operation": "step",
                    "invocation_id": "01A",
                    "attr_text": {"_inngest.step.invoke.run.id": "01B"},
                },
            ),
            ("y", None, {"dialect": "inngest", "operation": "attempt", "invocation_id": "01B", "trace_id": "t2"}),
        ],
        {"01A": {"x": "root", "s": "step", "y": "attempt"}},
    ),
    "spans that are each other's parents do not hang the fold": (
        [("a", "b", AGENT), ("b", "a", LLM), ("c", "c", LLM), ("d", "a", LLM)],
        {"t1:a": {"a": "root", "b": "llm", "c": "llm", "d": "llm"}},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_spans_find_their_run(case, span, fold):
    given, expected = CASES[case]
    spans = [span(name, parent, at=n, **columns) for n, (name, parent, columns) in enumerate(given)]
    runs, run_spans = fold(spans)
    assert members(run_spans) == expected
    assert sorted(runs.column("run_id").to_pylist()) == sorted(run for run in expected if run)
    assert runs.column("spans").to_pylist() == [len(expected[run]) for run in runs.column("run_id").to_pylist()]
