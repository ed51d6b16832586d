"""A tool was called again with the same arguments, and had failed or said the same before."""

from flywheel_assets.examples.signs.sign import Sign

SIGN = Sign(
    name="repeated_call",
    version="1",
    sql="""
        SELECT run_id, trace_id, span_id, 'Resource Abuse' AS kind,
            concat('the same call as before, with the same end: ', tool_name) AS evidence
        FROM tried WHERE role = 'tool' AND tool_name IS NOT NULL AND asked IS NOT NULL
        QUALIFY row_number() OVER (
            PARTITION BY run_id, tool_name, asked, CASE WHEN erred THEN 'error' ELSE answered END
            ORDER BY start_unix_nano, span_id) > 1
    """,
)
