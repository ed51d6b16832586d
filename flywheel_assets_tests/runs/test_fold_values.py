"""What a run's row says."""

import hashlib
import json

import pytest

AGENT = {"operation": "agent", "dialect": "gen_ai"}
LLM = {"operation": "llm", "dialect": "gen_ai"}
TOOL = {"operation": "tool", "dialect": "gen_ai"}
RESTATE = {"dialect": "restate", "invocation_id": "inv_1", "invocation_target": "Shop/o7/buy"}
APP = {"dialect": "inngest", "operation": "attempt", "invocation_id": "01A", "name": "inngest.execution"}
SERVER = {"dialect": "inngest", "operation": "invocation", "invocation_id": "01A"}
CHOSEN = {
    "decision_id": "d1",
    "policy_id": "p1",
    "experiment_id": "e1",
    "arm": "small|v2|-",
    "segment": "canary",
    "propensity": 0.2,
    "unit_id": "u1",
}
TOOLS = json.dumps([{"name": "look"}])

CASES = {
    "the skill that the client named comes first": (
        [
            (
                "a",
                None,
                {**AGENT, "agent_name": "bot", "skill_name": "triage", "attr_text": {"flywheel.skill.name": "triage"}},
            )
        ],
        {"skill": "triage", "skill_source": "flywheel"},
    ),
    "then the convention's skill": (
        [("a", None, {**AGENT, "agent_name": "bot"}), ("m", "a", {**LLM, "skill_name": "triage"})],
        {"skill": "triage", "skill_source": "convention"},
    ),
    "then the outermost agent": (
        [("a", None, {**AGENT, "agent_name": "bot"}), ("b", "a", {**AGENT, "agent_name": "inner"})],
        {"skill": "bot", "skill_source": "agent"},
    ),
    "then the function, without the key of the object it ran on": (
        [("i", None, {**RESTATE, "operation": "invocation"})],
        {"skill": "Shop/buy", "skill_source": "function", "status": "open", "duration_ns": None},
    ),
    "an unknown skill is unknown": ([("m", None, LLM)], {"skill": None, "skill_source": "none"}),
    "the arm that was decided on stands, whatever model answered": (
        [("a", None, {**AGENT, **CHOSEN}), ("m", "a", {**LLM, "response_model": "large", "prompt_version": "v9"})],
        {
            "arm": "small|v2|-",
            "model": "small",
            "prompt_version": "v2",
            "decision_id": "d1",
            "policy_id": "p1",
            "experiment_id": "e1",
            "segment": "canary",
            "propensity": 0.2,
            "unit_id": "u1",
        },
    ),
    "without a decision the arm is the model that did most of the work": (
        [
            ("a", None, {**AGENT, "prompt_version": "v1"}),
            ("m", "a", {**LLM, "request_model": "first", "status": "error"}),
            ("n", "a", {**LLM, "request_model": "asked", "response_model": "served", "output_tokens": 5}),
        ],
        {"model": "served", "arm": "served|v1|-", "prompt_version": "v1", "decision_id": None, "propensity": None},
    ),
    "the tools offered are part of the arm": (
        [("m", None, {**LLM, "request_model": "x", "attr_json": {"gen_ai.tool.definitions": TOOLS}})],
        {
            "tool_schema_hash": hashlib.sha256(TOOLS.encode()).hexdigest()[:12],
            "arm": f"x|-|{hashlib.sha256(TOOLS.encode()).hexdigest()[:12]}",
        },
    ),
    "no model, no arm": ([("a", None, AGENT)], {"arm": None, "model": None}),
    "a total that repeats the calls' own is not added to them": (
        [
            ("a", None, {**AGENT, "cost_usd": 0.3, "input_tokens": 30}),
            ("m", "a", {**LLM, "cost_usd": 0.1, "input_tokens": 10}),
            ("n", "a", {**LLM, "cost_usd": 0.2, "input_tokens": 20}),
        ],
        {"cost_usd": pytest.approx(0.3), "input_tokens": 30, "output_tokens": None, "llm_calls": 2},
    ),
    "a total is taken where no call reports": (
        [("a", None, {**AGENT, "cost_usd": 0.3}), ("m", "a", LLM)],
        {"cost_usd": 0.3, "llm_calls": 1},
    ),
    "a sum that no column could hold leaves the most that one call says": (
        [("a", None, AGENT), *((name, "a", {**LLM, "input_tokens": 2**62}) for name in "mno")],
        {"input_tokens": 2**62, "llm_calls": 3},
    ),
    "a call that wraps another is one call": (
        [("a", None, AGENT), ("m", "a", {**LLM, "cost_usd": 0.1}), ("n", "m", {**LLM, "cost_usd": 0.1})],
        {"cost_usd": 0.1, "llm_calls": 1},
    ),
    "what an evaluation cost is not the run's cost": (
        [
            ("a", None, AGENT),
            ("m", "a", {**LLM, "cost_usd": 0.1}),
            ("e", "a", {"operation": "evaluation"}),
            ("j", "e", {**LLM, "cost_usd": 9.0}),
        ],
        {"cost_usd": 0.1, "llm_calls": 1},
    ),
    "no cost reported is not a cost of nothing": ([("m", None, LLM)], {"cost_usd": None, "input_tokens": None}),
    "a tool's error inside does not make the run one": (
        [("a", None, AGENT), ("t", "a", {**TOOL, "status": "error", "error_type": "timeout"}), ("u", "a", TOOL)],
        {"status": "ok", "error_type": None, "tool_calls": 2, "tool_errors": 1},
    ),
    "the root's error does": (
        [("a", None, {**AGENT, "status": "error", "error_type": "boom"})],
        {"status": "error", "error_type": "boom"},
    ),
    "a root without an end is open": (
        [("a", None, {**AGENT, "lasts": None})],
        {"status": "open", "duration_ns": None},
    ),
    "the session and user of the root come before those of its calls": (
        [
            ("a", None, {**AGENT, "session_id": "s", "service_name": "web"}),
            ("m", "a", {**LLM, "session_id": "x", "user_id": "u"}),
        ],
        {"session_id": "s", "principal_id": "u", "service_name": "web"},
    ),
    "the service stands in for an unknown user": (
        [("a", None, {**AGENT, "service_name": "web"})],
        {"principal_id": "web", "session_id": None},
    ),
    "the root's content comes first": (
        [
            (
                "a",
                None,
                {
                    **AGENT,
                    "input_key": "input.value",
                    "output_key": "o",
                    "attr_text": {"input.value": "why?"},
                    "attr_json": {"o": '[{"role": "assistant", "content": "so"}]'},
                },
            ),
            ("m", "a", {**LLM, "input_key": "i", "attr_text": {"i": "other"}}),
        ],
        {"input_text": "why?", "output_text": "so"},
    ),
    "else the first call's input and the last one's output": (
        [
            ("a", None, AGENT),
            ("m", "a", {**LLM, "input_key": "i", "output_key": "o", "attr_text": {"i": "one", "o": "two"}}),
            ("t", "a", {**TOOL, "input_key": "i", "output_key": "o", "attr_text": {"i": "tool", "o": "tool"}}),
            ("n", "a", {**LLM, "input_key": "i", "output_key": "o", "attr_text": {"i": "three", "o": "four"}}),
        ],
        {"input_text": "one", "output_text": "four"},
    ),
    "content that was not captured is unknown, not empty": (
        [("a", None, AGENT)],
        {"input_text": None, "output_text": None},
    ),
    "the finish reason is the last call's": (
        [
            ("a", None, AGENT),
            ("m", "a", {**LLM, "finish_reason": "tool_calls"}),
            ("n", "a", {**LLM, "finish_reason": "length"}),
        ],
        {"finish_reason": "length"},
    ),
    "a terminal failure shows only on the invocation's end": (
        [
            ("i", None, {**RESTATE, "operation": "invocation"}),
            ("p", "i", {**RESTATE, "operation": "attempt", "status": "error"}),
            ("q", "i", {**RESTATE, "operation": "attempt", "status": "ok"}),
            (
                "e",
                "i",
                {
                    **RESTATE,
                    "operation": "invocation",
                    "name": "invocation-end Shop/buy",
                    "runtime_status": "failure",
                    "status": "error",
                    "error_type": "500 Internal",
                },
            ),
        ],
        {"status": "error", "error_type": "500 Internal", "attempts": 2, "duration_ns": 4 * 10**9},
    ),
    "a suspended attempt is neither a retry nor an error": (
        [
            ("i", None, {**RESTATE, "operation": "invocation"}),
            ("p", "i", {**RESTATE, "operation": "attempt", "status": "ok"}),
            ("q", "i", {**RESTATE, "operation": "attempt", "status": "ok"}),
            ("e", "i", {**RESTATE, "operation": "invocation", "name": "invocation-end x", "runtime_status": "success"}),
        ],
        {"status": "ok", "attempts": 1},
    ),
    "what was cancelled from outside is not an error": (
        [
            ("i", None, {**RESTATE, "operation": "invocation"}),
            (
                "e",
                "i",
                {
                    **RESTATE,
                    "operation": "invocation",
                    "name": "invocation-end x",
                    "runtime_status": "failure",
                    "error_type": "409 Aborted",
                    "status_message": "cancelled",
                },
            ),
        ],
        {"status": "cancelled", "error_type": "409 Aborted"},
    ),
    "a handler's own conflict is an error": (
        [
            ("i", None, {**RESTATE, "operation": "invocation"}),
            (
                "e",
                "i",
                {
                    **RESTATE,
                    "operation": "invocation",
                    "name": "invocation-end x",
                    "runtime_status": "failure",
                    "error_type": "409 Aborted",
                    "status_message": "seat taken",
                },
            ),
        ],
        {"status": "error"},
    ),
    "a step that failed and then went well is a retry": (
        [
            ("x", None, APP),
            ("m", "x", {**LLM, "invocation_id": "01A", "attempt": 0, "step_id": "s", "status": "error"}),
            ("y", None, {**APP, "trace_id": "t2"}),
            ("n", "y", {**LLM, "trace_id": "t2", "invocation_id": "01A", "attempt": 1, "step_id": "s"}),
        ],
        {"run_id": "01A", "status": "ok", "attempts": 2, "traces": 2, "llm_calls": 2, "runtime": "inngest"},
    ),
    "a step that failed to the last fails the run": (
        [
            ("x", None, APP),
            (
                "m",
                "x",
                {**LLM, "invocation_id": "01A", "attempt": 0, "step_id": "s", "status": "error", "error_type": "429"},
            ),
        ],
        {"status": "error", "error_type": "429", "attempts": 1},
    ),
    "what the server says of the run counts more than its steps": (
        [
            ("r", None, {**SERVER, "name": "executor.run", "runtime_status": "Queued"}),
            ("m", "r", {**LLM, "invocation_id": "01A", "attempt": 0, "step_id": "s", "status": "error"}),
            ("z", None, {**SERVER, "operation": "other", "name": "EXTEND", "runtime_status": "Completed"}),
        ],
        {"status": "ok"},
    ),
    "a run that the server still holds is open": (
        [("r", None, {**SERVER, "name": "executor.run", "runtime_status": "Waiting"})],
        {"status": "open"},
    ),
    "the server's copy of a call is not a second call": (
        [
            ("r", None, {**SERVER, "name": "executor.run", "runtime_status": "Completed"}),
            ("u", "r", {**LLM, "name": "userland", "invocation_id": "01A", "input_tokens": 7}),
            ("x", None, {**APP, "trace_id": "t2"}),
            ("m", "x", {**LLM, "trace_id": "t2", "invocation_id": "01A", "input_tokens": 7}),
        ],
        {"llm_calls": 1, "input_tokens": 7, "spans": 4},
    ),
    "the server's copy counts where there is nothing else": (
        [
            ("r", None, {**SERVER, "name": "executor.run", "runtime_status": "Completed"}),
            ("u", "r", {**LLM, "name": "userland", "invocation_id": "01A", "input_tokens": 7}),
        ],
        {"llm_calls": 1, "input_tokens": 7},
    ),
    "the context is what the decider knew": (
        [("a", None, {**AGENT, **CHOSEN, "attr_text": {"flywheel.context": '{"tier": "gold"}'}})],
        {"context_json": '{"tier": "gold"}'},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_is_told_right(case, span, fold):
    given, expected = CASES[case]
    runs, _ = fold([span(name, parent, at=n, **columns) for n, (name, parent, columns) in enumerate(given)])
    (row,) = runs.to_pylist()
    assert {name: row[name] for name in expected} == expected
