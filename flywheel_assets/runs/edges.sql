-- The window as numbers, in order of idx. Positions are -1 where there is none.
WITH traces AS (SELECT trace_id, min(idx) AS first_idx FROM spans_of_window GROUP BY trace_id),
invocations AS (
    SELECT invocation_id, min(idx) AS first_idx FROM spans_of_window
    WHERE invocation_id IS NOT NULL GROUP BY invocation_id
)
SELECT
    coalesce(p.idx, -1) AS parent,
    t.first_idx AS trace,
    coalesce(i.first_idx, -1) AS invocation,
    coalesce(v.first_idx, -1) AS invoked,
    s.runtime IS NOT NULL AS opens,
    coalesce(s.operation = 'llm', false) AS llm,
    coalesce(s.operation = 'evaluation', false) AS evaluation,
    coalesce(s.operation = 'attempt' AND s.runtime = 'restate', false) AS tries,
    s.status = 'error' AS failed,
    s.stated_attempt::DOUBLE AS attempt
FROM spans_of_window s
JOIN traces t ON t.trace_id = s.trace_id
LEFT JOIN spans_of_window p ON p.trace_id = s.trace_id AND p.span_id = s.parent_span_id
LEFT JOIN invocations i ON i.invocation_id = s.invocation_id
LEFT JOIN invocations v ON v.invocation_id = s.invokes
ORDER BY s.idx;
