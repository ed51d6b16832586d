SELECT
    $day AS day,
    m.run_id,
    s.trace_id,
    s.span_id,
    s.day AS span_day,
    CASE
        WHEN m.run_id IS NULL THEN 'none'
        WHEN m.is_root THEN 'root'
        WHEN m.annotation THEN 'annotation'
        WHEN m.row IN (SELECT row FROM idle) THEN 'other'
        WHEN s.mirrors AND m.run IN (SELECT run FROM originals) THEN 'other'
        WHEN s.operation IN ('attempt', 'llm', 'tool', 'step') THEN s.operation
        WHEN s.operation IN ('agent', 'chain', 'workflow') THEN 'step'
        ELSE 'other'
    END AS role,
    nullif(m.attempt, 0) AS attempt
FROM members m JOIN near s ON s.rowid = m.row
ORDER BY s.trace_id, s.span_id;
