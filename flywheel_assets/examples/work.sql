-- The spans of the day's runs, as labelers see them: without content.
--
-- `stands_for_run`: what is said of the span is said of the run. That is its root; and where the root
-- is a durable runtime's own span, which nobody can say anything on, the agent span that holds all
-- others of the last attempt.
CREATE OR REPLACE TEMP TABLE work AS
WITH joined AS (
    SELECT m.run_id, m.role, coalesce(m.attempt, 0) AS attempt, s.day AS span_day, s.trace_id, s.span_id,
        s.parent_span_id, s.name, s.operation, coalesce(s.response_model, s.request_model) AS model, s.status,
        s.error_type, s.tool_name, s.service_name, s.response_id, s.start_unix_nano,
        s.start_unix_nano + coalesce(s.duration_ns, 0) AS end_unix_nano
    FROM run_spans m
    JOIN raw_spans s ON s.trace_id = m.trace_id AND s.span_id = m.span_id
    WHERE m.day = $day AND m.run_id IN (SELECT run_id FROM runs)
),
last_calls AS (
    SELECT run_id, arg_max(span_id, {'start': start_unix_nano, 'span': span_id}) AS span_id
    FROM joined WHERE operation = 'llm' AND role IN ('llm', 'root') GROUP BY run_id
),
agents AS (
    SELECT j.*, max(attempt) OVER (PARTITION BY run_id) AS last_attempt
    FROM joined j
    WHERE role = 'step' AND operation IN ('agent', 'chain', 'workflow')
        AND run_id IN (SELECT run_id FROM runs WHERE runtime IN ('restate', 'inngest'))
),
heads AS (
    SELECT run_id, arg_min({'trace': trace_id, 'span': span_id, 'end': end_unix_nano},
        {'start': start_unix_nano, 'end': -end_unix_nano, 'span': span_id}) AS head
    FROM agents WHERE attempt = last_attempt
    GROUP BY run_id HAVING max(end_unix_nano) <= head['end']
)
SELECT j.*, l.span_id IS NOT NULL AS is_last_call,
    j.role = 'root' OR (j.trace_id = h.head.trace AND j.span_id = h.head.span) IS TRUE AS stands_for_run
FROM joined j
LEFT JOIN last_calls l USING (run_id, span_id)
LEFT JOIN heads h USING (run_id);
