"""Restate: a run is an invocation; its retries share the invocation id.

An attempt that ends in an error is a retry if another follows; a terminal failure shows only on
`invocation-end`, whose attempt is OK. An invocation without an end is open, also when its last
attempt failed: it may be paused. Suspended or yielded is not an error. What is cancelled or killed
from outside is neither right nor wrong: both say '409 Aborted', and nothing but the message tells
them from a handler's own conflict.
"""

from flywheel_assets.runs.units.unit import Unit

UNIT = Unit(
    runtime="restate",
    opens="invocation_id IS NOT NULL AND (dialect = 'restate' OR starts_with(invocation_id, 'inv_'))",
    states="""
        CASE
            WHEN NOT starts_with(name, 'invocation-end') THEN NULL
            WHEN runtime_status = 'success' THEN 'ok'
            WHEN error_type LIKE '409%' AND status_message IN ('cancelled', 'killed') THEN 'cancelled'
            WHEN runtime_status = 'failure' OR status = 'error' THEN 'error'
        END
    """,
    silent="'open'",
)
