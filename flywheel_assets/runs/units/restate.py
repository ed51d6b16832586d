"""Restate: a run is an invocation; its retries share the invocation id.

An attempt that ends in an error is a retry if another follows; a terminal failure shows only on
`invocation-end`, whose attempt is OK. An invocation without an end is open, also when its last
attempt failed: it may be paused. Suspended or yielded is not an error. What is cancelled or killed
from outside is neither right nor wrong: in spans both say '409 Aborted', and nothing but the message
tells them from a handler's own conflict. The poller's `flywheel.restate.status` tells them all apart.
"""

from flywheel_assets.runs.units.unit import Unit

UNIT = Unit(
    runtime="restate",
    opens="invocation_id IS NOT NULL AND (dialect = 'restate' OR starts_with(invocation_id, 'inv_'))",
    states="""
        CASE
            WHEN name = 'flywheel.restate.status' THEN CASE runtime_status
                WHEN 'success' THEN 'ok'
                WHEN 'failure' THEN 'error'
                WHEN 'killed' THEN 'cancelled'
                WHEN 'cancelled' THEN 'cancelled'
                ELSE 'open'
            END
            WHEN NOT starts_with(name, 'invocation-end') THEN NULL
            WHEN runtime_status = 'success' THEN 'ok'
            WHEN error_type LIKE '409%' AND status_message IN ('cancelled', 'killed') THEN 'cancelled'
            WHEN runtime_status = 'failure' OR status = 'error' THEN 'error'
        END
    """,
    silent="'open'",
    begins="operation = 'invocation' AND NOT starts_with(name, 'invocation-end')",
    answered="name = 'flywheel.restate.status'",
    attempt="attempt",
    # A call that is waited for is part of the caller's run; a one-way call is not.
    invoking="name = 'flywheel.restate.call' AND invocation_id IS NOT NULL",
    invokes="attr_text['flywheel.restate.called']",
)
