"""Durable runtimes and the flywheel's own attributes, as emitters write them, and the columns they become."""

import pytest

FLYWHEEL = {
    "flywheel.decision.id": "d",
    "flywheel.policy.id": "p",
    "flywheel.experiment.id": "e",
    "flywheel.arm": "m|v1|-",
    "flywheel.segment": "canary",
    "flywheel.propensity": 0.25,
    "flywheel.keep_prob": 1,
    "flywheel.unit.id": "u",
    "flywheel.candidate_set": ["a", "b"],
    "flywheel.skill.name": "refund",
    "flywheel.skill.version": 2,
    "gen_ai.skill.name": "something else",
}
FLYWHEEL_ROW = {
    "decision_id": "d",
    "policy_id": "p",
    "experiment_id": "e",
    "arm": "m|v1|-",
    "segment": "canary",
    "propensity": 0.25,
    "keep_prob": 1.0,
    "unit_id": "u",
    "candidate_set": '["a","b"]',
    "skill_name": "refund",
    "skill_version": "2",
}
RESTATE = {"restate.invocation.id": "inv_1", "restate.invocation.target": "Svc/do"}
INNGEST = {
    "sdk.run.id": "01K",
    "sys.function.id": "fn",
    "inngest.step.hash": "abc",
    "inngest.step.id": "plan",
    "inngest.step.attempt": 1,
}

# name of the case: (attributes, other fields of the span, expected columns)
CASES = {
    "restate: the start of an invocation": (
        RESTATE,
        {"name": "invocation-start Svc/do"},
        {"dialect": "restate", "operation": "invocation", "invocation_id": "inv_1", "invocation_target": "Svc/do"},
    ),
    "restate: an attempt": (
        RESTATE,
        {"name": "invocation-attempt Svc/do"},
        {"dialect": "restate", "operation": "attempt", "invocation_id": "inv_1", "invocation_target": "Svc/do"},
    ),
    "restate: a failed end": (
        RESTATE | {"restate.invocation.result": "failure", "restate.invocation.error.code": "500 Internal"},
        {"name": "invocation-end Svc/do"},
        {
            "dialect": "restate",
            "operation": "invocation",
            "invocation_id": "inv_1",
            "invocation_target": "Svc/do",
            "runtime_status": "failure",
            "error_type": "500 Internal",
        },
    ),
    "restate: a name alone proves nothing": ({}, {"name": "ingress Svc/do"}, {}),
    "restate: an agent's span under an attempt stays the agent's": (
        RESTATE | {"gen_ai.operation.name": "chat"},
        {"name": "invocation-attempt Svc/do"},
        {"dialect": "gen_ai", "operation": "llm", "invocation_id": "inv_1", "invocation_target": "Svc/do"},
    ),
    "inngest: an execution": (
        INNGEST,
        {"name": "inngest.execution"},
        {
            "dialect": "inngest",
            "operation": "attempt",
            "invocation_id": "01K",
            "invocation_target": "fn",
            "attempt": 1,
            "step_id": "abc",
        },
    ),
    "inngest: a user's span in a step": (
        INNGEST,
        {"name": "anything"},
        {"invocation_id": "01K", "invocation_target": "fn", "attempt": 1, "step_id": "abc"},
    ),
    "inngest: the server's run": (
        {
            "_inngest.run.id": "01K",
            "_inngest.function.id": "f",
            "_inngest.function.name": "Nightly",
            "_inngest.dynamic.status": "Completed",
        },
        {"name": "executor.run"},
        {
            "dialect": "inngest",
            "operation": "invocation",
            "invocation_id": "01K",
            "invocation_target": "f",
            "workflow_name": "Nightly",
            "runtime_status": "Completed",
        },
    ),
    "inngest: the server's step joins the app's by its hash": (
        {"_inngest.run.id": "01K", "_inngest.step.id": "abc", "_inngest.step.userland.id": "plan"},
        {"name": "executor.step"},
        {"dialect": "inngest", "operation": "step", "invocation_id": "01K", "step_id": "abc"},
    ),
    "inngest: discovery is no step": (
        {"_inngest.run.id": "01K"},
        {"name": "executor.step.discovery"},
        {"dialect": "inngest", "operation": "other", "invocation_id": "01K"},
    ),
    "flywheel: a decision": (FLYWHEEL, {}, FLYWHEEL_ROW),
    "flywheel: feedback on its own span": (
        {},
        {"name": "flywheel.feedback"},
        {"dialect": "flywheel", "operation": "evaluation"},
    ),
}


@pytest.mark.parametrize("form", ["json", "protobuf"])
@pytest.mark.parametrize("case", CASES)
def test_attributes_of_runtimes_become_columns(otlp, case, form):
    carried, fields, expected = CASES[case]
    (row,) = otlp.rows(otlp.batch(otlp.request([otlp.span(1, carried, **fields)]), form))
    assert otlp.promoted(row) == expected
