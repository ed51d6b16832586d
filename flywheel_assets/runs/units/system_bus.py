"""A system bus: a run is one model request with its fallbacks, one workflow node, one task, one story attempt.

A request's attempts share one deadline. Those that come after it was spent are reported like the one
that spent it, with the whole timeout as their own: an attempt that says it waited longer than there was
time since the event before it never ran. A request that an open circuit refused was not carried out.
"""

from flywheel_assets.runs.units.unit import Unit

UNIT = Unit(
    runtime="system_bus",
    opens="dialect = 'system_bus' AND invocation_id IS NOT NULL",
    states="CASE WHEN runtime_status IN ('ok', 'error', 'cancelled') THEN runtime_status END",
    silent="'open'",
    attempt="attempt",
    waited="""
        CASE WHEN operation = 'llm' AND status = 'error'
            THEN 1000000 * TRY_CAST(regexp_extract(status_message, 'timed out after (\\d+) ?ms', 1) AS BIGINT) END
    """,
)
