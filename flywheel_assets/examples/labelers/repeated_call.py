"""The same tool was called with the same arguments five times or more: the agent went in circles.

Fewer may be patience (polling), and looking at the arguments of every other run costs more than it
tells.
"""

from flywheel_assets.examples.labelers.labeler import Labeler

SUSPECTS = """
    SELECT run_id, tool_name FROM work WHERE role = 'tool' AND tool_name IS NOT NULL GROUP BY ALL HAVING count(*) >= 5
"""
LABELER = Labeler(
    name="repeated_call",
    version="1",
    tier="heuristic",
    one_sided=True,
    concerned=SUSPECTS,
    sql=f"""
        WITH suspects AS ({SUSPECTS}),
        calls AS (
            SELECT w.run_id, w.tool_name, coalesce(s.attr_text[s.input_key], s.attr_json[s.input_key]) AS arguments,
                count(*) AS times
            FROM work w
            SEMI JOIN suspects USING (run_id, tool_name)
            JOIN raw_spans s ON s.trace_id = w.trace_id AND s.span_id = w.span_id
            WHERE w.role = 'tool' AND s.input_key IS NOT NULL
            GROUP BY ALL HAVING count(*) >= 5
        )
        SELECT run_id, 0.0 AS value, 0.55 AS confidence,
            concat('same call ', max(times), ' times: ', arg_max(tool_name, {{'times': times, 'tool': tool_name}}))
                AS evidence
        FROM calls GROUP BY run_id
    """,
)
