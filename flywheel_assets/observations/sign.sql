-- What could be equal to what, a row per example, unordered: examples are compared within a scope only.
-- Those without a scope, without captured text, or at span grain are compared with nothing: a span's
-- example shares its run's fate. A run without a user carries its service's name as principal, which
-- is nobody who could repeat himself; which service it was, only a run without a session is asked.
WITH services AS (
    SELECT spans.trace_id, spans.span_id, min(spans.service_name) AS service_name
    FROM raw_spans AS spans
    SEMI JOIN labeled_examples AS roots
        ON roots.day = DATE '{day}' AND roots.session_id IS NULL
        AND roots.trace_id = spans.trace_id AND roots.root_span_id = spans.span_id
    WHERE spans.day = DATE '{day}'
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
    skill,
    arm,
    input_text,
    output_text
FROM labeled_examples AS examples
LEFT JOIN services ON services.trace_id = examples.trace_id AND services.span_id = examples.root_span_id
WHERE examples.day = DATE '{day}'
