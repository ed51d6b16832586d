"""A step that used no tool, in a run that was offered tools and never used one."""

from flywheel_assets.examples.signs.sign import Sign

SIGN = Sign(
    name="idle_tools",
    version="1",
    sql="""
        SELECT c.run_id, c.trace_id, c.span_id, 'Tool Selection Errors' AS kind,
            'none of the tools that were offered was used' AS evidence
        FROM last_call_under c
        JOIN tried s ON s.run_id = c.run_id AND s.trace_id = c.trace_id AND s.span_id = c.parent_span_id
        SEMI JOIN offered o ON o.run_id = c.run_id
        ANTI JOIN used u ON u.run_id = c.run_id
        WHERE s.operation IN ('chain', 'step') AND NOT s.erred
    """,
)
