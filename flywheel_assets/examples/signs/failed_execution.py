"""What a model's call told the run to do could not be done: the step that did it ended in an error.

The call, not the step, made the error; the step's message tells the kind. Where it speaks of nothing
outside the call (no file, no service, no limit), what was written could not be executed as it stood: code
that does not parse, arguments that do not fit.
"""

from flywheel_assets.examples.signs.sign import Sign

SIGN = Sign(
    name="failed_execution",
    version="1",
    sql="""
        SELECT c.run_id, c.trace_id, c.span_id, coalesce(s.kind, 'Formatting Errors') AS kind,
            concat('what it asked for failed', ': ' || s.error_type) AS evidence
        FROM tried s
        JOIN last_call_under c ON c.run_id = s.run_id AND c.trace_id = s.trace_id AND c.parent_span_id = s.span_id
        WHERE s.erred AND s.role NOT IN ('llm', 'tool')
    """,
)
