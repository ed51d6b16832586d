"""The last tool call of the run failed, so nothing came after that could have made up for it."""

from flywheel_assets.examples.labelers.labeler import Labeler

LABELER = Labeler(
    name="tool_error",
    version="1",
    tier="heuristic",
    one_sided=True,
    sql="""
        WITH last_calls AS (
            SELECT run_id, arg_max({'failed': status = 'error' OR error_type IS NOT NULL, 'tool': tool_name},
                {'start': start_unix_nano, 'span': span_id}) AS call
            FROM work WHERE role = 'tool' GROUP BY run_id
        )
        SELECT run_id, 0.0 AS value, 0.6 AS confidence, concat('last tool call failed: ', call.tool) AS evidence
        FROM last_calls WHERE call.failed
    """,
)
