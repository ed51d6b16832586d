"""A call of a model or tool that failed by itself.

A model's call fails by its service, if its message tells nothing else; a tool's call is trouble with
the tool, whoever caused it.
"""

from flywheel_assets.examples.signs.sign import Sign

SIGN = Sign(
    name="failed_call",
    version="1",
    sql="""
        SELECT run_id, trace_id, span_id,
            CASE WHEN role = 'tool' THEN 'Tool-related' ELSE coalesce(kind, 'Service Errors') END AS kind,
            concat('the call failed', ': ' || error_type) AS evidence
        FROM tried WHERE erred AND role IN ('llm', 'tool')
    """,
)
