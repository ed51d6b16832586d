-- What could be equal to what, one row per example: examples are compared within a scope only.
-- Those without a scope, without captured text, or at span grain are compared with nothing: a span's
-- example shares its run's fate. A run without a user carries its service's name as principal, which
-- is nobody who could repeat himself.
WITH examples AS (
    SELECT DISTINCT ON (example_id)
        day, example_id, grain, start_time, trace_id, root_span_id, session_id, principal_id,
        skill, arm, input_text, output_text
    FROM labeled_examples
    WHERE day = $day
    ORDER BY example_id, run_id, start_time
),
services AS (
    SELECT trace_id, span_id, min(service_name) AS service_name
    FROM raw_spans
    WHERE day = $day
    GROUP BY ALL
)
SELECT
    day,
    example_id,
    start_time,
    coalesce(
        CASE
            WHEN grain <> 'run' OR input_text IS NULL OR output_text IS NULL THEN ''
            WHEN session_id IS NOT NULL THEN 'session:' || session_id
            WHEN principal_id <> service_name THEN 'user:' || principal_id
        END,
        ''
    ) AS scope,
    concat_ws(chr(31), coalesce(skill, ''), coalesce(arm, '')) AS salt,
    input_text,
    output_text
FROM examples
LEFT JOIN services ON services.trace_id = examples.trace_id AND services.span_id = examples.root_span_id
ORDER BY example_id
