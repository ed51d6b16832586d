-- The spans of the day's runs, as labelers see them: without content.
CREATE OR REPLACE TEMP TABLE work AS
WITH joined AS (
    SELECT m.run_id, m.role, s.trace_id, s.span_id, s.parent_span_id, s.name, s.operation, s.status, s.error_type,
        s.tool_name, s.service_name, s.response_id, s.start_unix_nano
    FROM run_spans m
    JOIN raw_spans s ON s.trace_id = m.trace_id AND s.span_id = m.span_id
    WHERE m.day = $day AND m.run_id IS NOT NULL
),
last_calls AS (
    SELECT run_id, arg_max(span_id, {'start': start_unix_nano, 'span': span_id}) AS span_id
    FROM joined WHERE operation = 'llm' AND role IN ('llm', 'root') GROUP BY run_id
)
SELECT j.*, l.span_id IS NOT NULL AS is_last_call
FROM joined j LEFT JOIN last_calls l USING (run_id, span_id);
