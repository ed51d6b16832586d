"""Inngest: what its server writes (`_inngest.*`), what its SDK stamps on spans (`sdk.*`, `sys.*`, `inngest.*`).

Each HTTP call of a function is a trace of its own, so the run id and not the trace joins attempts.
`flywheel.inngest.*` are what its poller writes of the answers to its questions.
"""

from flywheel_assets.spans.dialect import ByName, Dialect

OPERATIONS = {
    "executor.run": "invocation",
    "executor.step": "step",
    "executor.execution": "attempt",
    "inngest.execution": "attempt",
    # Discovery runs the function to find its next step: no work is done in it.
    "executor.step.discovery": "other",
    "executor.nonstep": "other",
    "executor.failed": "other",
    "executor.defer": "other",
    # Later news of another span, and values about one.
    "EXTEND": "other",
    "metadata": "other",
    "flywheel.inngest.status": "invocation",
    "flywheel.inngest.attempt": "attempt",
    "flywheel.inngest.step": "step",
    "flywheel.inngest.invoked": "other",
    "flywheel.inngest.experiment": "other",
}

DIALECT = Dialect(
    name="inngest",
    columns={
        "invocation_id": ("_inngest.run.id", "sdk.run.id"),
        "invocation_target": (
            "_inngest.function.id",
            "_inngest.function.slug",
            "sys.function.id",
            "sys.function.slug",
        ),
        "workflow_name": ("_inngest.function.name", "_inngest.function.slug", "sys.function.slug"),
        "attempt": ("_inngest.step.attempt", "inngest.step.attempt", "sys.step.attempt"),
        # The server's step id is the hash that the SDK stamps on the app's spans: what they join on.
        "step_id": (
            "_inngest.step.id",
            "inngest.step.hash",
            "sys.step.id",
            "_inngest.step.userland.id",
            "inngest.step.id",
        ),
        "runtime_status": (
            "flywheel.inngest.status",
            "_inngest.dynamic.status",
            "sys.step.status",
            "sys.function.status.code",
        ),
        "cost_usd": ("flywheel.inngest.estimated_cost",),
        "input_key": ("_inngest.step.input", "_inngest.events.input", "sys.step.input"),
        "output_key": ("_inngest.step.output", "sys.step.output", "sys.function.output"),
    },
    operations=(
        ByName(OPERATIONS, requires="_inngest.run.id"),
        ByName(OPERATIONS, requires="sdk.run.id"),
    ),
)
