"""Restate's server spans: `ingress`, `invocation-start`, `invocation-attempt`, `invocation-end`.

A terminal failure shows on `invocation-end` alone, and all attempts share `restate.invocation.id`.
`flywheel.restate.*` are what its poller writes of the answers to its questions.
"""

from flywheel_assets.spans.dialect import ByName, Dialect

DIALECT = Dialect(
    name="restate",
    columns={
        "invocation_id": ("restate.invocation.id",),
        "invocation_target": ("restate.invocation.target",),
        "runtime_status": ("flywheel.restate.state", "restate.invocation.result"),
        "attempt": ("flywheel.restate.attempt",),
        "step_id": ("restate.journal.command.name", "restate.journal.index"),
        "error_type": ("restate.invocation.error.code", "restate.error.code"),
    },
    operations=(
        ByName(
            {
                "ingress": "invocation",
                "ingress_kafka": "invocation",
                "invocation-start": "invocation",
                "invocation-attempt": "attempt",
                "invocation-end": "invocation",
                "restart-as-new": "invocation",
                "flywheel.restate.status": "invocation",
                "flywheel.restate.call": "other",
            },
            requires="restate.invocation.id",
        ),
    ),
)
