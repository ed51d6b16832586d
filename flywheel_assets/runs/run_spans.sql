SELECT
    $day AS day,
    run_id,
    trace_id,
    span_id,
    day AS span_day,
    CASE
        WHEN run_id IS NULL THEN 'none'
        WHEN is_root THEN 'root'
        WHEN annotation THEN 'annotation'
        WHEN mirrors AND run_id IN (SELECT run_id FROM originals) THEN 'other'
        WHEN operation IN ('attempt', 'llm', 'tool', 'step') THEN operation
        WHEN operation IN ('agent', 'chain', 'workflow') THEN 'step'
        ELSE 'other'
    END AS role,
    nullif(attempt, 0) AS attempt
FROM members
ORDER BY trace_id, span_id;
